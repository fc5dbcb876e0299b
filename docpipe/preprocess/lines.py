"""Tells lines that stand on their heads from upright ones: a small model that the OCR package carries, or the letters' ascenders."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from docpipe.errors import EngineError
from docpipe.preprocess.ink import Image

MODEL = "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"
SHA256 = "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"
_HEIGHT, _WIDTH = 48, 192  # what the model was trained on
_LONGEST = 8  # of a line, its first part is enough


def upside_down(gray: Image, binary: Image, boxes: npt.NDArray[np.int32]) -> list[float]:
    """A vote per line box (x, y, width, height): from 1 for surely upright to -1 for surely upside down."""
    session = _session()
    if session is None:
        return [vote for x, y, width, height in boxes if (vote := _ascenders(binary[y : y + height, x : x + width])) is not None]
    if not len(boxes):
        return []
    batch = np.stack([_input(gray, box) for box in boxes])
    (shares,) = session.run(None, {session.get_inputs()[0].name: batch})
    return [float(upright - reverse) for upright, reverse in shares]


def _input(gray: Image, box: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """A line as the model wants it: (3, 48, 192), -1..1, padded on the right."""
    x, y, width, height = (int(value) for value in box)
    line = gray[max(0, y - 2) : y + height + 2, x : x + min(width, _LONGEST * height)]
    wide = min(_WIDTH, -(-_HEIGHT * line.shape[1] // line.shape[0]))
    scaled = np.asarray(cv2.resize(line, (wide, _HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32)
    padded = np.zeros((3, _HEIGHT, _WIDTH), np.float32)
    padded[:, :, :wide] = scaled / 127.5 - 1
    return padded


@cache
def _session() -> Any | None:
    """The model, or None where its package is not installed. Raises EngineError when the file is not the one that was tested."""
    package = importlib.util.find_spec("rapidocr")
    if package is None or not package.submodule_search_locations or importlib.util.find_spec("onnxruntime") is None:
        return None
    file = Path(next(iter(package.submodule_search_locations))) / MODEL
    if not file.is_file():
        return None
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise EngineError(f"{file.name} is not the model file that docpipe was tested with", hint="install rapidocr at the pinned version")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _ascenders(line: Image) -> float | None:
    """Latin letters reach above the body of a line more often than below: 1, or -1 where it is the other way; None for too little ink."""
    rows = (line > 0).sum(axis=1).astype(np.float64)
    if rows.sum() < 40:
        return None
    body = np.nonzero(rows > 0.45 * rows.max())[0]
    return float(np.sign(rows[: body[0]].sum() - rows[body[-1] + 1 :].sum()))
