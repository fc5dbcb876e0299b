"""Index documents, to be found by `docpipe search`: their words, what their results say and, with --looks, what their pages look like.

docpipe index FILE...                              the words
docpipe index FILE... --results OUT                and the fields of their results: a folder of `docpipe batch`, or files of results
docpipe index --jobs                               every job of the queue that has a result and is not indexed yet
docpipe index --drop WHAT                          forget a document, by its file or its sha256, or what a job holds
docpipe index --status                             what there is
docpipe index --rebuild                            anew from the words that are in it; looks are forgotten

What is in the index already is not read again. Each document is there whole or not at all, however a call ends.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import one_line, tell
from docpipe.commands.options import (
    add_index_options,
    add_password_options,
    add_word_options,
    read_embedder,
    read_password,
    read_words_request,
)
from docpipe.commands.queue import open_client, put
from docpipe.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from docpipe.indexing import Indexer
    from docpipe.search import Index
    from docpipe.settings import Settings

HELP = "index documents for search"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="documents")
    parser.add_argument("--results", metavar="PATH", type=Path, action="append", default=[], help="results, in a folder or a file")
    parser.add_argument("--jobs", action="store_true", help="every job of the queue that has a result")
    parser.add_argument("--drop", metavar="WHAT", action="append", default=[], help="FILE, SHA256 or JOB; may be repeated")
    parser.add_argument("--status", action="store_true", help="say what there is")
    parser.add_argument("--rebuild", action="store_true", help="index anew what is in the index")
    add_index_options(parser)
    add_word_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Do what is asked, in the order: rebuild, drop, index, status."""
    from docpipe.search import open_index
    from docpipe.settings import read_settings

    if not (arguments.files or arguments.jobs or arguments.drop or arguments.status or arguments.rebuild):
        raise UsageError("nothing to do", hint="name documents, or --jobs, --drop, --status or --rebuild")
    settings = read_settings()
    tenant = arguments.tenant or settings.tenant
    index = open_index(arguments.index or settings.index, create=bool(arguments.files or arguments.jobs), stale=arguments.rebuild)
    try:
        if arguments.rebuild:
            put(f"{index.rebuild()} pages indexed anew")
        codes = [_tried(partial(_drop, index, what, tenant), what, arguments) for what in arguments.drop]
        if arguments.files or arguments.jobs:
            codes += _index(index, arguments, settings, tenant)
        if arguments.status:
            _say_status(index, tenant)
    finally:
        index.close()
    return next((code for code in codes if code), 0)


def _index(index: Index, arguments: argparse.Namespace, settings: Settings, tenant: str) -> list[int]:
    """The exit code of each document."""
    from docpipe.indexing import Indexer
    from docpipe.results import Results

    request, password = read_words_request(arguments, settings), read_password(arguments)
    results = Results(arguments.results)
    indexer = Indexer(index, request, embedder=read_embedder(arguments, settings), tenant=tenant)
    codes = [_tried(partial(indexer.add_file, path, results=results, password=password), path.name, arguments) for path in arguments.files]
    return codes + (_index_jobs(index, indexer, arguments, tenant) if arguments.jobs else [])


def _index_jobs(index: Index, indexer: Indexer, arguments: argparse.Namespace, tenant: str) -> list[int]:
    indexed = index.jobs(tenant=tenant)
    with open_client(arguments) as client:
        waiting = [job for job in client.finished() if not indexer.is_done(job, indexed)]
        codes = [_tried(partial(client.index, job, indexer), f"{job.id} {job.name}", arguments) for job in waiting]
    put(f"{len(waiting)} jobs were not indexed yet")
    return codes


def _tried(do: Callable[[], str], what: str, arguments: argparse.Namespace) -> int:
    """Do it and say what became of it; what fails does not stop the others."""
    try:
        put(one_line(f"{what}: {do()}"))
    except Exception as problem:
        return tell(problem, file=what, debug=arguments.debug)
    return 0


def _drop(index: Index, what: str, tenant: str) -> str:
    path = Path(what)
    if path.is_file():
        with path.open("rb") as file:
            dropped = index.drop_document(hashlib.file_digest(file, "sha256").hexdigest(), tenant=tenant)
    else:
        dropped = index.drop_document(what, tenant=tenant) if _SHA256.fullmatch(what) else index.drop_job(what, tenant=tenant)
    if not dropped:
        raise NotFoundError("not in the index", file=what, hint="name a file, a document's sha256 or a job")
    return "dropped"


def _say_status(index: Index, tenant: str) -> None:
    found = index.figures(tenant=tenant)
    put(f"documents  {found.documents}")
    put(f"pages      {found.pages}, {found.looks} of them with a look")
    put(f"bytes      {found.size}, of all tenants")
    put(one_line(f"embedder   {found.embedder or 'none'}"))
