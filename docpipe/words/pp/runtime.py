"""Runs one ONNX model on one CPU thread: onnxruntime, in 8 bits where the processor can, or OpenVINO in bf16. Knows no OCR."""

from __future__ import annotations

import importlib.util
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from docpipe.errors import EngineError

Tensor = npt.NDArray[np.float32]
# With it, OpenVINO needs 0.45 of onnxruntime's time for the same words; with bf16 in AVX-512 alone 0.75, more than 8 bits do.
BF16_FLAG = "amx_bf16"
# With either, 8-bit products are exact and fast. Without them they overflow (AVX2) or were not measured (other processors).
INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})
# OpenVINO keeps compiled kernels per input shape; this many hold a page's widths without growing from page to page.
KERNELS_KEPT = 64


class Network(ABC):
    """A loaded model: one input, one output. `width_step` is the grid that input widths should lie on for speed."""

    width_step: int

    @abstractmethod
    def run(self, values: Tensor) -> Tensor:
        """The network's output; valid until the next call."""

    @property
    @abstractmethod
    def metadata(self) -> Mapping[str, str]:
        """The model's own notes."""


def load_network(model: bytes) -> Network:
    """The fastest runtime that this machine offers. Raises EngineError when the model cannot be loaded."""
    try:
        return OpenVino(model) if openvino_pays() else OnnxRuntime(model)
    except Exception as problem:
        raise EngineError(f"the OCR model cannot be loaded: {type(problem).__name__}: {problem}") from problem


@lru_cache(maxsize=1)
def openvino_pays() -> bool:
    """Whether OpenVINO is installed and the processor computes in bf16; without that it is no faster, but larger."""
    return importlib.util.find_spec("openvino") is not None and BF16_FLAG in processor_flags()


@lru_cache(maxsize=1)
def int8_pays() -> bool:
    """Whether models are to be loaded in 8 bits: onnxruntime is used, and the processor multiplies 8-bit numbers."""
    return not openvino_pays() and bool(INT8_FLAGS & processor_flags())


def optimized(model: bytes, *, level: Literal["ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"]) -> bytes:
    """The network as onnxruntime makes it over before it runs it: BASIC for any processor, ALL for this one.

    One made over for this processor loads in a third of the time, and computes the same.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    with tempfile.TemporaryDirectory(prefix="docpipe-") as folder:
        file = Path(folder) / "model.onnx"
        options.optimized_model_filepath = str(file)
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return file.read_bytes()


def processor_flags() -> frozenset[str]:
    """What the processor can, as Linux names it; empty where that is not known."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


class OnnxRuntime(Network):
    """onnxruntime, one thread. Unpadded single lines are fastest: their activations stay in the processor's cache."""

    width_step = 8

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input: str = self._session.get_inputs()[0].name

    def run(self, values: Tensor) -> Tensor:
        output: Tensor = self._session.run(None, {self._input: values})[0]
        return output

    @property
    def metadata(self) -> Mapping[str, str]:
        notes: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return notes


class OpenVino(Network):
    """OpenVINO, one thread, bf16."""

    width_step = 32

    def __init__(self, model: bytes) -> None:
        import onnx
        import openvino

        self._metadata = {entry.key: entry.value for entry in onnx.load_from_string(model).metadata_props}
        core: Any = openvino.Core()
        compiled = core.compile_model(core.read_model(model, b""), "CPU", _OPENVINO_OPTIONS)
        self._request: Any = compiled.create_infer_request()

    def run(self, values: Tensor) -> Tensor:
        self._request.infer([values], share_inputs=True)
        output: Tensor = self._request.get_output_tensor().data
        return output

    @property
    def metadata(self) -> Mapping[str, str]:
        return self._metadata


_OPENVINO_OPTIONS = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "PERFORMANCE_HINT": "LATENCY",
    "ENABLE_CPU_PINNING": False,
    "INFERENCE_PRECISION_HINT": "bf16",
    "CPU_RUNTIME_CACHE_CAPACITY": KERNELS_KEPT,
}
