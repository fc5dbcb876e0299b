"""What the image-text models share: loading, batches, vectors of length 1. Knows transformers, and no model by name."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from docpipe.backends._hf.errors import typed
from docpipe.backends._hf.library import torch, transformers
from docpipe.backends._hf.pinned import Pinned
from docpipe.errors import EngineError
from docpipe.looks import Embedder

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

PICTURES, TEXTS = 16, 64  # in one batch
WHITE = (255, 255, 255)


class Towers(Embedder):
    """A tower for pictures and one for texts, run by transformers, one batch at a time: the model's own threads use the processors.

    `takes` are the model types, `architecture` the class of transformers that reads them; `longest` bounds a text's tokens beside what the
    model says itself, and `padding` is how shorter ones were filled in its training. `alone`: what `log_odds` says of a text holds without
    other texts; otherwise the numbers only compare.
    """

    takes: ClassVar[frozenset[str]]
    architecture: ClassVar[str]
    longest: ClassVar[int] = 512
    padding: ClassVar[str] = "longest"
    alone: ClassVar[bool] = False

    def __init__(self, checkpoint: str) -> None:
        super().__init__(checkpoint)
        self.files = Pinned(checkpoint, takes=self.takes)
        self._turn = threading.Lock()
        self.model = self.files.model(getattr(transformers(), self.architecture))

    @property
    def identity(self) -> str:
        return self.files.identity

    @property
    def size(self) -> int:
        return int(self.files.config.projection_dim)

    @property
    def scale(self) -> tuple[float, float]:
        """What the model multiplies a cosine by, and then adds, to have natural log-odds."""
        return self.model.logit_scale.exp().item(), 0.0

    def images(self, images: Sequence[Picture]) -> np.ndarray:
        return self._vectors(images, PICTURES, lambda some: self.image_features(self.pictures(some)))

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        return self._vectors(texts, TEXTS, lambda some: self.text_features(self.tokens(some)))

    def log_odds(self, images: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """How well each text goes with each image: float32, a row an image, of their vectors."""
        factor, more = self.scale
        odds: np.ndarray = images @ texts.T * np.float32(factor) + np.float32(more)
        return odds

    @abstractmethod
    def image_features(self, inputs: Any) -> Any:
        """The vectors of pictures, of any length, as a tensor."""

    @abstractmethod
    def text_features(self, inputs: Any) -> Any:
        """The vectors of texts, likewise."""

    def pictures(self, images: Sequence[Picture]) -> Any:
        """The model's input for pictures, each whole on a white square: what a processor cuts out of the middle lacks the rest."""
        processor = self.files.image_processor
        squares = [letterboxed(image, side(processor)) for image in images]
        return self.inputs(processor(images=squares, do_resize=False, do_center_crop=False, return_tensors="pt"))

    def tokens(self, texts: Sequence[str]) -> Any:
        """The model's input for texts; longer ones are cut."""
        limit = min(self.longest, self.files.config.get_text_config().max_position_embeddings)
        how = {"padding": self.padding, "truncation": True, "max_length": limit, "return_tensors": "pt"}
        return self.inputs(self.files.tokenizer(list(texts), **how))

    def inputs(self, made: Any) -> Any:
        return made.to(self.model.device)

    def run(self, work: Callable[[], Any]) -> np.ndarray:
        """What the model computes, as float32. Raises EngineError where it is no number."""
        with self._turn, typed(f"looking with {self.files.label}"), torch().inference_mode():
            found: np.ndarray = work().float().cpu().numpy()
        if not np.isfinite(found).all():
            raise EngineError(f"{self.files.label} gave what is no number", hint="its weights are broken; fetch them again")
        return found

    def _vectors(self, items: Sequence[Any], most: int, work: Callable[[Sequence[Any]], Any]) -> np.ndarray:
        batches = [items[begin : begin + most] for begin in range(0, len(items), most)]
        found = [self.run(partial(work, batch)) for batch in batches]
        return unit(np.concatenate([np.zeros((0, self.size), np.float32), *found]))


def unit(vectors: np.ndarray) -> np.ndarray:
    """The rows, each made one long."""
    made: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))
    return made


def side(processor: Any) -> int:
    """How many pixels the model sees each way, which its cut out of the middle says, where it has one."""
    sizes = getattr(processor, "crop_size", None) if getattr(processor, "do_center_crop", False) else None
    sizes = sizes or processor.size
    return int(sizes["height"] if "height" in sizes else sizes["shortest_edge"])


def letterboxed(image: Picture, side: int) -> Picture:
    """The picture, shrunk or enlarged with its proportions to fill a white square one way."""
    factor = side / max(image.size)
    width, height = (max(1, round(length * factor)) for length in image.size)
    square = Image.new("RGB", (side, side), WHITE)
    shrunk = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    square.paste(shrunk, ((side - width) // 2, (side - height) // 2))
    return square
