"""What of a page must not leave this machine: the seam that every redactor fills, and blacking it out. Knows words and pixels, no model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docpipe import plugins
from docpipe.records import Box, Words

if TYPE_CHECKING:
    from PIL.Image import Image

HOME = Path(__file__).resolve().parent
MARGIN = 1.0  # points round a box: letters reach a little beyond theirs


class Redactor(ABC):
    """One idea of what is private. Asked about every page before its image is sent to another machine; what it names is blacked out there
    and left out of the words that are sent. What is read on this machine is not touched."""

    name: ClassVar[str]

    @abstractmethod
    def boxes(self, words: Words) -> Iterable[Box]:
        """The places of the page, in points, that are not shown. What it raises keeps the page from being sent."""


def load_redactor(reference: str) -> Redactor:
    """The redactor that `reference` names. Raises UsageError where there is none."""
    return plugins.load(reference, Redactor, HOME)()  # type: ignore[type-abstract]


def blacked_out(image: Image, boxes: Iterable[Box], *, dpi: float) -> Image:
    """The page's image with black where the boxes are."""
    from PIL import ImageDraw

    copy, scale = image.copy(), dpi / 72
    draw = ImageDraw.Draw(copy)
    for x0, y0, x1, y1 in boxes:
        draw.rectangle(((x0 - MARGIN) * scale, (y0 - MARGIN) * scale, (x1 + MARGIN) * scale, (y1 + MARGIN) * scale), fill="black")
    return copy


def without(words: Words, boxes: Sequence[Box]) -> Words:
    """The words that no box touches."""
    return words.model_copy(update={"words": tuple(word for word in words.words if not any(_touch(word[1:5], box) for box in boxes))})


def _touch(one: Sequence[float], other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
