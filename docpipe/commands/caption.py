"""Have a model say in a sentence what each page of a document is and shows.

Any model will do, also one that cannot read documents. Which is asked, and by what, say DOCPIPE_MODEL and DOCPIPE_BACKEND; a page that
fails is named on stderr, and the first such error is the exit code.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from docpipe.commands.ask import answer
from docpipe.commands.options import add_asking_options, add_password_options

HELP = "have a model describe a document's pages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="PDF, PNG, JPEG, TIFF, WebP, BMP, GIF or HEIC")
    add_asking_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Describe every page."""
    return answer(arguments, None)
