"""PDF, through PyMuPDF. Knows the order of the questions asked of a page; each is answered by a module of `preprocess.pdf`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docpipe.errors import PageError, TooLargeError
from docpipe.preprocess.formats import Format
from docpipe.preprocess.sheet import Bounds, Raster, Sheet

MAGIC_WITHIN = 1024  # readers accept junk of this length before the magic
LEAST_POINTS = 3.0


class Pdf(Format):
    """One open PDF."""

    @staticmethod
    def media_type(head: bytes) -> str | None:
        return "application/pdf" if b"%PDF-" in head[:MAGIC_WITHIN] else None

    def __init__(self, path: Path, *, password: str | None, bounds: Bounds) -> None:
        from docpipe.preprocess.pdf import document

        self._bounds = bounds
        self._document, locked = document.open_pdf(path, password)
        self._password = password if locked else None
        self._pages = document.count_pages(self._document)
        if self._pages > bounds.pages:
            raise TooLargeError(f"{self._pages} pages, the limit is {bounds.pages} (DOCPIPE_MAX_PAGES)")
        self._has_fields = self._document.is_form_pdf is not False  # 0 is a form too
        document.check_pages(self._document, self._pages, path, password)

    @property
    def pages(self) -> int:
        return self._pages

    @property
    def repaired(self) -> bool:
        return bool(self._document.is_repaired)

    def sheet(self, number: int) -> Sheet:
        from docpipe.preprocess.pdf.facts import read_sheet

        with _as_it_was(self._page(number)) as page:
            return read_sheet(page, has_fields=self._has_fields)

    def raster(self, number: int, *, dpi: float, turn: int) -> Raster:
        from docpipe.preprocess.pdf.render import render_page

        with _as_it_was(self._page(number)) as page:
            page.set_rotation(turn)
            return render_page(page, dpi=dpi, pixels=self._bounds.pixels)

    def einvoice(self) -> bytes | None:
        from docpipe.preprocess.pdf.attachments import find_einvoice

        return find_einvoice(self._document)

    def copy_pages(self, numbers: Sequence[int], target: Path) -> None:
        """Without what belongs to the whole file; locked with its password where it is locked."""
        from docpipe.preprocess.pdf.excerpt import write_excerpt

        write_excerpt(self._document, numbers, target, password=self._password)

    def close(self) -> None:
        from docpipe.preprocess.pdf.document import close_pdf

        close_pdf(self._document)

    def _page(self, number: int) -> Any:
        from docpipe.preprocess.pdf.document import check_content

        page = self._document[number - 1]
        check_content(self._document, page)
        rect = page.rect
        if min(rect.width, rect.height) < LEAST_POINTS:
            raise PageError(f"page {number} has no size", page=number)
        return page


@contextlib.contextmanager
def _as_it_was(page: Any) -> Iterator[Any]:
    """The page, which the block may turn: turning it changes the document."""
    rotation = page.rotation
    try:
        yield page
    finally:
        if page.rotation != rotation:
            page.set_rotation(rotation)
