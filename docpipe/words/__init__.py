"""A page -> its words with boxes: the text layer where it can be trusted, else an OCR engine. Knows no schema."""

from __future__ import annotations

from docpipe.words.engine import OcrEngine, OcrLine, load_ocr
from docpipe.words.read import load_words, read_image, read_words

__all__ = ["OcrEngine", "OcrLine", "load_ocr", "load_words", "read_image", "read_words"]
