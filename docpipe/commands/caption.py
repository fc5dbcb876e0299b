"""Have a model say in a sentence what each page of documents is and shows.

Any model will do, also one that cannot read documents. Which is asked, and by what, say DOCPIPE_MODEL and DOCPIPE_BACKEND. As JSON
(--json), one FILE is an object, several are JSON Lines, each led by "file". All files are tried, and a page that fails is named on stderr;
the exit code is that of the first that failed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from docpipe.commands.ask import answer
from docpipe.commands.options import add_asking_options, add_password_options

HELP = "have a model describe documents' pages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PDF, PNG, JPEG, TIFF, WebP, BMP, GIF or HEIC")
    add_asking_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Describe every page."""
    return answer(arguments, None)
