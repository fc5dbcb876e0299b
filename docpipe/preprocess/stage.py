"""The preprocess stage: a file -> its pages, upright, their facts in the workspace. Knows the order of steps, no format, no pixel."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docpipe.errors import DocpipeError, EmptyError, MismatchError, UsageError
from docpipe.limits import Limits
from docpipe.preprocess.client import OpenDocument, Request, open_document
from docpipe.preprocess.sniff import identify_format
from docpipe.records import Job, Page
from docpipe.workspace import Workspace

EINVOICE = "einvoice.xml"
log = logging.getLogger(__name__)


def preprocess(job: Job, *, space: Workspace, limits: Limits, password: str | None = None) -> tuple[Job, list[Page]]:
    """Open the job's file and look at each page: text layer where there is one, an upright image where its words must be read off it.

    Returns the job with `document` filled in, and a page per page of the document (or per page in `job.options.pages`); a page that
    cannot be read is in the list with status `failed` and an error code. Leaves in `space`: `page-0001.layer.json` (a `Words` record) for a
    trusted text layer, `page-0001.jpg` or `.png` for a page that needs OCR, `einvoice.xml` where the file is or carries an e-invoice.

    Raises NotFoundError, UnsupportedError, TooLargeError, EmptyError, DamagedError, PasswordError; DeadlineError or ResourceError when
    opening takes too much; MismatchError when the file is no longer the one that the job names. Each names the file.
    """
    with _opened(job, limits, password, einvoice=space.path(EINVOICE)) as (opened, job):
        pages = [_page(opened, number, job=job, space=space, limits=limits) for number in _numbers(job)]
    return job, pages


def survey(job: Job, *, space: Workspace, limits: Limits, password: str | None = None) -> tuple[Job, list[int]]:
    """Open the file and look at no page: the job with `document` filled in, and the numbers of the pages to read. Leaves `einvoice.xml` as
    `preprocess` does, and raises the same."""
    with _opened(job, limits, password, einvoice=space.path(EINVOICE)) as (_, job):
        return job, _numbers(job)


@contextlib.contextmanager
def _opened(job: Job, limits: Limits, password: str | None, *, einvoice: Path | None = None) -> Iterator[tuple[OpenDocument, Job]]:
    """The job's file, open, and the job with what is now known of its document.

    Its hash is that of the file before and after it was opened, so that no other one was. To ask twice costs little (`identify_format`)."""
    reference, document = identify_format(job.source, limits, job.options.formats)
    if job.document.sha256 and job.document.sha256 != document.sha256:
        raise MismatchError("the file has changed since the job was made", file=document.name)
    with open_document(Request(job.source, reference, password, einvoice), limits) as opened:
        if identify_format(job.source, limits, job.options.formats)[1].sha256 != document.sha256:
            raise MismatchError("the file has changed while it was opened", file=document.name)
        if opened.pages == 0 and not opened.einvoice:
            raise EmptyError("the document has no pages", file=document.name)
        document = document.model_copy(update={"pages": opened.pages, "repaired": opened.repaired})
        yield opened, job.model_copy(update={"document": document})


def render(page: Page, *, job: Job, space: Workspace, limits: Limits, password: str | None = None, dpi: float | None = None) -> Page:
    """The page with an image, made now if it has none (a trusted text layer needs none, a blank page neither).

    At `dpi` or the job's; the image is turned and straightened as the page is, so all its boxes hold on it. Raises DocumentError,
    MismatchError, PageError, DeadlineError or ResourceError.
    """
    if page.image is not None and dpi is None:
        return page
    from docpipe.preprocess.image import place

    with (
        _named(job.source),
        _opened(job, limits, password) as (opened, _),
        _raster(opened, page.number, dpi=dpi or job.options.dpi, turn=page.rotation, space=space) as (path, facts),
    ):
        return place(path, facts["dpi"], page, space=space, clean=facts["clean"])


def copy_pages(job: Job, numbers: Sequence[int], target: Path, *, limits: Limits, password: str | None = None) -> None:
    """Write these pages of the job's file to `target`, as they are, as a file of the same kind. A PDF that needs a password gives one that
    needs the same. Raises UnsupportedError where the format cannot, MismatchError where the file has changed, and what opening it does."""
    with _named(job.source), _opened(job, limits, password) as (opened, _):
        opened.copy(numbers, target=target)


def _numbers(job: Job) -> list[int]:
    wanted, count = job.options.pages, job.document.pages
    beyond = [number for number in wanted if not 1 <= number <= count]
    if beyond:
        raise UsageError(f"there is no page {beyond[0]}, the document has {count}", hint="give page numbers from 1 on")
    return sorted(set(wanted)) if wanted else list(range(1, count + 1))


def _page(opened: OpenDocument, number: int, *, job: Job, space: Workspace, limits: Limits) -> Page:
    """One page; whatever goes wrong with it stays with it."""
    facts: dict[str, Any] = {"width": 0.0, "height": 0.0}
    try:
        facts = opened.sheet(number, layer=space.page(number, "layer.json"))
        page = Page(
            number=number,
            width=facts["width"],
            height=facts["height"],
            status="blank" if facts["blank"] else "done",
            rotation=facts["rotation"],
            text_layer=facts["layer"],
            text_layer_reason=facts["reason"],
            image_boxes=tuple(tuple(box) for box in facts["image_boxes"]),
        )
        return _with_image(opened, page, job=job, space=space) if facts["needs_image"] else page
    except DocpipeError as problem:
        log.warning("%s: page %d: %s", job.source.name, number, problem.message)
        return Page(number=number, width=facts["width"], height=facts["height"], status="failed", error=problem.code)


def _with_image(opened: OpenDocument, page: Page, *, job: Job, space: Workspace) -> Page:
    from docpipe.preprocess.image import place, straighten

    with _raster(opened, page.number, dpi=job.options.dpi, turn=page.rotation, space=space) as (path, facts):
        # The coordinates of a text layer rule its page; only a page without one may be turned and straightened.
        finish = place if page.text_layer == "partial" else straighten
        return finish(path, facts["dpi"], page, space=space, clean=facts["clean"])


@contextlib.contextmanager
def _raster(opened: OpenDocument, number: int, *, dpi: float, turn: int, space: Workspace) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The page's raw pixels in a file that is gone afterwards."""
    path = space.page(number, "raster.npy")
    try:
        yield path, opened.raster(number, dpi=dpi, turn=turn, target=path)
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _named(source: Path) -> Iterator[None]:
    """Errors from inside the block name the file."""
    try:
        yield
    except DocpipeError as problem:
        problem.file = problem.file or source.name
        raise
