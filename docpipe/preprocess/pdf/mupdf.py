"""PyMuPDF, which comes without types, behind one name; its messages go nowhere, as its exceptions say the same."""

from __future__ import annotations

import gc
import importlib
from typing import Any


def _load() -> Any:
    """The module. A quarter of its import would be a search for garbage that it does not make."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module("pymupdf")
    finally:
        if collects:
            gc.enable()


pymupdf: Any = _load()
pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)
