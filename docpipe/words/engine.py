"""The seam that every OCR engine fills; one file beside this one each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from docpipe import plugins
from docpipe.records import Word

if TYPE_CHECKING:
    from docpipe.words.image import Image

DEFAULT_CACHE = Path.home() / ".cache" / "docpipe"
HOME = Path(__file__).resolve().parent / "ocr"


class OcrLine(NamedTuple):
    """One text line: its words, left to right, with boxes in pixels of the image that was read."""

    words: tuple[Word, ...]
    confidence: float


class OcrEngine(ABC):
    """Reads the text lines of an image. Made once per process; not shared between threads."""

    name: ClassVar[str]

    def __init__(self, *, cache: Path | None = None) -> None:
        """`cache` is the folder for prepared model files; None for `~/.cache/docpipe`. Nothing is loaded yet."""
        self.cache = cache or DEFAULT_CACHE

    @abstractmethod
    def read(self, image: Image, *, languages: Sequence[str] = (), text_height: float | None = None) -> list[OcrLine]:
        """The lines of an upright gray (h, w) or BGR (h, w, 3) image, in no promised order.

        `languages` are two-letter codes, empty when unknown; `text_height` the median letter height in pixels where it was measured.
        Raises EngineError.
        """


def load_ocr(reference: str, *, cache: Path | None = None) -> OcrEngine:
    """The OCR engine that `reference` names; loading its models is left to the first `read`."""
    return plugins.load(reference, OcrEngine, HOME)(cache=cache)  # type: ignore[type-abstract]
