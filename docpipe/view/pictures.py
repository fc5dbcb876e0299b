"""What a result's pages look like: from the workspace of its run, or from the document itself. Checks that they belong to the result."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path
from typing import Any, Literal, cast

import cv2
import numpy as np

from docpipe.errors import DeadlineError, MismatchError, NotFoundError, PageError, ResourceError
from docpipe.limits import Limits
from docpipe.preprocess import identify, render
from docpipe.records import Job, Page, PageSummary, Readings, ReadOptions, Result, Words
from docpipe.view.model import Picture
from docpipe.workspace import Workspace, temporary

MOST_PAGES = 200  # with a picture: about 100 kB each, so that a browser still opens the page
WIDTH = 1300  # pixels: sharp on the widest sheet that the page shows
QUALITY = 60
DPI = 130


def pictures_of_work(folder: Path, result: Result[Any]) -> dict[int, Picture]:
    """Pictures of the pages from a `--work` folder: their images or, where a page needed none, their words.

    Raises NotFoundError, and MismatchError where the folder is of another document.
    """
    if not folder.is_dir():
        raise NotFoundError("no such folder", file=folder.name, hint="give the --work folder of the run")
    space = Workspace(folder)
    _check(_document_of(space), result, folder.name)
    return {page.number: _from_space(space, page) for page in _worth_showing(result)}


def pictures_of_document(path: Path, result: Result[Any], *, limits: Limits, password: str | None = None) -> dict[int, Picture]:
    """Pictures drawn from the document now, turned and straightened as the result says; a page that cannot be drawn has none.

    Raises MismatchError where it is another document, DocumentError where it cannot be opened.
    """
    document = identify(path, limits)
    _check(document.sha256, result, path.name)
    job = Job(id="view", source=path, document=document, schema_ref=result.schema_ref, options=ReadOptions(dpi=DPI))
    with temporary() as space:
        return {page.number: _drawn(page, job, space, limits, password) for page in _worth_showing(result) if page.status != "failed"}


def _worth_showing(result: Result[Any]) -> list[PageSummary]:
    """As many pages as a browser takes; those that a field stands on come first."""
    wanted = {found.page for found in result.fields}
    return sorted(result.pages, key=lambda page: (page.number not in wanted, page.number))[:MOST_PAGES]


def _document_of(space: Workspace) -> str | None:
    """The hash of the document that was read in this workspace."""
    with contextlib.suppress(OSError, ValueError):
        return space.load(space.path("job.json"), Job).document.sha256
    with contextlib.suppress(OSError, ValueError):
        return space.load(space.path("readings.json"), Readings).job.document.sha256
    return None


def _check(sha256: str | None, result: Result[Any], name: str) -> None:
    if sha256 is None:
        raise MismatchError("not the --work folder of a run", file=name)
    if sha256 != result.document.sha256:
        raise MismatchError(
            f"the result is of another document, {result.document.name}", file=name, hint="give the document it was made from"
        )


def _from_space(space: Workspace, page: PageSummary) -> Picture:
    for kind in ("jpg", "png", "webp"):
        path = space.page(page.number, kind)
        if path.is_file() and (image := _data_uri(path)):
            return Picture(image=image)
    with contextlib.suppress(OSError, ValueError):
        return Picture(words=space.load(space.page(page.number, "words.json"), Words).words)
    return Picture()


def _drawn(page: PageSummary, job: Job, space: Workspace, limits: Limits, password: str | None) -> Picture:
    """A page that cannot be drawn is an empty frame, as it is in the result; a document that cannot be opened is the caller's to tell."""
    turned = cast(Literal[0, 90, 180, 270], page.rotation)
    wanted = Page(number=page.number, width=page.width, height=page.height, rotation=turned, skew=page.skew, status=page.status)
    try:
        drawn = render(wanted, job=job, space=space, limits=limits, password=password, dpi=DPI)
    except (PageError, DeadlineError, ResourceError):
        return Picture()
    return Picture(image=_data_uri(space.path(drawn.image)) if drawn.image else None)


def _data_uri(path: Path) -> str | None:
    """The image, no wider than is shown, as WebP; None where it is not an image."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    if pixels.shape[1] > WIDTH:
        pixels = cv2.resize(pixels, (WIDTH, round(pixels.shape[0] * WIDTH / pixels.shape[1])), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()
