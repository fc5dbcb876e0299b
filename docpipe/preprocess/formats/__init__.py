"""The seam that every input format fills; one file beside this one each. Runs in the rendering process, except for `media_type`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from docpipe import plugins
from docpipe.errors import UnsupportedError
from docpipe.preprocess.sheet import Bounds, Raster, Sheet

HOME = Path(__file__).resolve().parent
HEAD = 4096  # as many bytes of a file's start as formats get to judge by


class Format(ABC):
    """One kind of file; an instance is one open file. Constructed as `Format(path, password=..., bounds=...)`.

    Importing a format's module must be cheap: it is done to sniff. What opens files is imported by the constructor. An instance may be kept
    open and asked again later: what it says of a page does not depend on what it was asked before.
    """

    @staticmethod
    @abstractmethod
    def media_type(head: bytes) -> str | None:
        """The media type of a file that starts with these bytes (at most `HEAD`), or None where this format does not read it."""

    @abstractmethod
    def __init__(self, path: Path, *, password: str | None, bounds: Bounds) -> None:
        """Open the file; raises DocumentError."""

    @property
    @abstractmethod
    def pages(self) -> int:
        """How many pages it has."""

    @abstractmethod
    def sheet(self, number: int) -> Sheet:
        """The facts of page `number` (1-based); raises PageError."""

    @abstractmethod
    def raster(self, number: int, *, dpi: float, turn: int) -> Raster:
        """The pixels of page `number`, turned clockwise by `turn` in all, at about `dpi` or the file's own resolution; raises PageError."""

    @property
    def repaired(self) -> bool:
        """The file was damaged, and these pages are what could be made of it."""
        return False

    def einvoice(self) -> bytes | None:
        """The e-invoice XML that the file is or carries."""
        return None

    def copy_pages(self, numbers: Sequence[int], target: Path) -> None:
        """Write these pages, as they are, as a file of their own; raises UnsupportedError where the format cannot."""
        raise UnsupportedError("pages of this format cannot be written as a file of their own", hint="give a PDF or a TIFF")

    def close(self) -> None:
        """Let the file go."""
        return None


@cache
def load_format(reference: str) -> type[Format]:
    """The format that `reference` names: a bare name, module:Class or path.py:Class."""
    return plugins.load(reference, Format, HOME)  # type: ignore[type-abstract]


def recognize(head: bytes, extra: Iterable[str] = ()) -> tuple[str, str] | None:
    """The reference of the format that reads a file starting with `head`, and the file's media type; a user's formats are asked first."""
    for reference in (*extra, *plugins.names(HOME)):
        media_type = load_format(reference).media_type(head)
        if media_type is not None:
            return reference, media_type
    return None
