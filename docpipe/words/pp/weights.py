"""Where the two ONNX models come from, the Latin cut of the recognizer, what is kept of both. Knows files and hashes, no OCR."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from docpipe.errors import EngineError, MissingError
from docpipe.words.pp.runtime import optimized, processor_flags
from docpipe.workspace import write_atomic

log = logging.getLogger(__name__)

Alphabet = Literal["latin", "full"]

CARRIER = "rapidocr"
CARRIER_VERSION = "3.10.0"
DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNIZER = "PP-OCRv6_rec_small.onnx"
SHA256 = {
    DETECTOR: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    RECOGNIZER: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
HEAD_WEIGHT, HEAD_BIAS = "linear_8.w_0", "linear_8.b_0"
BLANK = "\0"

# What European business documents are printed with. Everything else of the 18 708 characters is CJK, symbols and emoji, which cost
# a quarter of the recognizer's time and are only ever confused with these.
LATIN_RANGES = (
    (0x21, 0x17E),  # ASCII, Latin-1, Latin Extended-A
    (0x1EA0, 0x1EF9),  # Vietnamese
    (0x370, 0x3CE),  # Greek
    (0x2010, 0x203A),  # dashes, quotes, bullets, per mille
    (0x20A0, 0x20BF),  # currencies
    (0x2460, 0x2473),  # numbers in circles
    (0x2610, 0x2612),  # ballot boxes
    (0x2713, 0x2718),  # ticks and crosses
)
LATIN_SINGLES = frozenset("ȘșȚțẞ℃№™←→−√≠≤≥■□●○※㎎㎏ℓ㎡㎥")

_HINT = f"pip install --force-reinstall {CARRIER}=={CARRIER_VERSION}"


def is_latin(char: str) -> bool:
    """Whether the Latin cut keeps this character."""
    return len(char) == 1 and (char in LATIN_SINGLES or any(low <= ord(char) <= high for low, high in LATIN_RANGES))


def detector_model(cache: Path, *, int8: bool = False) -> bytes:
    """The detector as shipped, or in 8 bits. Raises EngineError when the file is not the known one."""
    return _in_int8(SHA256[DETECTOR], lambda: _shipped(DETECTOR), cache) if int8 else _shipped(DETECTOR)


def recognizer_model(alphabet: Alphabet, cache: Path, *, int8: bool = False) -> bytes:
    """The recognizer for an alphabet; the Latin one in 8 bits where that is asked for. What has to be made is made once and kept in
    `cache`; where that folder cannot be written it is made again in every process, so that what is read never depends on the disk.
    Raises EngineError."""
    if alphabet == "full":
        return _shipped(RECOGNIZER)
    key = repr((SHA256[RECOGNIZER], LATIN_RANGES, sorted(LATIN_SINGLES)))
    if int8:
        return _in_int8(key, lambda: cut_head(_shipped(RECOGNIZER)), cache)
    return _kept(f"ppocr-latin-{_digest(key)}.bin", lambda: cut_head(_shipped(RECOGNIZER)), cache)


def _in_int8(key: str, source: Callable[[], bytes], cache: Path) -> bytes:
    from docpipe.words.pp.int8 import VERSION, to_int8

    # The graph is as this onnxruntime made it for this processor, so another one of either makes its own.
    made_by = importlib.metadata.version("onnxruntime"), sorted(processor_flags())
    name = f"ppocr-int8-{_digest(repr((key, VERSION, made_by)))}.bin"
    return _kept(name, lambda: optimized(to_int8(source()), level="ORT_ENABLE_ALL"), cache)


def _kept(name: str, make: Callable[[], bytes], cache: Path) -> bytes:
    """The model of this name in `cache`; made and kept there where it is missing or damaged."""
    stored = _stored(cache / name)
    if stored is not None:
        return stored
    model = make()
    try:
        write_atomic(cache / name, hashlib.sha256(model).digest() + model)
    except OSError as problem:
        log.warning("the OCR model cannot be kept in %s: %s", cache, problem.strerror)
    return model


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def cut_head(model: bytes) -> bytes:
    """The recognizer with only the output columns of blank, the Latin characters and space; all other weights as they are."""
    import onnx
    from onnx import numpy_helper

    network = onnx.load_from_string(model)
    names = next(entry for entry in network.metadata_props if entry.key == "character")
    characters = names.value.splitlines()
    columns = [0, *(place + 1 for place, char in enumerate(characters) if is_latin(char)), len(characters) + 1]
    for weights in network.graph.initializer:
        if weights.name in (HEAD_WEIGHT, HEAD_BIAS):
            kept = np.ascontiguousarray(numpy_helper.to_array(weights)[..., columns])
            weights.CopyFrom(numpy_helper.from_array(kept, weights.name))
    names.value = "\n".join(characters[column - 1] for column in columns[1:-1])
    network.graph.output[0].type.tensor_type.shape.dim[2].dim_value = len(columns)
    return bytes(network.SerializeToString())


def characters(metadata: dict[str, str]) -> tuple[str, ...]:
    """The character of every output column, from the model's own metadata; column 0 is the CTC blank, the last one the space."""
    return (BLANK, *metadata["character"].splitlines(), " ")


def _stored(file: Path) -> bytes | None:
    """The model kept in `file`, when it is whole: a digest, then the model."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, model = content[:32], content[32:]
    return model if hashlib.sha256(model).digest() == digest else None


def _shipped(name: str) -> bytes:
    """A model file of the carrier package, which is located but never imported."""
    try:
        version = importlib.metadata.version(CARRIER)
        spec = importlib.util.find_spec(CARRIER)
    except importlib.metadata.PackageNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise MissingError(f"{CARRIER}, which carries the OCR models, is not installed", hint=_HINT)
    if version != CARRIER_VERSION:
        raise EngineError(f"{CARRIER} is {version}, the OCR models are those of {CARRIER_VERSION}", hint=_HINT)
    return verified(Path(spec.origin).parent / "models" / name, SHA256[name])


def verified(file: Path, sha256: str) -> bytes:
    """The file's content; raises EngineError unless it has this hash."""
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise EngineError(f"the OCR model {file.name} cannot be read: {problem.strerror}", hint=_HINT) from problem
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EngineError(f"the OCR model {file.name} is not the one that {CARRIER} {CARRIER_VERSION} shipped", hint=_HINT)
    return content
