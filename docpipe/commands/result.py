"""Write the results of jobs as JSON: to standard output, a file or a folder, or into any sink. Without JOB: of all jobs that have one."""

from __future__ import annotations

import argparse
from pathlib import Path

from docpipe.commands.messages import failure_of, tell
from docpipe.commands.queue import add_tenant_option, open_client

HELP = "write the results of jobs of the queue"
MOST = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("jobs", metavar="JOB", nargs="*", help="only these")
    parser.add_argument("--out", metavar="FILE|DIR", type=Path, help="where the JSON goes (default: stdout)")
    parser.add_argument("--sink", metavar="NAME", help="json_file, jsonl, table, module:Class or path.py:Class")
    add_tenant_option(parser)


def main(arguments: argparse.Namespace) -> int:
    """Write each result; a job without one is an error, but does not stop the others."""
    from docpipe.sinks import load_sink

    codes = []
    with open_client(arguments) as client:
        jobs = arguments.jobs or [job.id for job in client.jobs(most=MOST) if job.result]
        usual = "json_file" if len(jobs) == 1 or (arguments.out and arguments.out.is_dir()) else "jsonl"
        with load_sink(arguments.sink or usual, arguments.out) as sink:
            for job in jobs:
                try:
                    result = client.result(job)
                except Exception as problem:
                    codes.append(tell(problem, debug=arguments.debug))
                    continue
                sink.write(result, name=result.document.name)
                failure = failure_of(result)
                codes.append(tell(failure) if failure else 0)
    return next((code for code in codes if code), 0)
