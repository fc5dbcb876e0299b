"""Drawing helpers for the samples: a sheet of text, lines and boxes; PDF bytes that come out the same every time. Knows no document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import pymupdf

A4 = (595.0, 842.0)
FONTS = {name: pymupdf.Font(code) for name, code in {"plain": "helv", "bold": "hebo", "mono": "cour", "hangul": "korea"}.items()}
Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Column:
    """A column of a printed table: its heading, the x that its text is aligned to, and how."""

    title: str
    x: float
    align: Align = "left"


class Sheet:
    """One page of a document that is being drawn. Coordinates in points, y is a text's base line."""

    def __init__(self, document: pymupdf.Document, size: tuple[float, float] = A4, font: str = "plain") -> None:
        self.page = document.new_page(width=size[0], height=size[1])
        self.font = font
        self._writer = pymupdf.TextWriter(self.page.rect)

    def text(self, x: float, y: float, text: str, size: float = 10, *, bold: bool = False, align: Align = "left") -> None:
        """One line of text that starts, ends or is centred at x."""
        font = FONTS["bold" if bold else self.font]
        shift = {"left": 0.0, "right": 1.0, "center": 0.5}[align]
        self._writer.append((x - shift * font.text_length(text, size), y), text, font=font, fontsize=size)

    def lines(self, x: float, y: float, texts: Sequence[str], size: float = 10, pitch: float = 1.35) -> float:
        """Lines below one another; returns the next base line."""
        for text in texts:
            self.text(x, y, text, size)
            y += size * pitch
        return y

    def row(self, y: float, columns: Sequence[Column], cells: Sequence[str], size: float = 9, *, bold: bool = False) -> None:
        """One row of a table."""
        for column, cell in zip(columns, cells, strict=True):
            if cell:
                self.text(column.x, y, cell, size, bold=bold, align=column.align)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.7) -> None:
        """A straight line."""
        self.page.draw_line((x0, y0), (x1, y1), width=width)

    def box(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.7) -> None:
        """The outline of a rectangle."""
        self.page.draw_rect((x0, y0, x1, y1), width=width)

    def tick(self, x: float, y: float, side: float, *, ticked: bool) -> None:
        """A check box with its upper left corner at x, y, crossed or empty."""
        self.box(x, y, x + side, y + side, 0.9)
        if ticked:
            inset = side * 0.2
            self.rule(x + inset, y + inset, x + side - inset, y + side - inset, 1.4)
            self.rule(x + inset, y + side - inset, x + side - inset, y + inset, 1.4)

    def done(self) -> None:
        """Put the collected text on the page; nothing is drawn on it afterwards."""
        self._writer.write_text(self.page)


def pdf_bytes(document: pymupdf.Document) -> bytes:
    """The document as a file: fonts cut down to what is used, no dates and no random identifier."""
    document.subset_fonts()
    document.set_metadata({})
    return bytes(document.tobytes(garbage=3, deflate=True, no_new_id=True))


def money(value: Decimal | str, decimal: str = ".", group: str = ",") -> str:
    """An amount as a country prints it: `money("1234.5", ",", ".")` -> `1.234,50`."""
    text = f"{Decimal(value):,.2f}"
    return text.replace(",", "\0").replace(".", decimal).replace("\0", group)
