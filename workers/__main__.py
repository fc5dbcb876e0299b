"""python -m workers dispatcher: hand out the queue's work until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence

from docpipe.errors import DocpipeError
from docpipe.settings import read_settings
from workers.logs import log_as_json


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("dispatcher", help="hand out work to the workers").set_defaults(main=_dispatch)
    arguments = parser.parse_args(argv)
    log_as_json(logging.INFO)
    try:
        return int(arguments.main())
    except DocpipeError as problem:
        sys.stderr.write(f"docpipe: error: {problem}\n")
        return problem.exit_code


def _dispatch() -> int:
    from workers.app import app
    from workers.broker import Broker
    from workers.dispatcher import Dispatcher
    from workers.process import ledger

    settings, stopped = read_settings(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    Dispatcher(ledger(), Broker(app, url=settings.broker, prefix=settings.prefix)).run(stopped.is_set)
    return 0


if __name__ == "__main__":
    sys.exit(main())
