"""Read every file below DIR, and go on where an earlier call stopped.

OUT gets NAME.json for every file NAME (folders kept), and from all of them results.jsonl, results.csv with one results.LIST.csv for each
list, and results.xlsx. A file is done when its result is whole and was made from the same content, schema and options; the next call
does the rest, and tries again what failed or ran out of time or memory. A file that cannot be read is a line of errors.jsonl and of the
summary, and never stops the others. Hidden files are passed over, linked folders read once; --only '*.pdf' passes over all others.

What is done is written into a ledger, as the queue does: OUT/.docpipe/ledger.sqlite. A document whose process dies is tried again alone and
page by page, so that a page that cannot be read is a hole in the result; one of more than 100 pages goes on at the page where it was cut
short. DOCPIPE_LEDGER=sqlite:///OUT/.docpipe/ledger.sqlite docpipe status --tenant batch shows each job.

With --provider-batch all that is asked of the model goes to OpenAI's Batch API, which answers within a day. A call that is stopped or
killed meanwhile loses nothing: the next one with the same arguments goes on. See docs/api.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import one_line, say
from docpipe.commands.options import add_password_options, add_reading_options, positive, read_password, read_request, whole_number
from docpipe.errors import IncompleteError

if TYPE_CHECKING:
    from docpipe.batch import Done, Summary

HELP = "read every file of a folder, resumably"
MOST_SHOWN = 20  # files without a usable result that the summary names; errors.jsonl has all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of documents, with all its folders")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the results")
    parser.add_argument("--only", metavar="GLOB", action="append", default=[], help="only files like this, '*.pdf'; may be repeated")
    parser.add_argument("--jobs", metavar="N", help="processes that read at the same time (default: one per CPU)")
    parser.add_argument(
        "--timeout", metavar="SECONDS", default="3600", help="the most a document, or a page of a long one, may take (default: 3600)"
    )
    parser.add_argument("--work", metavar="DIR", type=Path, help="keep words, images and readings in DIR/NAME")
    parser.add_argument("--sink", metavar="NAME", action="append", default=[], help="a further sink for all results; may be repeated")
    parser.add_argument("--provider-batch", action="store_true", help="have the model's provider answer within a day, at half the price")
    parser.add_argument("--look", metavar="SECONDS", default="30", help="time between two looks at the provider's batches (default: 30)")
    parser.add_argument("--progress", action="store_true", help="show progress even where stderr is no terminal")
    add_reading_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Read the folder."""
    from docpipe.batch import Batch
    from docpipe.output import write_stdout
    from docpipe.settings import read_settings
    from docpipe.shelf import Shelf

    batch = Batch(
        shelf=Shelf(arguments.folder, arguments.out, skip=[arguments.work] if arguments.work else [], only=arguments.only),
        request=read_request(arguments, read_settings()),
        jobs=whole_number("--jobs", arguments.jobs, least=1, most=1024) if arguments.jobs else len(os.sched_getaffinity(0)),
        seconds=positive("--timeout", arguments.timeout, most=10_000_000),
        work=arguments.work,
        password=read_password(arguments),
        sinks=("jsonl", "table", *arguments.sink),
        debug=arguments.debug,
        look=positive("--look", arguments.look, most=86_400) if arguments.provider_batch else None,
    )
    with Progress(shown=arguments.progress or (sys.stderr.isatty() and not arguments.quiet)) as progress:
        summary = batch.run(started=progress.start, told=progress.step, waits=_silent if arguments.quiet else progress.wait)
    if not arguments.quiet:
        if not summary.documents:
            say(one_line(f"docpipe: warning: {arguments.folder.name}: {_nothing(arguments.only)}; nothing was read"))
        write_stdout("".join(f"{line}\n" for line in _table(summary)).encode())
    return _verdict(summary, arguments)


def _nothing(only: list[str]) -> str:
    if not only:
        return "the folder holds no files that are not hidden"
    return f"no file matches {' or '.join(f'--only {pattern!r}' for pattern in only)}"


def _verdict(summary: Summary, arguments: argparse.Namespace) -> int:
    without = len(summary.errors) + len(summary.failed)
    if without:
        raise IncompleteError(f"{without} of {summary.documents} documents have no usable result", file=arguments.folder.name)
    return 0


def _silent(where: str) -> None:
    return None


class Progress:
    """A bar on stderr with rate and time left, or nothing."""

    def __init__(self, *, shown: bool) -> None:
        from tqdm import tqdm

        self._bar = tqdm(disable=not shown, unit="doc", file=sys.stderr, dynamic_ncols=True, smoothing=0.05)
        self._errors = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def start(self, documents: int, kept: int) -> None:
        """Say how many files there are, and how many of them are done already."""
        self._bar.reset(total=documents)
        self._bar.initial = kept
        self._bar.n = kept
        self._bar.refresh()

    def step(self, done: Done) -> None:
        """One more file."""
        if done.error:
            self._errors += 1
            self._bar.clear()
            say(one_line(f"docpipe: error: {done.error}"))
        self._bar.set_postfix_str(f"{self._errors} errors" if self._errors else "", refresh=False)
        self._bar.update()

    def wait(self, where: str) -> None:
        """What the documents that wait are waiting for."""
        if where:
            self._bar.clear()
            say(one_line(f"docpipe: {where}"))


def _table(summary: Summary) -> Iterator[str]:
    for status in ("accepted", "review", "failed"):
        yield f"{status:<12}{summary.statuses[status]:>9}"
    yield f"{'errors':<12}{len(summary.errors):>9}"
    yield f"{'documents':<12}{summary.documents:>9}   {summary.kept} of them done before"
    rate = f"   {summary.new_pages} read now in {summary.seconds:.1f} s, {summary.new_pages / max(summary.seconds, 1e-9):.2f} pages/s"
    yield f"{'pages':<12}{summary.pages:>9}{rate}"
    lines = [f"failed: {name}" for name in summary.failed] + [f"{row.code}: {row.file}: {row.message}" for row in summary.errors]
    yield from map(one_line, lines[:MOST_SHOWN])
    if len(lines) > MOST_SHOWN:
        yield f"... and {len(lines) - MOST_SHOWN} more"
