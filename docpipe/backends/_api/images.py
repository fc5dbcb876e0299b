"""How many tokens an image costs: two ways of counting. Knows no model and no price; their numbers are data (`prices.json`).

Source: OpenAI's guide "Images and vision", sections "Model sizing behavior" and "Calculating costs", as of autumn 2026
(https://developers.openai.com/api/docs/guides/images-vision). Integers throughout, so nothing is lost to rounding; the guide allows that
the bill differs by one token.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Literal

from pydantic import Field

from docpipe.records import Record

BOX = 2048  # pixels: an image is fitted into such a square before it is cut into tiles
SHORT = 768  # pixels: then its short side is brought down to that
TILE = 512


class Size(Record):
    """How large an image may be: `side` pixels, `patches` of them; None is no limit."""

    side: int | None = None
    patches: int | None = None


class Tiles(Record):
    """`base` tokens for an image, and `tile` for each square of 512 pixels that covers it; with the detail `low` the base alone."""

    way: Literal["tiles"] = "tiles"
    base: int
    tile: int

    def tokens(self, width: int, height: int, detail: str) -> int:
        """Of an image of so many pixels."""
        if detail == "low":
            return self.base
        width, height = _within(width, height, BOX)
        short = min(width, height)
        if short > SHORT:
            width, height = width * SHORT // short, height * SHORT // short
        return self.base + self.tile * _up(width, TILE) * _up(height, TILE)


class Patches(Record):
    """`multiplier` tokens for each square of `patch` pixels that covers the image, brought down to the size of its detail, and `base` more.

    A detail that `sizes` does not have counts as `high`, and without that the image stays as it is."""

    way: Literal["patches"] = "patches"
    multiplier: Decimal = Field(ge=0)
    patch: int = Field(32, gt=0)
    base: int = 0
    sizes: dict[str, Size] = Field(default_factory=dict)

    def tokens(self, width: int, height: int, detail: str) -> int:
        """Of an image of so many pixels."""
        size = self.sizes.get(detail) or self.sizes.get("high") or Size()
        count = patches(width, height, size=size, patch=self.patch)
        return self.base + int((count * self.multiplier).to_integral_value(ROUND_CEILING))


Rule = Annotated[Tiles | Patches, Field(discriminator="way")]


def patches(width: int, height: int, *, size: Size, patch: int = 32) -> int:
    """The squares that cover an image brought down to `size`.

    The guide scales by sqrt(patch^2 * most / (width * height)), and then by what makes one side a whole number of patches, the largest with
    which the image fits. So many patches across are floor(sqrt(width * most / height)), likewise down; the smaller scale of the two counts.
    """
    if size.side is not None:
        width, height = _within(width, height, size.side)
    count = _up(width, patch) * _up(height, patch)
    if size.patches is None or count <= size.patches:
        return count
    across, down = _root(width * size.patches // height), _root(height * size.patches // width)
    if across * height <= down * width:
        return min(across * _up(patch * across * height // width, patch), size.patches)
    return min(down * _up(patch * down * width // height, patch), size.patches)


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """The size, brought down so that the long side is at most `side`; the short one to the nearest pixel."""
    long = max(width, height)
    if long <= side:
        return width, height
    return _scaled(width, side, long), _scaled(height, side, long)


def _scaled(length: int, to: int, of: int) -> int:
    return max(1, (2 * length * to + of) // (2 * of))


def _up(length: int, part: int) -> int:
    return max(1, -(-length // part))


def _root(number: int) -> int:
    """The whole part of the square root, 1 at the least."""
    return max(1, math.isqrt(number))
