"""docpipe: documents and scans in; validated, evidence-carrying JSON out.

The public names, loaded when first used; `import docpipe` by itself imports nothing heavy.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docpipe import annotations, errors
    from docpipe.api import Reader, revalidate, run
    from docpipe.errors import DocpipeError
    from docpipe.records import Field, Issue, Readings, Result
    from docpipe.request import Request
    from docpipe.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "DocpipeError",
    "Field",
    "Issue",
    "Reader",
    "Readings",
    "Request",
    "Result",
    "Settings",
    "__version__",
    "annotations",
    "errors",
    "revalidate",
    "run",
]

_HOMES = {
    "DocpipeError": "errors",
    "Field": "records",
    "Issue": "records",
    "Reader": "api",
    "Readings": "records",
    "Request": "request",
    "Result": "records",
    "Settings": "settings",
    "revalidate": "api",
    "run": "api",
}
_MODULES = frozenset({"annotations", "errors"})


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"docpipe.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'docpipe' has no attribute {name!r}")
    return getattr(importlib.import_module(f"docpipe.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
