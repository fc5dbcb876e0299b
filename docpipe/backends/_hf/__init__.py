"""Models that run in this process, through transformers. Each backend beside this folder says which families it takes and how they are
asked; what is here loads them, owns them in one thread, batches, and decodes."""

from __future__ import annotations

from docpipe.backends._hf.caption import CaptionBackend
from docpipe.backends._hf.chat import ChatBackend
from docpipe.backends._hf.local import LocalBackend

__all__ = ["CaptionBackend", "ChatBackend", "LocalBackend"]
