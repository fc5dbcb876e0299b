"""Which of a page's words leave ink where they stand. Knows pixels and boxes, no text.

White on white, painted over, clipped away: whatever keeps a word from being seen, a reader of the paper does not have it, and a value
taken from it would be somebody's trick.
"""

from __future__ import annotations

from docpipe.preprocess.pdf.content import Content
from docpipe.preprocess.sheet import LayerWord

DPI = 50  # a letter of 6 points is 4 pixels high: enough to leave a trace
MOST_PIXELS = 2000  # on the longer side
FAINT = 5  # of 255; paler print is none to the eye
WHITE = 255
_LIGHT = bytes(range(WHITE - FAINT, WHITE + 1))  # what does not stand out on white


def seen_words(content: Content, words: list[LayerWord]) -> list[LayerWord]:
    """The words with a letter or digit that show on the page as it is drawn, and all words without one. Draws the page once, small."""
    if not words:
        return words
    pixmap = content.gray(max(9, min(DPI, int(MOST_PIXELS * 72 / max(content.width, content.height, 1)))))
    raster = _Raster(pixmap.samples, pixmap.stride, pixmap.width, pixmap.height)
    scale_x, scale_y = pixmap.width / content.width, pixmap.height / content.height
    samples, stride, width, height = raster.samples, raster.stride, raster.width, raster.height
    seen: list[LayerWord] = []
    for word in words:
        text, x0, y0, x1, y1, _, _ = word
        x0, y0, x1, y1 = x0 * scale_x, y0 * scale_y, x1 * scale_x, y1 * scale_y
        # The row through the middle nearly always tells: dark print and white paper. Asked here, as this loop runs over every word of every
        # page, and in words that cost no loop over pixels; where they do not say yes, the whole box is looked at.
        if 0 <= x0 < x1 < width and 0 <= y0 < y1 < height:
            start = int((y0 + y1) / 2) * stride
            row = samples[start + int(x0) : start + int(x1) + 1]
            if WHITE in row and row.strip(_LIGHT):
                seen.append(word)
                continue
        if raster.shows(x0, y0, x1, y1) or not _is_text(text):
            seen.append(word)
    return seen


def _is_text(text: str) -> bool:
    """Dots, dashes and ticks may be too small to leave a trace."""
    return any(char.isalnum() for char in text)


class _Raster:
    """The gray pixels of a page; loading numpy would cost a text page more than these few rows."""

    def __init__(self, samples: bytes, stride: int, width: int, height: int) -> None:
        self.samples, self.stride, self.width, self.height = samples, stride, width, height

    def shows(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        """Whether anything stands out in the box."""
        left, right = max(0, int(x0)), min(self.width, int(x1) + 1)
        top, bottom = max(0, int(y0)), min(self.height, int(y1) + 1)
        return left < right and top < bottom and _stands_out(b"".join(self._row(row, left, right) for row in range(top, bottom)))

    def _row(self, row: int, left: int, right: int) -> bytes:
        start = row * self.stride
        return self.samples[start + left : start + right]


def _stands_out(pixels: bytes) -> bool:
    return bool(pixels) and max(pixels) - min(pixels) > FAINT
