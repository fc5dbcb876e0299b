"""SigLIP 2 of the NaFlex kind: a picture is seen in its own proportions, as so many patches as the checkpoint allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from docpipe.looks._towers import Towers

if TYPE_CHECKING:
    from PIL.Image import Image


class Siglip2(Towers):
    """Sees 256 patches of 16 x 16 pixels, or what its processor says; 64 tokens of text, to which shorter texts were filled in its
    training. Each text was judged by itself there."""

    name = "siglip2"
    takes = frozenset({"siglip2"})
    architecture = "Siglip2Model"
    longest = 64
    padding = "max_length"
    alone = True

    @property
    def size(self) -> int:
        return int(self.files.config.text_config.projection_size)

    @property
    def scale(self) -> tuple[float, float]:
        return self.model.logit_scale.exp().item(), self.model.logit_bias.item()

    def pictures(self, images: Sequence[Image]) -> Any:
        return self.inputs(self.files.image_processor(images=[image.convert("RGB") for image in images], return_tensors="pt"))

    def image_features(self, inputs: Any) -> Any:
        return self.model.get_image_features(**inputs).pooler_output

    def text_features(self, inputs: Any) -> Any:
        return self.model.get_text_features(input_ids=inputs["input_ids"]).pooler_output  # trained without a mask
