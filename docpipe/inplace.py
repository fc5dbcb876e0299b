"""The steps for documents that stay where they are: one folder of this machine, read for whoever asks. Knows no order of items.

What the queue keeps in its store for a job lies elsewhere here: the document in the folder, its password in memory, its intermediates
where the caller wants to see them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from pydantic import BaseModel

from docpipe.allowed import Everything
from docpipe.choosing import is_sorted, read_choice
from docpipe.errors import LedgerError
from docpipe.ledger import Hint, Ledger, Work, open_ledger
from docpipe.ledger.claim import TERMS
from docpipe.preprocess import warm_up
from docpipe.records import Record, SchemaRef
from docpipe.request import Request
from docpipe.source import is_plain, printable
from docpipe.steps import Steps
from docpipe.store import Store
from docpipe.workspace import Workspace, claimed

WHOLE = 100  # pages up to which a document is read through; longer ones go on page by page where they were cut short
IN_PLACE = TERMS.model_copy(update={"transients": 3})  # memory and disk do not come back by waiting for long


class Place(Record):
    """What a child process needs to know. `work` is where every intermediate is kept; the password stays in memory. Documents of more than
    `whole` pages go page by page."""

    ledger: str
    store: Path
    folder: Path
    scratch: Path
    request: Request
    work: Path | None = None
    password: str | None = None
    debug: bool = False
    whole: int = WHOLE


def source_of(path: Path, folder: Path) -> str:
    """How a job names a file of the folder: by its path below it, which may be any bytes, as the path of a URL."""
    return quote(os.fsencode(path.relative_to(folder)))


class InPlace(Steps):
    """The steps in one child process."""

    def __init__(self, ledger: Ledger, place: Place) -> None:
        """Loads what the request names. Raises UsageError, EngineError or MissingError."""
        request = place.request
        super().__init__(
            ledger,
            Store(str(place.store)),
            allowed=Everything(),
            cache=request.cache,
            terms=IN_PLACE,
            whole=place.whole,
            model=request.model,
            checkpoints=request.checkpoints,
        )
        self._place = place
        self._choice = read_choice(request.schema_name)  # by its whole reference; a job has the base name of its file
        self.engines(request.options)
        self.ocr(request.options.ocr)
        if is_sorted(request.schema_name, request.options):
            self.sorter_for(request.schema_name, request.options)

    def schema(self, item: Work) -> type[BaseModel]:
        return self._choice.schema(item.spec.reads)

    def reference(self, ref: SchemaRef) -> str:
        return self._place.request.schema_name

    def source(self, item: Work) -> Path:
        path = self._place.folder / _below(item)
        if is_plain(path):
            return path
        link = self._place.scratch / item.job
        with contextlib.suppress(FileExistsError):
            link.symlink_to(path.resolve())
        return link

    def password(self, item: Work) -> str | None:
        return self._place.password

    @contextlib.contextmanager
    def space(self, item: Work) -> Iterator[Workspace]:
        if self._place.work is None:
            with super().space(item) as space:
                yield space
            return
        folder = self._place.work / printable(_below(item))
        if item.spec.route and item.spec.route.part:
            folder /= str(item.spec.route.part.number)
        yield claimed(folder, self.job(item)) if item.kind == "prepare" else Workspace(folder)


def make_worker(place: Place) -> Callable[[Hint], str]:
    """In the child: the models once, then one item after the other. Its answer is what is wrong with the ledger, or nothing."""
    # What goes wrong with a page is in its result; lines from many processes at once would only tear the progress bar.
    logging.basicConfig(level=logging.WARNING, format="docpipe: %(process)d: %(message)s")
    logging.getLogger("docpipe").setLevel(logging.DEBUG if place.debug else logging.CRITICAL)
    tempfile.tempdir = str(place.scratch)  # a child that is killed leaves its workspace where the parent clears up
    warm_up()
    steps = InPlace(open_ledger(place.ledger), place)

    def work(hint: Hint) -> str:
        try:
            steps.do(hint, owner=str(os.getpid()))
        except LedgerError as problem:
            return problem.message
        return ""

    return work


def _below(item: Work) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(item.spec.source)))
