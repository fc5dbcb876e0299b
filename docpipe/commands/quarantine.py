"""What was given up: pages that failed or killed their process again and again, documents that could not be opened, dead deliveries.

docpipe quarantine ls              one line each
docpipe quarantine show JOB        what happened to a job's items
docpipe quarantine retry JOB       do them again, as `docpipe retry`
docpipe quarantine drop JOB        delete the job, its document and all that was read off it
"""

from __future__ import annotations

import argparse

from docpipe.commands.messages import one_line
from docpipe.commands.queue import add_tenant_option, open_client, put

HELP = "look at what was given up, try it again or delete it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ls|show|retry|drop", required=True)
    every = actions.add_parser("ls", help="all that was given up")
    every.set_defaults(action=_ls)
    for name, action, said in (("show", _show, "a job's items"), ("retry", _retry, "do them again"), ("drop", _drop, "delete the job")):
        one = actions.add_parser(name, help=said)
        one.add_argument("job", metavar="JOB")
        one.set_defaults(action=action)
    for action_parser in actions.choices.values():
        add_tenant_option(action_parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the action."""
    return int(arguments.action(arguments))


def _ls(arguments: argparse.Namespace) -> int:
    with open_client(arguments) as client:
        for job, item in client.given_up(most=100_000):
            put(_line(job, item.kind, item.page, item.error_code, item.error, item.crashes))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    with open_client(arguments) as client:
        for item in client.items(arguments.job):
            put(_line(item.state, item.kind, item.page, item.error_code, item.error, item.crashes))
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    with open_client(arguments) as client:
        put(f"{arguments.job} {client.retry(arguments.job)} pages again")
    return 0


def _drop(arguments: argparse.Namespace) -> int:
    with open_client(arguments) as client:
        client.drop(arguments.job)
    put(f"{arguments.job} deleted")
    return 0


def _line(first: str, kind: str, page: int | None, code: str | None, error: str | None, crashes: int) -> str:
    parts = [first, kind, f"page {page}" if page else "", f"{code}: {error}" if code else "", f"{crashes} crashes" if crashes else ""]
    return one_line("  ".join(part for part in parts if part))
