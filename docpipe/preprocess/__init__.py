"""A file -> its pages. Sniffs by content, opens and renders in a killable child process, cleans the pixels. Reads no words off images.

Names are imported on first use: the rendering child imports this package too and must not pay for the parent's side of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docpipe.preprocess.client import warm_up
    from docpipe.preprocess.sniff import identify
    from docpipe.preprocess.stage import copy_pages, preprocess, render, survey

__all__ = ["copy_pages", "identify", "preprocess", "render", "survey", "warm_up"]

_HOMES = {"copy_pages": "stage", "identify": "sniff", "preprocess": "stage", "render": "stage", "survey": "stage", "warm_up": "client"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
