"""What the commands of the queue share: whose queue it is, and how a line is printed."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from docpipe.commands.messages import one_line
from docpipe.errors import MissingError

if TYPE_CHECKING:
    from docpipe.client import Client
    from docpipe.ledger import JobView


def add_tenant_option(parser: argparse.ArgumentParser) -> None:
    """Whose jobs."""
    parser.add_argument("--tenant", metavar="T", help="whose jobs (default: DOCPIPE_TENANT, or `default`)")


def open_client(arguments: argparse.Namespace) -> Client:
    """The queue of DOCPIPE_LEDGER and DOCPIPE_STORE. Raises MissingError where the extra is not installed."""
    try:
        from docpipe.client import Client
    except ImportError as problem:
        raise MissingError(f"the queue needs {problem.name}", hint="pip install 'docpipe[queue]'") from problem
    return Client.from_settings(tenant=arguments.tenant)


def put(line: str) -> None:
    """A line on standard output, at once."""
    from docpipe.output import write_stdout

    write_stdout(f"{line}\n".encode(errors="backslashreplace"))


def job_line(job: JobView) -> str:
    """A job in one line: id, state, pages done and lost of all, rate, time left, name."""
    total = "?" if job.pages is None else str(job.pages)
    parts = [job.id, job.status or job.state, f"{job.done}/{total}"]
    if job.lost:
        parts.append(f"{job.lost} lost")
    if not job.ended and job.done and job.pages:
        rate = job.done / max(0.001, time.time() - job.created_at)
        parts.append(f"{rate:.1f} pages/s, {(job.pages - job.done) / rate:.0f} s left")
    if job.error_code:
        parts.append(f"{job.error_code}: {job.error}")
    return one_line("  ".join([*parts, f"{job.name} part {job.number}" if job.number else job.name]))
