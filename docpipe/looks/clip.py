"""CLIP: two towers that were taught which caption belongs to which picture."""

from __future__ import annotations

from typing import Any

from docpipe.looks._towers import Towers


class Clip(Towers):
    """Sees 224 x 224 or 336 x 336 pixels; 77 tokens of text."""

    name = "clip"
    takes = frozenset({"clip"})
    architecture = "CLIPModel"

    def image_features(self, inputs: Any) -> Any:
        return self.model.get_image_features(**inputs).pooler_output

    def text_features(self, inputs: Any) -> Any:
        return self.model.get_text_features(**inputs).pooler_output
