"""A PDF page -> its pixels: the stored scan where the page is one, else drawn by MuPDF at a resolution that the pixel limit allows."""

from __future__ import annotations

import math
from typing import Any

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.pdf.scan import embedded_scan
from docpipe.preprocess.pdf.text import hidden_boxes, read_text
from docpipe.preprocess.sheet import Raster

LEAST_DPI = 2.0


def render_page(page: Any, *, dpi: float, pixels: int) -> Raster:
    """The page as its rotation stands, gray or RGB."""
    content = Content(page)
    text = read_text(content)
    drawn = bool(page.get_cdrawings())
    if not drawn and (not text.words or hidden_boxes(content)[1] == 1.0) and not page.first_annot:
        scan = embedded_scan(page, text.images, dpi=dpi, pixels=pixels)
        if scan is not None:
            return _forget(scan)
    dpi = min(dpi, fitting_dpi(content.width, content.height, pixels))
    # RGB even for gray: MuPDF's gray conversion of colour pictures takes twice as long.
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(dpi / 72, dpi / 72), colorspace=pymupdf.csRGB, alpha=False)
    return _forget(Raster(pixmap.width, pixmap.height, 3, pixmap.samples, dpi, clean=not text.images))


def fitting_dpi(width: float, height: float, pixels: int) -> float:
    """The finest resolution at which a page of this size in points has no more than `pixels`."""
    return max(LEAST_DPI, 72 * math.sqrt(pixels / (width * height)) * 0.999)


def _forget(raster: Raster) -> Raster:
    """MuPDF keeps decoded pictures, up to 256 MB of them, for a page that nobody asks for twice."""
    pymupdf.TOOLS.store_shrink(100)
    return raster
