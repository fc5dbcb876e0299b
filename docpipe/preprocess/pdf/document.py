"""Opening and closing a PDF, with every way it can fail told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docpipe.errors import DamagedError, PasswordError
from docpipe.preprocess.pdf.mupdf import pymupdf


def open_pdf(path: Path, password: str | None) -> Any:
    """The open document; raises DamagedError or PasswordError."""
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (RuntimeError, ValueError) as problem:
        raise DamagedError(f"not a PDF that can be opened: {reason(problem)}") from problem
    if document.needs_pass:
        _unlock(document, password)
    return document


def _unlock(document: Any, password: str | None) -> None:
    if password is None:
        raise PasswordError("a password is needed to open it")
    if not document.authenticate(password):
        raise PasswordError("the password is wrong")


def count_pages(document: Any) -> int:
    """How many pages the document says it has; raises DamagedError where it cannot say."""
    try:
        return int(document.page_count)
    except (RuntimeError, ValueError) as problem:
        raise DamagedError(f"its page tree cannot be read: {reason(problem)}") from problem


def close_pdf(document: Any) -> None:
    """Close it and give back what MuPDF kept of it."""
    document.close()
    pymupdf.TOOLS.store_shrink(100)


def reason(problem: Exception) -> str:
    """MuPDF's words for what went wrong, in one short line."""
    text = " ".join(str(problem).split())
    return text[:120] or type(problem).__name__
