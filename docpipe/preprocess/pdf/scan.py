"""A page that is nothing but one scanned picture: its pixels as they are stored, not drawn anew. Several times cheaper, and sharper."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from docpipe.preprocess.pdf.mupdf import pymupdf
from docpipe.preprocess.sheet import Box, Raster

COVERED = 0.95  # of the page
SLACK = 0.01  # of the page that the picture may stick out
MOST_SCALE = 1.6  # a finer scan is reduced to the resolution asked for
LEAST_DPI = 60.0
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def embedded_scan(page: Any, images: list[tuple[Box, dict[str, Any]]], *, dpi: float, pixels: int) -> Raster | None:
    """The one picture that fills the page, upright as the page is shown, or None where the page has to be drawn.

    The caller has made sure that nothing else is visible on the page.
    """
    native = _native_dpi(page, images)
    if native is None:
        return None
    listed = [image for image in page.get_images(full=True) if (image[2], image[3]) == (images[0][1]["width"], images[0][1]["height"])]
    if len(listed) != 1 or images[0][1]["width"] * images[0][1]["height"] > pixels:
        return None
    picture = _picture(page.parent, listed[0])
    if picture is None:
        return None
    return _as_page(picture, page, images[0][0], native, dpi)


def _native_dpi(page: Any, images: list[tuple[Box, dict[str, Any]]]) -> float | None:
    """Its resolution, where one upright picture covers the page and its pixels are square."""
    if len(images) != 1:
        return None
    (x0, y0, x1, y1), info = images[0]
    width, height = page.rect.width, page.rect.height
    a, b, c, d = info["transform"][:4]
    upright = a > 0 and d > 0 and abs(b) < 0.001 * a and abs(c) < 0.001 * d
    sticks_out = min(x0, y0) < -SLACK * max(width, height) or x1 > width * (1 + SLACK) or y1 > height * (1 + SLACK)
    if not upright or sticks_out or (x1 - x0) * (y1 - y0) < COVERED * width * height:
        return None
    across, down = info["width"] * 72 / a, info["height"] * 72 / d
    return across if abs(across - down) <= 0.01 * across and across >= LEAST_DPI else None


def _picture(document: Any, image: tuple[Any, ...]) -> Image.Image | None:
    """The stored picture, gray or RGB; None for what is not drawn as it is stored (masks, CMYK, palettes, decode arrays)."""
    xref, smask, _, _, bits, space = image[:6]
    if smask or space not in ("DeviceGray", "DeviceRGB", "ICCBased", "CalGray", "CalRGB", "") or bits not in (1, 8):
        return None
    if any(document.xref_get_key(xref, key)[0] != "null" for key in ("Decode", "Mask", "ImageMask")):
        return None
    if image[8] == "DCTDecode":
        picture = Image.open(io.BytesIO(document.xref_stream_raw(xref)), formats=["JPEG"])
        return picture if picture.mode in ("L", "RGB") else None
    pixmap = pymupdf.Pixmap(document, xref)
    if pixmap.alpha or pixmap.n not in (1, 3):
        return None
    return Image.frombuffer("L" if pixmap.n == 1 else "RGB", (pixmap.width, pixmap.height), pixmap.samples, "raw")


def _as_page(picture: Image.Image, page: Any, box: Box, native: float, dpi: float) -> Raster:
    """The picture turned as the page is, reduced where it is much finer than asked for, on a canvas of the page's size."""
    if native > MOST_SCALE * dpi:
        size = round(picture.width * dpi / native), round(picture.height * dpi / native)
        native *= size[0] / picture.width
        picture.draft(picture.mode, size)
        picture = picture.resize(size, Image.Resampling.BOX)
    if page.rotation in _TURNS:
        picture = picture.transpose(_TURNS[page.rotation])
    picture = _on_page(picture, page.rect, box, native / 72)
    return Raster(picture.width, picture.height, len(picture.getbands()), picture.tobytes(), native)


def _on_page(picture: Image.Image, rect: Any, box: Box, scale: float) -> Image.Image:
    if max(abs(box[0]), abs(box[1]), abs(box[2] - rect.width), abs(box[3] - rect.height)) < 1:
        return picture
    canvas = Image.new(picture.mode, (round(rect.width * scale), round(rect.height * scale)), (255,) * len(picture.getbands()))
    canvas.paste(picture, (round(box[0] * scale), round(box[1] * scale)))
    return canvas
