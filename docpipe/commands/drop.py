"""Delete jobs that have ended: each with its document, all that was read off it, and its result.

docpipe drop JOB ...                  these
docpipe drop --ended-days 30          every one of the tenant's that ended longer ago, however it ended; for a nightly timer
"""

from __future__ import annotations

import argparse

from docpipe.commands.options import positive
from docpipe.commands.queue import add_tenant_option, open_client, put
from docpipe.errors import UsageError

HELP = "delete jobs that have ended, and their files"
DAY = 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("jobs", metavar="JOB", nargs="*", help="the jobs")
    parser.add_argument("--ended-days", metavar="DAYS", help="instead: all that ended longer ago; may be a fraction")
    add_tenant_option(parser)


def main(arguments: argparse.Namespace) -> int:
    """Delete each; one that is still at work is an error."""
    if bool(arguments.jobs) == bool(arguments.ended_days):
        raise UsageError("name the jobs, or --ended-days", hint="docpipe status lists the jobs")
    with open_client(arguments) as client:
        for job in arguments.jobs:
            client.drop(job)
            put(f"{job} deleted")
        if arguments.ended_days:
            put(f"{client.drop_ended(positive('--ended-days', arguments.ended_days, most=36_500) * DAY)} deleted")
    return 0
