"""PyMuPDF, which comes without types, behind one name; its messages go nowhere, as its exceptions say the same."""

from __future__ import annotations

import importlib
from typing import Any

pymupdf: Any = importlib.import_module("pymupdf")
pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)
