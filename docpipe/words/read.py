"""A page's words: from the text layer, from OCR of the page, or from OCR of only its images."""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.records import Page, Words
from docpipe.words.engine import OcrEngine
from docpipe.workspace import Workspace


def read_words(page: Page, *, ocr: OcrEngine, languages: Sequence[str], space: Workspace) -> Words:
    """Read the page's words once and store them as `page-0001.words.json`; a second call returns what is stored.

    Raises PageError or EngineError.
    """
    raise NotImplementedError


def load_words(page: Page, space: Workspace) -> Words | None:
    """The page's stored words; None where there are none (a blank or failed page)."""
    path = space.page(page.number, "words.json")
    return space.load(path, Words) if path.exists() else None
