"""Opening and closing a PDF, with every way it can fail told apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docpipe.errors import DamagedError, EmptyError, PageError, PasswordError
from docpipe.preprocess.pdf.mupdf import pymupdf

_FEW_PAGES = 20
_REFERENCE = re.compile(r"(\d+) \d+ R\b")


def open_pdf(path: Path, password: str | None) -> tuple[Any, bool]:
    """The open document, and whether it needs a password; raises DamagedError or PasswordError. MuPDF tries the empty password where it is
    asked that, and so loses the key of a document that is unlocked: nobody may ask it later."""
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (RuntimeError, ValueError) as problem:
        raise DamagedError(f"not a PDF that can be opened: {reason(problem)}") from problem
    locked = bool(document.needs_pass)
    if locked:
        _unlock(document, password)
    return document, locked


def check_pages(document: Any, pages: int, path: Path, password: str | None) -> None:
    """Raises EmptyError, DamagedError or PasswordError where nothing is left to read: no page, or only bare ones of a repaired file."""
    if pages == 0 and password is None and b"/Encrypt" in path.read_bytes():
        raise PasswordError("no page can be found in it without its password")
    if not document.is_repaired:
        if pages == 0:
            raise EmptyError("the PDF has no pages")
        return
    if pages == 0:
        raise DamagedError("no page of the damaged PDF is left")
    if pages <= _FEW_PAGES and all(_is_bare(document, index) for index in range(pages)):
        raise DamagedError("what is left of the damaged PDF are bare pages")


def check_content(document: Any, page: Any) -> None:
    """Raises PageError where the page names content that the file does not hold. A reader shows it blank, as the format has it; but a page
    that was meant to be blank names none. A page without a number of its own, as some write it, cannot be asked."""
    if not 0 < page.xref < document.xref_length():
        return
    _, named = document.xref_get_key(page.xref, "Contents")
    if any(not _is_there(document, int(number)) for number in _REFERENCE.findall(named)):
        raise PageError(f"page {page.number + 1} names content that is not in the file", page=page.number + 1)


def _is_there(document: Any, number: int) -> bool:
    return bool(0 < number < document.xref_length() and document.xref_object(number, compressed=True) != "null")


def _is_bare(document: Any, index: int) -> bool:
    """Whether a page has neither content nor annotations; a page that cannot be loaded is not bare but broken."""
    try:
        page = document[index]
        return not page.get_contents() and page.first_annot is None and page.first_widget is None
    except (RuntimeError, ValueError, IndexError):
        return False


def _unlock(document: Any, password: str | None) -> None:
    if _only_attachments_locked(document):
        document.is_encrypted = False
        document.init_doc()
        return
    if password is None:
        raise PasswordError("a password is needed to open it")
    if not document.authenticate(password):
        raise PasswordError("the password is wrong")


def _only_attachments_locked(document: Any) -> bool:
    """Whether strings and streams are in the clear, and only embedded files encrypted."""
    kinds = {key: document.xref_get_key(-1, f"Encrypt/{key}")[1] for key in ("StmF", "StrF")}
    return set(kinds.values()) == {"/Identity"}


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
