"""Put documents into the queue: files, every file of a folder, or what lies at an http(s) URL. Prints one line for each: JOB NAME.

Once a line is printed its document is safe: stored, and written into the ledger. The same document with the same schema and options is one
job, however often it is submitted; --idempotency-key says otherwise. Needs no broker and no worker to be running.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import failure_of, one_line, tell
from docpipe.commands.options import add_password_options, add_reading_options, positive, read_password, read_request
from docpipe.commands.queue import add_tenant_option, open_client, put
from docpipe.errors import UsageError
from docpipe.telemetry import start_tracing

if TYPE_CHECKING:
    from docpipe.client import Client

HELP = "put documents into the queue"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("sources", metavar="FILE|DIR|URL", nargs="+", help="what to read")
    parser.add_argument("--idempotency-key", metavar="K", help="jobs of the same key are one; for a single FILE or URL")
    parser.add_argument("--webhook", metavar="URL", help="call this address with the outcome, signed")
    parser.add_argument("--deadline", metavar="SECONDS", help="the most a job may take until it has an outcome")
    parser.add_argument("--wait", action="store_true", help="wait for the outcomes; the exit code is that of the first that failed")
    add_tenant_option(parser)
    add_reading_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Submit each, and go on past those that cannot be."""
    from docpipe.settings import read_settings, sends_traces

    if sends_traces():
        start_tracing()
    request = read_request(arguments, read_settings())
    password = read_password(arguments)
    seconds = positive("--deadline", arguments.deadline, most=31_536_000) if arguments.deadline else None
    sources = list(_sources(arguments.sources))
    if arguments.idempotency_key and len(sources) != 1:
        raise UsageError("--idempotency-key is for a single document", hint="leave it out: the documents' content is the key")
    jobs, codes = {}, []
    with open_client(arguments) as client:
        for source in sources:
            try:
                job = client.submit(
                    source,
                    request,
                    key=arguments.idempotency_key,
                    webhook=arguments.webhook,
                    password=password,
                    seconds=seconds,
                )
            except Exception as problem:
                codes.append(tell(problem, file=Path(source).name, debug=arguments.debug))
                continue
            jobs[job] = Path(source).name
            put(f"{job} {one_line(jobs[job])}")
        codes += [_outcome(client, job, debug=arguments.debug) for job in jobs] if arguments.wait else []
    return next((code for code in codes if code), 0)


def _outcome(client: Client, job: str, *, debug: bool) -> int:
    try:
        result = client.wait(job)
    except Exception as problem:
        return tell(problem, debug=debug)
    put(f"{job} {result.status}")
    failure = failure_of(result)
    return tell(failure) if failure else 0


def _sources(given: list[str]) -> Iterator[str]:
    """Every file of a folder, those of hidden names left out, as `docpipe batch` does."""
    for source in given:
        if not Path(source).is_dir():
            yield source
            continue
        for folder, folders, files in os.walk(source):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (str(Path(folder, name)) for name in sorted(files) if not name.startswith("."))
