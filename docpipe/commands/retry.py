"""Do again what was given up in jobs that have ended: lost pages, a document that could not be opened, a failed merge; then merge and
deliver anew. --pages reads these pages again whatever became of them; --deliver only calls the webhook again."""

from __future__ import annotations

import argparse

from docpipe.commands.options import add_password_options, parse_pages, read_password
from docpipe.commands.queue import add_tenant_option, open_client, put

HELP = "do again what was given up in jobs of the queue"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("jobs", metavar="JOB", nargs="+", help="the jobs")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--pages", metavar="17,203", help="read these pages again")
    what.add_argument("--deliver", action="store_true", help="only deliver the outcome again")
    add_tenant_option(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Retry each."""
    from docpipe.settings import read_settings

    pages = parse_pages(arguments.pages, most=read_settings().max_pages)
    password = read_password(arguments)
    with open_client(arguments) as client:
        for job in arguments.jobs:
            if arguments.deliver:
                put(f"{job} {'is delivered again' if client.redeliver(job) else 'has no webhook'}")
            else:
                put(f"{job} {client.retry(job, pages=pages, password=password)} pages again")
    return 0
