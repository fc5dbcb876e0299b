"""BLIP for retrieval: two towers, and a head that looks at a picture and a text together and says whether they match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from docpipe.backends._hf.library import torch
from docpipe.looks._towers import TEXTS, Towers

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


class Blip(Towers):
    """Sees 384 x 384 pixels. Its vectors are for searching; whether a text fits a picture, `matches` tells better."""

    name = "blip"
    takes = frozenset({"blip"})
    architecture = "BlipForImageTextRetrieval"
    alone = True

    @property
    def size(self) -> int:
        return int(self.files.config.image_text_hidden_size)

    def matches(self, image: Image, texts: Sequence[str]) -> np.ndarray:
        """The natural log-odds that each text is of the image: float32. Raises EngineError."""
        return self.run(lambda: self._matches(image, texts))

    def image_features(self, inputs: Any) -> Any:
        return self.model.vision_proj(self.model.vision_model(**inputs).last_hidden_state[:, 0])

    def text_features(self, inputs: Any) -> Any:
        return self.model.text_proj(self._read(inputs)[:, 0])

    def _matches(self, image: Image, texts: Sequence[str]) -> Any:
        seen = self.model.vision_model(**self.pictures([image])).last_hidden_state
        batches = [texts[begin : begin + TEXTS] for begin in range(0, len(texts), TEXTS)]
        return torch().cat([self._match(seen.expand(len(batch), -1, -1), batch) for batch in batches])

    def _match(self, seen: Any, texts: Sequence[str]) -> Any:
        """The head's answers are no, yes."""
        mask = torch().ones(seen.shape[:2], dtype=torch().long, device=seen.device)
        read = self._read(self.tokens(texts), encoder_hidden_states=seen, encoder_attention_mask=mask)
        no, yes = self.model.itm_head(read[:, 0]).unbind(-1)
        return yes - no

    def _read(self, inputs: Any, **seen: Any) -> Any:
        inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        return self.model.text_encoder(**inputs, **seen).last_hidden_state
