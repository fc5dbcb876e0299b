"""Bar codes and QR codes of a page, through zxing-cpp. Knows pixels and which codes say that a document ends here.

Patch codes, the bars without a text that some scanners print, are read by no library: such a sheet counts where it says so in words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from docpipe.records import Box, Page, Record, Words

if TYPE_CHECKING:
    from PIL.Image import Image

# What the separator sheets of others say: of paperless-ngx (PATCHT), of Stirling-PDF (the addresses), and in plain words.
SEPARATORS = (
    "PATCHT",
    "SEPARATOR",
    "https://github.com/Stirling-Tools/Stirling-PDF",
    "https://github.com/Frooodle/Stirling-PDF",
    "https://stirlingpdf.com",
)
FEW_WORDS = 60  # a separator sheet explains itself in fewer
DPI = 150  # a code is read at this; drawing finer costs more


class Code(Record):
    """One code: what it says, its kind such as `QR Code`, and the box round it in points."""

    text: str
    kind: str
    box: Box


def wants_codes(page: Page, words: Words) -> bool:
    """Whether the page may be a separator sheet: one that shows something, and in few words. Drawing every page would cost too much."""
    return page.status == "done" and len(words.words) <= FEW_WORDS


def codes_of(image: Image, *, dpi: float) -> tuple[Code, ...]:
    """The codes of a page image at `dpi`, turned any way."""
    import zxingcpp

    found = zxingcpp.read_barcodes(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    return tuple(Code(text=one.text.strip(), kind=str(one.format), box=_box(one.position, 72 / dpi)) for one in found if one.text.strip())


def separator_of(codes: Iterable[Code], separators: Collection[str] = SEPARATORS) -> Code | None:
    """The code that says that a document ends here. Capitals make no difference."""
    wanted = {text.strip().casefold() for text in separators}
    return next((code for code in codes if code.text.casefold() in wanted), None)


def _box(place: object, scale: float) -> Box:
    corners = list(_corners(place))
    across, down = [x * scale for x, _ in corners], [y * scale for _, y in corners]
    return min(across), min(down), max(across), max(down)


def _corners(place: object) -> Iterator[tuple[float, float]]:
    for name in ("top_left", "top_right", "bottom_right", "bottom_left"):
        point = getattr(place, name)
        yield point.x, point.y
