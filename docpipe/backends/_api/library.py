"""The way to the `openai` package and what it sends with: imported once, on the first need."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from docpipe.errors import MissingError


@functools.cache
def openai() -> Any:
    """The package. Raises MissingError where it is not installed."""
    try:
        importlib.import_module("httpx2")
        return importlib.import_module("openai")
    except ImportError as problem:
        raise MissingError(f"openai 3.57 or later cannot be imported: {problem}", hint="pip install 'docpipe[api]'") from problem
