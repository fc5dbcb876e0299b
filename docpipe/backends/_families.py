"""What differs between the Qwen vision-language families, in one place: how large a merged patch is, how many pixels an image may have, and
in which coordinates a model names places. Knows no library: a server's model is sized by it too."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

MOST_ASPECT = 200  # the families' processors refuse narrower strips


@dataclass(frozen=True)
class Family:
    """`factor` is the side in pixels of the square that becomes one token, `least` and `most` bound an image's pixels. `coordinates`: a box
    in an answer is in pixels of the image as it was handed over, or in thousandths of its width and height."""

    factor: int
    least: int
    most: int
    coordinates: Literal["pixels", "thousandths"]

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The nearest size in whole squares within the bounds, with the proportions kept as far as squares allow."""
        width, height = max(width, height // MOST_ASPECT + 1), max(height, width // MOST_ASPECT + 1)
        across, down = _squares(width / self.factor, round), _squares(height / self.factor, round)
        most, least = max(1, self.most // self.factor**2), -(-self.least // self.factor**2)
        if across * down > most:
            shrink = math.sqrt(width * height / self.most)
            across, down = _squares(width / shrink / self.factor, math.floor), _squares(height / shrink / self.factor, math.floor)
            across, down = min(across, most // down), min(down, most // across)
        elif across * down < least:
            grow = math.sqrt(self.least / (width * height))
            across, down = math.ceil(width * grow / self.factor), math.ceil(height * grow / self.factor)
        return across * self.factor, down * self.factor

    def tokens(self, width: int, height: int) -> int:
        """The tokens of an image of a size that `fit` gave."""
        return (width // self.factor) * (height // self.factor)


_QWEN3 = Family(factor=32, least=256 * 256, most=16384 * 32 * 32, coordinates="thousandths")
QWEN: dict[str, Family] = {
    "qwen2_vl": Family(factor=28, least=56 * 56, most=16384 * 28 * 28, coordinates="thousandths"),
    "qwen2_5_vl": Family(factor=28, least=56 * 56, most=16384 * 28 * 28, coordinates="pixels"),
    **dict.fromkeys(("qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe"), _QWEN3),
}


def _squares(side: float, whole: Callable[[float], int]) -> int:
    return max(1, whole(side))
