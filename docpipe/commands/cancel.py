"""Stop jobs. What they have read stays until `docpipe quarantine drop JOB`; `docpipe retry JOB` goes on with it."""

from __future__ import annotations

import argparse

from docpipe.commands.queue import add_tenant_option, open_client, put

HELP = "stop jobs of the queue"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("jobs", metavar="JOB", nargs="+", help="the jobs")
    add_tenant_option(parser)


def main(arguments: argparse.Namespace) -> int:
    """Cancel each; one that has ended already is left as it is."""
    with open_client(arguments) as client:
        for job in arguments.jobs:
            put(f"{job} {'cancelled' if client.cancel(job) else 'had ended already'}")
    return 0
