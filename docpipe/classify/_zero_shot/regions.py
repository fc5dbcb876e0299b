"""The regions of a page's picture that a detector looks at, as vectors. Knows the detectors of transformers, no class and no words."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docpipe.backends._hf.errors import typed
from docpipe.backends._hf.library import torch, transformers
from docpipe.backends._hf.pinned import Pinned
from docpipe.records import Box

if TYPE_CHECKING:
    from PIL.Image import Image

TAKES = frozenset({"conditional_detr", "deformable_detr", "detr", "rt_detr", "table-transformer", "yolos"})
_EACH_BY_ITSELF = frozenset({"conditional_detr", "deformable_detr", "rt_detr"})  # no class for `no object` comes last


@dataclass(frozen=True)
class Regions:
    """The surest first: a tensor with a row for each, and where they lie, in shares of the picture's width and height."""

    features: Any
    boxes: tuple[Box, ...]


class Detector:
    """A detector with queries, whose last hidden states are the features. Loaded once, safe to call from several threads."""

    def __init__(self, checkpoint: str) -> None:
        """`checkpoint` as for an Embedder. Raises MissingError, UsageError, EngineError."""
        self.files = Pinned(checkpoint, takes=TAKES)
        self._turn = threading.Lock()
        self._model = self.files.model(transformers().AutoModelForObjectDetection)

    @property
    def size(self) -> int:
        """Numbers of a feature."""
        return int(getattr(self.files.config, "d_model", None) or self.files.config.hidden_size)

    def regions(self, image: Image, *, most: int) -> Regions:
        """Up to `most` regions of an RGB image. Raises EngineError."""
        with self._turn, typed(f"looking with {self.files.label}"), torch().inference_mode():
            found = self._model(**self.files.image_processor(images=[image], return_tensors="pt").to(self._model.device))
        places, logits = found.pred_boxes[0], found.logits[0]
        states = found.last_hidden_state[0, -len(places) :]  # YOLOS has its patches before them
        shares = logits.sigmoid() if self.files.config.model_type in _EACH_BY_ITSELF else logits.softmax(-1)[:, :-1]
        surest = shares.amax(-1).argsort(descending=True, stable=True)[:most]
        return Regions(states[surest], tuple(map(_corners, places[surest].tolist())))


def _corners(place: list[float]) -> Box:
    x, y, width, height = place
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
