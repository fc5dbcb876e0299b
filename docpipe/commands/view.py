"""Show a result as one self-contained HTML page: the pages with a box around every value, and the evidence of a field at a click."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe.commands.options import add_password_options, read_password, whole_number
from docpipe.errors import MismatchError, NotFoundError, UsageError

if TYPE_CHECKING:
    from docpipe.records import Result
    from docpipe.view.model import Picture

HELP = "show a result and its evidence as one HTML page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("result", metavar="RESULT", type=Path, help="JSON file of `docpipe run` or `docpipe batch`")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--work", metavar="DIR", type=Path, help="take the page images from the run's --work folder")
    source.add_argument(
        "--document", metavar="FILE", type=Path, help="draw the page images from the document; it must be the very same file"
    )
    parser.add_argument("--part", metavar="N", help="which document, of a file that holds several")
    parser.add_argument("--out", metavar="FILE.html", type=Path, help="the page to write (default: RESULT with the ending .html)")
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Write the page and say where."""
    from docpipe.output import write_file, write_stdout
    from docpipe.view import build_html

    result = _part(_load(arguments.result), arguments.part)
    out = arguments.out or arguments.result.with_suffix(".html")
    for given in (arguments.result, arguments.document):
        if given and out.exists() and out.samefile(given):
            raise UsageError("--out is one of the files to read", file=out.name, hint="name another file")
    write_file(out, build_html(result, _pictures(arguments, result)).encode())
    if not arguments.quiet:
        write_stdout(f"{out}\n".encode(errors="surrogateescape"))
    return 0


def _load(path: Path) -> Result[Any]:
    from pydantic import ValidationError

    from docpipe.records import Result

    try:
        return Result[Any].model_validate_json(path.read_bytes())
    except OSError as problem:
        raise NotFoundError(f"cannot be read: {problem.strerror}", file=path.name) from problem
    except ValidationError as problem:
        raise MismatchError("not a result of docpipe", file=path.name, hint="give the JSON of `docpipe run`") from problem


def _part(result: Result[Any], number: str | None) -> Result[Any]:
    """The document asked for, or the only one."""
    if not result.parts and number is None:
        return result
    if number is None:
        raise UsageError(f"the file holds {len(result.parts)} documents", hint="say which with --part, such as --part 1")
    return result.parts[whole_number("--part", number, least=1, most=len(result.parts)) - 1]


def _pictures(arguments: argparse.Namespace, result: Result[Any]) -> dict[int, Picture]:
    if arguments.work is None and arguments.document is None:
        return {}
    from docpipe.settings import read_settings
    from docpipe.view.pictures import pictures_of_document, pictures_of_work

    if arguments.work is not None:
        return pictures_of_work(arguments.work, result)
    limits = read_settings().limits()
    return pictures_of_document(arguments.document, result, limits=limits, password=read_password(arguments))
