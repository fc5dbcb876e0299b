"""The queue's processes that are not Celery's own.

python -m workers dispatcher               hand out work to the workers, until SIGTERM or Ctrl-C
python -m workers alive                    exit code 0 while a worker or dispatcher of this machine says that it is alive
python -m workers local [-- COMMAND ...]   a whole queue on this machine, while COMMAND runs or until Ctrl-C
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from docpipe.errors import DocpipeError
from docpipe.settings import read_settings
from workers.logs import log_as_json


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("dispatcher", help="hand out work to the workers").set_defaults(main=_dispatch)
    commands.add_parser("alive", help="whether a worker or dispatcher of this machine is alive").set_defaults(main=_alive)
    local = commands.add_parser("local", help="a Redis, a dispatcher and workers on this machine")
    local.add_argument("--folder", metavar="DIR", type=Path, help="keep ledger, store and logs there (default: a temporary folder)")
    local.add_argument("command", metavar="COMMAND", nargs="*", help="run this beside the queue, and end with it")
    local.set_defaults(main=_local)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.main(arguments))
    except DocpipeError as problem:
        sys.stderr.write(f"docpipe: error: {problem}\n")
        return problem.exit_code


def _local(arguments: argparse.Namespace) -> int:
    from workers.local import run_with

    return run_with(arguments.command, arguments.folder)


def _alive(arguments: argparse.Namespace) -> int:
    from docpipe.ledger import is_alive
    from workers.process import host, ledger

    return 0 if is_alive(ledger(), host()) else 1


def _dispatch(arguments: argparse.Namespace) -> int:
    from workers.app import app
    from workers.broker import Broker
    from workers.dispatcher import Dispatcher
    from workers.process import closed_lanes, ledger, make_terms

    log_as_json(logging.INFO)
    settings, stopped = read_settings(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    broker = Broker(app, url=settings.broker, prefix=settings.prefix)
    dispatcher = Dispatcher(ledger(), broker, terms=make_terms(settings), closed=closed_lanes(settings))
    if settings.metrics:
        from workers.metrics import Metrics, serve

        serve(settings.metrics, Metrics(ledger(), broker, dispatcher))
    dispatcher.run(stopped.is_set)
    return 0


if __name__ == "__main__":
    sys.exit(main())
