"""What a format tells about a page, in plain data: made in the rendering process, so nothing here needs more than the standard library."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

_quoted = json.encoder.encode_basestring  # a string as JSON, in UTF-8
Box = tuple[float, float, float, float]
Layer = Literal["trusted", "partial", "untrusted", "none"]


@dataclass(frozen=True)
class Bounds:
    """What a format must keep to: the most pages of a document and the most pixels of a page image."""

    pages: int
    pixels: int


class LayerWord(NamedTuple):
    """A word of a text layer, in points of the upright page; the fields of `records.Word`."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0
    line: int = 0


@dataclass(frozen=True)
class Sheet:
    """The cheap facts of one page, before any pixel of it is made. Everything in points of the upright page.

    `rotation` is the clockwise turn that made it upright, `needs_image` says that its words cannot be known without looking, `blank`
    that it shows nothing at all. `rulings` and `strokes` are (x0, y0, x1, y1), `checkboxes` (x0, y0, x1, y1, ink).
    """

    width: float
    height: float
    rotation: int = 0
    layer: Layer = "none"
    reason: str = ""
    needs_image: bool = True
    blank: bool = False
    words: list[LayerWord] = field(default_factory=list)
    rulings: list[Box] = field(default_factory=list)
    strokes: list[Box] = field(default_factory=list)
    checkboxes: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    image_boxes: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Raster:
    """The pixels of one whole page: 8 bit, rows top down, `channels` 1 (gray) or 3 (RGB); points = pixels * 72 / `dpi`.

    `clean` says that it was drawn from vectors and holds no scanned paper.
    """

    width: int
    height: int
    channels: int
    data: bytes | bytearray | memoryview
    dpi: float
    clean: bool = False


def write_layer(sheet: Sheet, number: int, path: Path) -> None:
    """Store the words, rulings, strokes and check boxes as the JSON of a `records.Words`, whole or not at all."""
    source = "text_layer" if sheet.words else "none"
    # Formatted here rather than rounded before: a hundredth of a point is enough, and this is the cheapest way to get it.
    words = _rows(sheet.words)
    rulings, strokes = (
        ",".join([f"[{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f}]" for x0, y0, x1, y1 in lines]) for lines in (sheet.rulings, sheet.strokes)
    )
    boxes = ",".join([f"[{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f},{ink:.3f}]" for x0, y0, x1, y1, ink in sheet.checkboxes])
    record = (
        f'{{"page":{number},"width":{sheet.width},"height":{sheet.height},"source":"{source}","engine":null,'
        f'"words":[{words}],"rulings":[{rulings}],"checkboxes":[{boxes}],"strokes":[{strokes}]}}'
    )
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(record, encoding="utf-8", errors="replace")
    draft.replace(path)


def _rows(words: list[LayerWord]) -> str:
    """The words as JSON arrays, by one format for all of them: two thirds of what one each would take."""
    text = "".join([word.text for word in words])
    plain = text.isprintable() and '"' not in text and "\\" not in text
    cells = words if plain else [word._replace(text=_quoted(word.text)[1:-1]) for word in words]
    return ",".join(['["%s",%.2f,%.2f,%.2f,%.2f,%s,%d]'] * len(words)) % tuple(chain.from_iterable(cells))


def write_raster(raster: Raster, path: Path) -> None:
    """Store the pixels as a .npy file: uint8, (height, width) or (height, width, 3). Written by hand: importing numpy costs more."""
    shape = (raster.height, raster.width) if raster.channels == 1 else (raster.height, raster.width, raster.channels)
    if len(raster.data) != raster.height * raster.width * raster.channels:
        raise ValueError("a raster whose data is not height * width * channels bytes")
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with path.open("wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin-1"))
        file.write(raster.data)
