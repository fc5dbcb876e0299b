"""LLaVA-1.5, LLaVA-NeXT and LLaVA-OneVision, as checkpoints of the transformers kind (their names end in -hf)."""

from __future__ import annotations

import math

from docpipe.backends._hf import ChatBackend


class Llava(ChatBackend):
    """LLaVA-1.5 sees one small square. The later ones lay an image into the best of a few canvases and look at it in tiles."""

    name = "llava"
    takes = frozenset({"llava", "llava_next", "llava_onevision"})
    few_shot_types = frozenset({"llava_onevision"})

    def fit(self, width: int, height: int) -> tuple[int, int]:
        canvases = self._canvases()
        if not canvases:
            return super().fit(width, height)
        across, down = max(canvases, key=lambda canvas: _worth(width, height, canvas))
        scale = min(across / width, down / height)
        return min(across, math.ceil(width * scale)), min(down, math.ceil(height * scale))

    def most_pixels(self) -> int:
        return max((width * height for width, height in self._canvases()), default=super().most_pixels())

    def _canvases(self) -> list[tuple[int, int]]:
        """Widths and heights, within the pixels that the options allow if there is one."""
        sizes = [(width, height) for height, width in getattr(self.processor.image_processor, "image_grid_pinpoints", None) or []]
        sizes.sort(key=math.prod)
        return [size for size in sizes if math.prod(size) <= (self.options.pixels or math.inf)] or sizes[:1]


def _worth(width: int, height: int, canvas: tuple[int, int]) -> tuple[int, int]:
    """What the processor picks a canvas by: the most of the image's pixels, then the least border."""
    across, down = canvas
    scale = min(across / width, down / height)
    seen = min(int(width * scale) * int(height * scale), width * height)
    return seen, seen - across * down
