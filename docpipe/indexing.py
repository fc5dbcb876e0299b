"""Documents and jobs -> entries of a search index: words, looks, and what results say. Knows the order of the steps.

Words are read as the pipeline reads them; those of a job are what its items left in the store, where they did.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docpipe import ledger as book
from docpipe.allowed import Allowed
from docpipe.artifacts import PageWords
from docpipe.errors import DocpipeError, FailedError
from docpipe.extract.vlm.image import page_image
from docpipe.ledger import JobView, Ledger
from docpipe.looks import Embedder, embedder_class
from docpipe.pipeline import read_page_words
from docpipe.preprocess import identify, preprocess, render
from docpipe.records import NO_SCHEMA, Document, Job, Page, ReadOptions, Result, Words
from docpipe.request import Request
from docpipe.results import Results
from docpipe.search import Added, Entry, Index, PageEntry, facts_of
from docpipe.source import readable
from docpipe.store import Store
from docpipe.words import OcrEngine, load_ocr, load_words
from docpipe.workspace import Workspace, temporary

log = logging.getLogger(__name__)


def load_embedder(reference: str, checkpoints: Mapping[str, str]) -> Embedder | None:
    """The embedder that `reference` names: `NAME` with the checkpoint of that name, or `NAME=CHECKPOINT`; None where it is empty. Raises
    UsageError, and MissingError where it cannot be had."""
    name, _, checkpoint = reference.partition("=")
    return embedder_class(name)(checkpoint or checkpoints.get(name, "")) if name else None


class Indexer:
    """Puts documents into an index, for one tenant. What is there already is not read again."""

    def __init__(self, index: Index, request: Request, *, embedder: Embedder | None = None, tenant: str = "default") -> None:
        """Of `request` count the OCR engine, the languages, the dpi, the formats and the limits."""
        self._index = index
        self._request = request
        self._embedder = embedder
        self._tenant = tenant
        self._ocr: dict[str, OcrEngine] = {}

    def add_file(self, path: Path, *, results: Results | None = None, password: str | None = None) -> Added:
        """Index a document with what its result among `results` says; where there is none, what an earlier one said stays. Raises
        DocumentError where it cannot be opened, and what an index raises."""
        options = self._request.options
        with readable(path) as source:
            document = identify(source, self._request.limits, formats=options.formats)
            known = self._index.known(document.sha256, tenant=self._tenant)
            result = results.of(document.sha256) if results else None
            facts = facts_of(result) if result else (known and known.facts) or ()
            pages: Sequence[PageEntry] = ()
            if known is None or not known.is_read(looks=self._embedder is not None):
                document, pages = self._read(source, document, options, password=password)
        return self._add(document, path.name, pages, facts=facts)

    def add_job(self, job: JobView, ledger: Ledger, store: Store, *, allowed: Allowed | None = None) -> Added:
        """Index the document of a job with what its result says. Raises FailedError where it has none, NotFoundError where its files are
        gone, and DocumentError where the document has to be opened again and cannot be."""
        if job.result is None:
            raise FailedError("the job has no result", file=job.name, hint="docpipe status tells more")
        result = Result[Any].model_validate_json(store.read(job.result))
        document, pages = result.document, _stored(ledger, store, job.id)
        known = self._index.known(document.sha256, tenant=self._tenant, holder=job.id)
        if known is not None and known.is_read(looks=self._embedder is not None):
            pages = []
        elif self._embedder or not pages:
            spec = book.spec_of(ledger, job.id)
            words = {page.words.page: page.words for page in pages}
            with _fetched(store, spec.source) as source:
                options = (allowed or Allowed()).options(spec.options)
                document, pages = self._read(source, spec.document, options, words=words)
        return self._add(document, job.name, pages, facts=facts_of(result, sha256=job.result_sha256), holder=job.id)

    def is_done(self, job: JobView, indexed: Mapping[str, tuple[str, str]]) -> bool:
        """Whether nothing of the job is missing in the index; `indexed` is what `Index.jobs` says."""
        sha256, result = indexed.get(job.id, ("", ""))
        known = self._index.known(sha256, tenant=self._tenant) if result == job.result_sha256 else None
        return known is not None and known.is_read(looks=self._embedder is not None)

    def _add(self, document: Document, name: str, pages: Sequence[PageEntry], **more: Any) -> Added:
        named = document.model_copy(update={"name": name})
        identity = self._embedder.identity if self._embedder else None
        return self._index.add(Entry(document=named, pages=tuple(pages), tenant=self._tenant, embedder=identity, **more))

    def _read(
        self,
        source: Path,
        document: Document,
        options: ReadOptions,
        *,
        words: Mapping[int, Words] | None = None,
        password: str | None = None,
    ) -> tuple[Document, list[PageEntry]]:
        """The document as it was opened, and its pages, those with `words` not read again. A page that fails is left out, to be tried
        again by the next call; a document without pages has an empty page 0."""
        limits = self._request.limits
        with temporary() as space:
            job = Job(id="index", source=source, document=document, schema_ref=NO_SCHEMA, options=options)
            job, pages = preprocess(job, space=space, limits=limits, password=password)
            for page in pages:
                if words and page.number in words:
                    space.save(space.page(page.number, "words.json"), words[page.number])
            read = [self._page(page, job, space, password) for page in pages]
        entries = [entry for entry in read if entry] if pages else [PageEntry(Words(page=0, width=0, height=0, source="none"))]
        return job.document, entries

    def _page(self, page: Page, job: Job, space: Workspace, password: str | None) -> PageEntry | None:
        page = read_page_words(page, job=job, ocr=self._load_ocr(job.options.ocr), space=space)
        if page.status == "failed":
            log.warning("%s: page %d is not indexed: %s", job.source.name, page.number, page.error)
            return None
        words = load_words(page, space) or Words.none(page)
        if self._embedder is None:
            return PageEntry(words)
        try:
            drawn = render(page, job=job, space=space, limits=self._request.limits, password=password)
        except DocpipeError as problem:
            log.warning("%s: page %d cannot be drawn: %s", job.source.name, page.number, problem.message)
            return PageEntry(words)
        return PageEntry(words, self._embedder.images([page_image(drawn, space)])[0])

    def _load_ocr(self, name: str) -> OcrEngine:
        if name not in self._ocr:
            self._ocr[name] = load_ocr(name, cache=self._request.cache)
        return self._ocr[name]


def picture_of(path: Path, request: Request, *, password: str | None = None) -> Any:
    """The file's first page as an index looks at pages, an RGB image. Raises DocumentError or PageError."""
    with readable(path) as source, temporary() as space:
        document = identify(source, request.limits, formats=request.options.formats)
        options = request.options.model_copy(update={"pages": (1,)})
        job = Job(id="like", source=source, document=document, schema_ref=NO_SCHEMA, options=options)
        job, pages = preprocess(job, space=space, limits=request.limits, password=password)
        return page_image(render(pages[0], job=job, space=space, limits=request.limits, password=password), space)


def _stored(ledger: Ledger, store: Store, job: str) -> list[PageEntry]:
    """The pages whose words the job's items have left in the store."""
    items = book.items(ledger, job, kinds=("words",), states=("done",))
    kept = [PageWords.model_validate_json(store.read(item.artifact)) for item in items if item.artifact]
    return [PageEntry(one.words or Words.none(one.page)) for one in kept if one.page.status != "failed"]


@contextlib.contextmanager
def _fetched(store: Store, name: str) -> Iterator[Path]:
    """A file of the store as a local one."""
    with tempfile.TemporaryDirectory(prefix="docpipe-index-") as folder:
        yield store.fetch(name, Path(folder) / "source")
