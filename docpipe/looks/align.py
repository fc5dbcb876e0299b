"""ALIGN: an EfficientNet for pictures and a BERT for texts, taught on noisy captions."""

from __future__ import annotations

from typing import Any

from docpipe.looks._towers import Towers


class Align(Towers):
    """Sees 289 x 289 pixels; 64 tokens of text, to which shorter texts were filled in its training."""

    name = "align"
    takes = frozenset({"align"})
    architecture = "AlignModel"
    longest = 64
    padding = "max_length"

    @property
    def scale(self) -> tuple[float, float]:
        return 1 / self.model.temperature.item(), 0.0

    def image_features(self, inputs: Any) -> Any:
        return self.model.get_image_features(**inputs).pooler_output

    def text_features(self, inputs: Any) -> Any:
        return self.model.get_text_features(**inputs).pooler_output
