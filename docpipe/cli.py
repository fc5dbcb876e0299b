"""The command line: builds the parser, calls the command, and turns errors into a last line and an exit code. Knows no document."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from docpipe import __version__, errors
from docpipe.commands import (
    ask,
    batch,
    cancel,
    caption,
    classify,
    doctor,
    drop,
    index,
    quarantine,
    result,
    retry,
    run,
    schema,
    search,
    split,
    status,
    submit,
    validate,
    view,
    watch,
)
from docpipe.commands.messages import INTERNAL, error_line, one_line, say, tell

COMMANDS = {
    "run": run,
    "batch": batch,
    "ask": ask,
    "caption": caption,
    "classify": classify,
    "index": index,
    "search": search,
    "split": split,
    "view": view,
    "schema": schema,
    "validate": validate,
    "submit": submit,
    "status": status,
    "watch": watch,
    "result": result,
    "cancel": cancel,
    "drop": drop,
    "retry": retry,
    "quarantine": quarantine,
    "doctor": doctor,
}
# New objects after which Python looks for garbage. By itself it does so every 700, which while modules are imported finds nothing and
# takes a sixth of the time.
GARBAGE = 50_000
INTERRUPTED, TERMINATED, BROKEN_PIPE = 130, 143, 141


class Parser(argparse.ArgumentParser):
    """Ends in the same kind of last line as every other error."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        say(error_line(errors.UsageError(message, hint=f"{self.prog} --help")))
        raise SystemExit(errors.UsageError.exit_code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    if argv is not None:
        return _whole(argv)
    signal.signal(signal.SIGTERM, _terminate)
    gc.set_threshold(GARBAGE)
    end = _End()
    atexit.register(end.at_once)
    try:
        end.code = _whole(argv)
    except SystemExit as problem:
        end.code = problem.code if isinstance(problem.code, int) else 0
        raise
    return end.code


@dataclass
class _End:
    """The end of the process. A thread that is still asking or loading a model must not meet Python's own end in the middle of a library:
    that is an abort, and another exit code."""

    code: int = 0

    def at_once(self) -> None:
        """What is to be called last."""
        if any(thread.daemon for thread in threading.enumerate()):
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(self.code)


def _whole(argv: Sequence[str] | None) -> int:
    try:
        return _main(argv)
    except BrokenPipeError:
        from docpipe.output import drop_stdout

        drop_stdout()
        return BROKEN_PIPE


def build_parser() -> Parser:
    """The whole command line."""
    common = Parser(add_help=False)
    common.add_argument("--quiet", "-q", action="store_true", help="no warnings, no progress; errors only")
    common.add_argument("--debug", action="store_true", help="log every step, and show the traceback of an error")
    parser = Parser(
        prog="docpipe",
        description="Documents and scans in; validated, evidence-carrying JSON out.",
        epilog=_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"docpipe {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.HELP,
            description=command.__doc__,
            parents=[common],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.set_defaults(main=command.main)
    return parser


def _main(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    _configure_logging(debug=arguments.debug, quiet=arguments.quiet)
    try:
        return int(arguments.main(arguments))
    except KeyboardInterrupt:
        say("docpipe: error: interrupted: stopped before the end (what is finished is kept)")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as problem:
        return tell(problem, debug=arguments.debug)


class _Brief(logging.Formatter):
    """An error of a library is one line; where it happened is for --debug. What only tells how far things are has no level."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line.replace("INFO: ", "", 1) if record.levelno == logging.INFO else line

    def formatException(self, ei: Any) -> str:
        return one_line(f"  {ei[0].__name__}: {ei[1]}")


def _configure_logging(*, debug: bool, quiet: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((logging.Formatter if debug else _Brief)("docpipe: %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("docpipe").setLevel(logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING)
    logging.getLogger("docpipe.progress").setLevel(logging.ERROR if quiet else logging.INFO)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


def _exit_codes() -> str:
    """Every code with its meaning, from the error tree itself."""
    bases = (errors.DocpipeError, errors.DocumentError)
    lines = [(kind.exit_code, f"{kind.code}: {(kind.__doc__ or '').strip()}") for kind in errors.tree() if kind not in bases]
    lines += [
        (0, "done: the documents are accepted or for review"),
        (INTERNAL, "internal: a fault in docpipe itself; --debug shows where"),
        (INTERRUPTED, "interrupted: Ctrl-C; what is finished is kept"),
        (TERMINATED, "terminated: SIGTERM; what is finished is kept"),
        (BROKEN_PIPE, "the reader of the output went away"),
    ]
    listed = "\n".join(f"  {code:>3}  {text}" for code, text in sorted(lines, key=lambda line: line[0]))
    return f"exit codes:\n{listed}\n\nErrors go to stderr; the last line is `docpipe: error: CODE: FILE: message (hint)`."
