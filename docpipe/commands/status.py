"""How jobs stand: id, state or status, pages read of all, rate and time left, name. With JOB only those and their parts."""

from __future__ import annotations

import argparse

from docpipe.commands.options import whole_number
from docpipe.commands.queue import add_tenant_option, job_line, open_client, put

HELP = "show how jobs of the queue stand"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("jobs", metavar="JOB", nargs="*", help="only these")
    parser.add_argument("--unfinished", action="store_true", help="only jobs that are at work")
    parser.add_argument("--most", metavar="N", default="20", help="show so many at the most (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_tenant_option(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print one line per job."""
    most = whole_number("--most", arguments.most, least=1, most=100_000)
    with open_client(arguments) as client:
        named = [one for job in arguments.jobs for one in (client.job(job), *client.parts(job))]
        jobs = named or client.jobs(most=most, unfinished=arguments.unfinished)
    for job in jobs:
        put(job.model_dump_json() if arguments.json else job_line(job))
    return 0
