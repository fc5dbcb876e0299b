"""What an image costs. A stand-in."""

from __future__ import annotations

import math


def image_tokens(width: int, height: int, *, model: str, detail: str) -> int:
    """A token for each square of 32 pixels that is begun."""
    return math.ceil(width / 32) * math.ceil(height / 32)
