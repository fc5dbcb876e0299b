"""The way to torch and transformers: imported once, on the first need, and kept from tripping over a broken torchvision."""

from __future__ import annotations

import functools
import importlib
import logging
import sys
from typing import Any

from docpipe.errors import MissingError

HINT = "pip install 'docpipe[vlm]'"


@functools.cache
def transformers() -> Any:
    """The transformers package. Raises MissingError where it, or torch, is not installed."""
    try:
        importlib.import_module("torch")
    except ImportError as problem:
        raise MissingError(f"torch cannot be imported: {problem}", hint=HINT) from problem
    _hide_broken_torchvision()
    library = optional("transformers")
    library.utils.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").handlers.clear()  # it hands its records on as well: each would be printed twice
    return library


def torch() -> Any:
    """The torch package, likewise."""
    transformers()
    return sys.modules["torch"]


def optional(name: str, *, hint: str = HINT) -> Any:
    """The module of that name. Raises MissingError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise MissingError(f"{name} cannot be imported: {problem}", hint=hint) from problem


def _hide_broken_torchvision() -> None:
    """transformers asks whether torchvision is installed, not whether it works: one built for another torch than the one beside it makes
    every model class fail. It is not needed for images, so a broken one counts as absent."""
    try:
        importlib.import_module("torchvision.transforms.v2.functional")
    except Exception:  # ImportError, OSError, RuntimeError("operator torchvision::nms does not exist")
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision"] = None  # type: ignore[assignment]
