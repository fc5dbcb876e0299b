"""What MuPDF makes of one page: its size and its text, each worked out once, and a small picture of it. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.sheet import Box

# No clip: text outside the page box is counted, then dropped. Images are only listed, not decoded. A character that the file does not
# map to Unicode comes as U+FFFD, not as the number of its glyph, which would look like text.
FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_PRESERVE_IMAGES
GRAY = pymupdf.csGRAY.this


class Content:
    """One page as its rotation stands; another rotation is another Content. Sizes in points of the upright page."""

    def __init__(self, page: Any) -> None:
        self.page = page
        # Kept, as PyMuPDF works each of them out anew at every look.
        rect = page.rect
        self.width, self.height = float(rect.width), float(rect.height)
        self.rotation = int(page.rotation)
        self.turn = Turn(page.rotation_matrix if self.rotation else None)

    @cached_property
    def textpage(self) -> Any:
        """The page's text as MuPDF groups it, in unrotated points. Not by way of a display list, which loses blanks that are clipped."""
        return self.page.get_textpage(flags=FLAGS)

    def gray(self, dpi: int) -> Any:
        """A gray pixmap of the upright page. Drawn at once, where PyMuPDF goes by a display list, which costs a quarter more."""
        mupdf, scale = pymupdf.mupdf, dpi / 72
        pixmap = mupdf.fz_new_pixmap_from_page(mupdf.FzPage(self.page.this), mupdf.FzMatrix(scale, 0, 0, scale, 0, 0), GRAY, 0)
        return pymupdf.Pixmap("raw", pixmap)


class Turn:
    """Takes boxes from MuPDF's unrotated space to the upright page."""

    def __init__(self, matrix: Any | None) -> None:
        """`matrix` is the page's rotation matrix, None for a page that is not rotated."""
        self.still = matrix is None
        self._matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0) if matrix is None else tuple(matrix)

    def words(self, found: Iterable[Any]) -> Iterator[Any]:
        """MuPDF's words with their boxes turned."""
        return ((*self.box(word[:4]), *word[4:]) for word in found)

    def point(self, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = self._matrix
        return a * x + c * y + e, b * x + d * y + f

    def box(self, box: Any) -> Box:
        """A box on the upright page."""
        x0, y0, x1, y1 = box[0], box[1], box[2], box[3]
        if self.still:
            return x0, y0, x1, y1
        (x0, y0), (x1, y1) = self.point(x0, y0), self.point(x1, y1)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def direction(self, x: float, y: float) -> tuple[int, int]:
        """A direction on the upright page, to the nearest axis."""
        a, b, c, d, _, _ = self._matrix
        return round(a * x + c * y), round(b * x + d * y)
