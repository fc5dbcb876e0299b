"""The default engine: PP-OCR on the CPU, offline; Latin by itself, CJK and Korean where asked for or where a page shows it.

What reads is `docpipe.words.scripts`, imported at the first page that needs it: a text PDF needs no networks and no pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from docpipe.words.engine import OcrEngine, OcrLine

if TYPE_CHECKING:
    from docpipe.words.image import Image
    from docpipe.words.scripts import ScriptReader


class Ppocr(OcrEngine):
    """PP-OCR with the alphabet that the page needs."""

    name = "ppocr"

    def read(self, image: Image, *, languages: Sequence[str] = (), text_height: float | None = None) -> list[OcrLine]:
        return self._reader.read(image, languages=languages, text_height=text_height)

    @cached_property
    def _reader(self) -> ScriptReader:
        from docpipe.words.scripts import ScriptReader

        return ScriptReader(cache=self.cache)
