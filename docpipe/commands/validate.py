"""Judge stored readings again, without the document: the same readings and schema give the same result."""

from __future__ import annotations

import argparse
from pathlib import Path

from docpipe.commands.messages import failure_of, tell

HELP = "judge stored readings again, without the document"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("readings", metavar="READINGS.json", type=Path, help="readings.json of a --work folder")
    parser.add_argument("--schema", metavar="S", help="judge by this schema (default: the built-in one the readings were made with)")
    parser.add_argument("--out", metavar="FILE|DIR", type=Path, help="where the JSON goes (default: stdout)")


def main(arguments: argparse.Namespace) -> int:
    """Judge and write."""
    from docpipe.api import revalidate
    from docpipe.sinks import load_sink

    result = revalidate(arguments.readings, arguments.schema)
    with load_sink("json_file", arguments.out) as sink:
        sink.write(result, name=result.document.name)
    failure = failure_of(result)
    return tell(failure) if failure else 0
