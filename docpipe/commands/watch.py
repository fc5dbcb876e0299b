"""Follow a job until it ends: every event as it happens, then how it stands. Ctrl-C stops the watching, not the job."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from docpipe.commands.options import positive
from docpipe.commands.queue import add_tenant_option, job_line, open_client, put

HELP = "follow a job of the queue until it ends"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("job", metavar="JOB", help="the job")
    parser.add_argument("--timeout", metavar="SECONDS", help="stop watching after so long, with exit code 40")
    parser.add_argument("--json", action="store_true", help="one JSON object an event")
    add_tenant_option(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print the events, and the job at the end; on a terminal, how far it is in between."""
    seconds = positive("--timeout", arguments.timeout, most=31_536_000) if arguments.timeout else None
    with open_client(arguments) as client:
        for event in client.watch(arguments.job, seconds=seconds):
            if arguments.json:
                put(event.model_dump_json())
                continue
            when = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds")
            said = [when, event.type, f"page {event.page}" if event.page else "", event.note or ""]
            put("  ".join(part for part in said if part))
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{job_line(client.job(arguments.job))}\r")
        put(job_line(client.job(arguments.job)))
    return 0
