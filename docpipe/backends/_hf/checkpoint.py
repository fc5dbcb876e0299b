"""Where a model lies and how it is loaded: configuration and processor on the first need, the weights when asked for."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Collection
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

from docpipe.backends import ModelOptions
from docpipe.backends._hf.errors import typed
from docpipe.backends._hf.library import optional, torch, transformers
from docpipe.backends._hf.processor import load_processor
from docpipe.errors import EngineError, UsageError

log = logging.getLogger("docpipe.progress")
SPREAD = "balanced"  # accelerate's name for a model in parts of about the same size on every GPU
WEIGHTS = ("*.safetensors", "*.bin", "*.pth")


class Checkpoint:
    """A folder or a hub's model. Code that comes with a model is never run."""

    def __init__(self, options: ModelOptions, *, takes: Collection[str]) -> None:
        """`takes` are the model types that are meant to lie there. Raises UsageError where no model is named."""
        if not options.model:
            raise UsageError("no model is named", hint="DOCPIPE_MODEL__MODEL is a folder or a hub's id, such as Qwen/Qwen3-VL-4B-Instruct")
        self._options = options
        self._takes = takes

    @cached_property
    def config(self) -> Any:
        """Raises EngineError where nothing lies there, or a model of another family."""
        with self._typed("reading the configuration of"):
            config = transformers().AutoConfig.from_pretrained(self._where, **self._how)
        if config.model_type not in self._takes:
            raise EngineError(
                f"{self.label} is a {config.model_type} model",
                hint=f"this backend takes {', '.join(sorted(self._takes))}; see docs/models.md",
            )
        return config

    @cached_property
    def processor(self) -> Any:
        """The processor, which pads on the left and needs no torchvision."""
        with self._typed("reading the processor of"):
            return load_processor(self._where, self.config, **self._how)

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer of a language model that sees nothing."""
        with self._typed("reading the tokenizer of"):
            return transformers().AutoTokenizer.from_pretrained(self._where, **self._how)

    @cached_property
    def name(self) -> str:
        """The model's name and which one it is: the hub's commit, or for a folder a hash of its configuration and the start of its
        weights."""
        return f"{self.label}@{getattr(self.config, '_commit_hash', None) or _fingerprint(Path(self._options.model))}"

    @property
    def label(self) -> str:
        """The model's name without any folder of this machine."""
        path = Path(self._options.model)
        return path.name if self._is_folder or path.is_absolute() else self._options.model

    def model(self, kind: Any = None, **more: Any) -> Any:
        """The weights, ready to answer; `kind` is the class that reads them, None the family's own, `more` are keywords of its
        `from_pretrained`.

        Raises EngineError, MissingError, OutboundError and ResourceError.
        """
        kind = kind or transformers().AutoModelForImageTextToText
        device = self.device
        how: dict[str, Any] = {"dtype": self._dtype(device), **more}
        if self._options.attention != "sdpa":  # left to the library, which takes it wherever a family has it
            how["attn_implementation"] = self._options.attention
        if self._options.device == SPREAD:
            how["device_map"] = SPREAD
        elif device.type != "cpu":
            how["device_map"] = {"": device}
        if self._options.quantization != "none":
            how["quantization_config"] = self._quantization()
        log.info("loading %s%s on %s", self.label, self._size, device)
        begin = time.monotonic()
        with self._typed("loading"):
            model, found = kind.from_pretrained(self._where, **self._how, **how, output_loading_info=True)
        if missing := sorted(found["missing_keys"]):  # the library makes up for them with random numbers
            raise EngineError(
                f"{self.label} lacks {len(missing)} of its weights, such as {missing[0]}",
                hint="its configuration is of another model, or a file is missing; see docs/models.md",
            )
        log.info("loaded in %.0f s", time.monotonic() - begin)
        return model.eval()

    @cached_property
    def device(self) -> Any:
        """Where the model runs, or begins to."""
        library = torch()
        if self._options.device in ("auto", SPREAD):
            return library.device("cuda" if library.cuda.is_available() else "cpu")
        hint = f"auto, cpu, cuda, cuda:1, or {SPREAD} over all GPUs"
        try:
            device = library.device(self._options.device)
        except RuntimeError as problem:
            raise UsageError(f"there is no device {self._options.device!r}", hint=hint) from problem
        if device.type == "cuda" and (device.index or 0) >= library.cuda.device_count():
            raise UsageError(f"there is no device {self._options.device!r}: torch finds {library.cuda.device_count()} GPUs", hint=hint)
        return device

    def _typed(self, doing: str) -> AbstractContextManager[None]:
        place = self._options.model if self._is_folder else ""
        return typed(f"{doing} {self.label}", place=place, hint="is it a whole checkpoint of transformers? see docs/models.md")

    def _dtype(self, device: Any) -> Any:
        asked = self._options.dtype
        if device.type == "cpu" and asked == "float16":
            raise UsageError("float16 on a CPU is over ten times slower than float32", hint="DOCPIPE_MODEL__DTYPE=auto")
        if asked == "auto":
            asked = "float32" if device.type == "cpu" else "bfloat16"
        return getattr(torch(), asked)

    def _quantization(self) -> Any:
        optional("bitsandbytes", hint="pip install 'docpipe[quantized]', or DOCPIPE_MODEL__QUANTIZATION=none")
        kind = transformers().BitsAndBytesConfig
        if self._options.quantization == "int8":
            return kind(load_in_8bit=True)
        return kind(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch().bfloat16)

    @property
    def _size(self) -> str:
        """How much a folder's weights are; what a hub's are is known once they are here."""
        weights = [file for pattern in WEIGHTS for file in Path(self._options.model).glob(pattern)] if self._is_folder else []
        return f" ({sum(file.stat().st_size for file in weights) / 1e9:.1f} GB)" if weights else ""

    @property
    def _is_folder(self) -> bool:
        return Path(self._options.model).is_dir()

    @property
    def _where(self) -> str:
        if not self._is_folder and _is_path(self._options.model):
            raise EngineError(f"there is no folder {self.label}", hint="DOCPIPE_MODEL__MODEL is a folder or a hub's id")
        return self._options.model

    @property
    def _how(self) -> dict[str, Any]:
        return {
            "revision": self._options.revision or "main",
            "local_files_only": self._options.offline or self._is_folder,
            "trust_remote_code": False,
        }


def _is_path(name: str) -> bool:
    """A hub's id has one slash at the most, and no dots for a name."""
    return Path(name).is_absolute() or name.count("/") > 1 or name.startswith((".", "~")) or name.endswith("/")


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for pattern in ("config.json", *WEIGHTS):
        for file in sorted(folder.glob(pattern)):
            with file.open("rb") as opened:
                digest.update(f"{file.name} {file.stat().st_size} ".encode() + opened.read(1 << 20))
    return digest.hexdigest()[:12]
