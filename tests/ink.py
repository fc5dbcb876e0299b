"""An embedder that needs no model: where on the page the ink is, on a grid of 12 by 16. A text looks light or, where it says so, dark."""

from collections.abc import Sequence

import numpy as np
from PIL.Image import Image

from docpipe.looks import Embedder

WIDTH, HEIGHT = 12, 16


class Ink(Embedder):
    """`checkpoint` is part of its identity, so that two of them cannot be compared."""

    name = "ink"

    @property
    def identity(self) -> str:
        return f"ink/{self.checkpoint or 'none'}"

    @property
    def size(self) -> int:
        return WIDTH * HEIGHT

    def images(self, images: Sequence[Image]) -> np.ndarray:
        grids = [255.0 - np.asarray(image.convert("L").resize((WIDTH, HEIGHT)), dtype=np.float32).reshape(-1) for image in images]
        return _unit(np.stack(grids))

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        dark = [np.full(self.size, 200.0) if "dark" in text else np.linspace(1.0, 9.0, self.size) for text in texts]
        return _unit(np.stack(dark))


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = rows + 1e-3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
