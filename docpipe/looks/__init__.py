"""What a page looks like, as a vector beside which words and other pictures can be laid. The seam that every image-text model fills.

Knows numbers, no page, no class and no index.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docpipe import plugins

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

HOME = Path(__file__).resolve().parent


class Embedder(ABC):
    """One image-text model. Loaded once per process, safe to call from several threads."""

    name: ClassVar[str]

    def __init__(self, checkpoint: str) -> None:
        """`checkpoint` is a folder, or a repository pinned to a revision, `owner/name@revision`. Raises MissingError where it is not on
        this machine and UsageError where it is none of this model's."""
        self.checkpoint = checkpoint

    @property
    @abstractmethod
    def identity(self) -> str:
        """What vectors can be compared with: the same model with the same weights, and no other."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers of a vector."""

    @abstractmethod
    def images(self, images: Sequence[Image]) -> np.ndarray:
        """Vectors of RGB images: float32, one row each, of length 1. Raises EngineError."""

    @abstractmethod
    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of texts, in the same space. Raises EngineError."""


def embedder_class(reference: str) -> type[Embedder]:
    """The class that `reference` names: a bare name, module:Class or path.py:Class. Raises UsageError where there is none."""
    return plugins.load(reference, Embedder, HOME)  # type: ignore[type-abstract]
