"""A lone e-invoice XML file: it has no pages."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from docpipe.errors import DamagedError, PageError
from docpipe.preprocess.einvoice import is_einvoice
from docpipe.preprocess.formats import Format
from docpipe.preprocess.sheet import Bounds, Raster, Sheet


class Xml(Format):
    """CII and UBL invoices, whatever their file is called."""

    @staticmethod
    def media_type(head: bytes) -> str | None:
        return "application/xml" if is_einvoice(head) else None

    def __init__(self, path: Path, *, password: str | None, bounds: Bounds) -> None:
        self._content = path.read_bytes()
        try:
            expat.ParserCreate().Parse(self._content, True)
        except expat.ExpatError as problem:
            raise DamagedError(f"not well-formed XML: {problem}") from problem

    @property
    def pages(self) -> int:
        return 0

    def sheet(self, number: int) -> Sheet:
        raise PageError("an XML file has no pages", page=number)

    def raster(self, number: int, *, dpi: float, turn: int) -> Raster:
        raise PageError("an XML file has no pages", page=number)

    def einvoice(self) -> bytes | None:
        return self._content
