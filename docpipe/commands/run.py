"""Read documents and write their results as JSON.

One FILE: its JSON goes to stdout, or to --out FILE.json. Several: JSON Lines on stdout, each led by "file", or --out DIR with one
NAME.json each. All of them are tried; the exit code is that of the first that failed. A document whose result is `failed` fails with
its page's code, and its JSON is still written. With --split, a file that holds several documents is one object with all their results as
its `parts`; in JSON Lines and tables each of them has a line.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe.commands.messages import failure_of, tell
from docpipe.commands.options import add_password_options, add_reading_options, read_password, read_request
from docpipe.errors import UsageError

if TYPE_CHECKING:
    from docpipe.api import Reader
    from docpipe.routing import Router
    from docpipe.sinks import Sink

HELP = "read documents and write their results as JSON"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PDF, PNG, JPEG, TIFF, WebP, BMP, GIF, HEIC or e-invoice XML")
    parser.add_argument("--out", metavar="FILE|DIR", help="where the JSON goes (default: stdout)")
    parser.add_argument("--work", metavar="DIR", type=Path, help="keep words, images and readings here, in DIR/NAME for several FILEs")
    parser.add_argument("--sink", metavar="NAME", help="where results go: json_file, jsonl, table, module:Class or path.py:Class")
    add_reading_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Read every FILE."""
    from docpipe.preprocess import warm_up
    from docpipe.settings import read_settings

    request = read_request(arguments, read_settings())
    password = read_password(arguments)
    target = _target(arguments)
    warm_up(arguments.files)  # the rendering process starts while this one imports the rest

    from docpipe.api import open_reader
    from docpipe.sinks import load_sink

    reader = open_reader(request.schema_name, request)
    usual = "jsonl" if len(arguments.files) > 1 and target is None else "json_file"
    with load_sink(arguments.sink or usual, target) as sink:
        codes = [
            _read(reader, path, sink, work=work, password=password, debug=arguments.debug)
            for path, work in _workspaces(arguments.files, arguments.work)
        ]
    return next((code for code in codes if code), 0)


def _read(reader: Reader[Any] | Router, path: Path, sink: Sink, *, work: Path | None, password: str | None, debug: bool) -> int:
    """Read one file; returns its exit code. Only an output that cannot be written ends the whole call."""
    try:
        result = reader.read(path, password=password, work=work)
    except Exception as problem:
        return tell(problem, file=path.name, debug=debug)
    sink.write(result, name=str(path))
    failure = failure_of(result)
    return tell(failure) if failure else 0


def _target(arguments: argparse.Namespace) -> Path | None:
    """Where the sink writes: None for stdout, a folder that exists, or a file. Raises UsageError."""
    if arguments.out is None:
        return None
    target, several = Path(arguments.out), len(arguments.files) > 1
    if any(target.exists() and file.exists() and target.samefile(file) for file in arguments.files):
        raise UsageError("--out is one of the documents", file=target.name, hint="name another file")
    if not (arguments.out.endswith("/") or target.is_dir() or (several and not arguments.sink)):
        return target
    from docpipe.output import writing

    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
    return target


def _workspaces(files: list[Path], work: Path | None) -> Iterator[tuple[Path, Path | None]]:
    """Each file with its workspace: the folder itself for a single file, else one below it for each."""
    used: set[Path] = set()
    for file in files:
        if work is None or len(files) == 1:
            yield file, work
            continue
        names = (file.name if number == 1 else f"{file.name}~{number}" for number in itertools.count(1))
        space = next(work / name for name in names if work / name not in used)
        used.add(space)
        yield file, space
