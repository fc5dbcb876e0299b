"""The e-invoice XML among a PDF's embedded files. Reads no other attachment."""

from __future__ import annotations

from typing import Any

from docpipe.preprocess.einvoice import NAMES, is_einvoice

MOST_FILES = 50
MOST_BYTES = 32 * 1024 * 1024


def find_einvoice(document: Any) -> bytes | None:
    """The content of the first attachment that is an e-invoice, those with a standard's file name first; None where there is none."""
    found = []
    for index in range(min(document.embfile_count(), MOST_FILES)):
        facts = document.embfile_info(index)
        name = str(facts.get("filename") or facts.get("ufilename") or facts.get("name") or "").lower()
        if int(facts.get("size") or 0) <= MOST_BYTES and int(facts.get("length") or 0) <= MOST_BYTES:
            found.append((name not in NAMES, not name.endswith(".xml"), index))
    for _, _, index in sorted(found):
        content = _content(document, index)
        if is_einvoice(content):
            return content
    return None


def _content(document: Any, index: int) -> bytes:
    """An attachment; nothing where it is damaged or locked by a password of its own."""
    try:
        return bytes(document.embfile_get(index))
    except (RuntimeError, ValueError, TypeError):
        return b""
