"""Some pages of a PDF as a PDF of their own. Knows what of a file belongs to a page, and leaves the rest behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docpipe.preprocess.pdf.mupdf import pymupdf


def write_excerpt(document: Any, numbers: Sequence[int], target: Path, *, password: str | None) -> None:
    """Copy the pages (1-based, rising) with their annotations and form fields; nothing is drawn or compressed anew.

    Attachments, outline, scripts and structure are the whole file's and may be about other pages: they are left behind. A file that needs a
    password gives one that needs the same.
    """
    made = pymupdf.open()
    try:
        for first, last in _runs(numbers):
            made.insert_pdf(document, from_page=first - 1, to_page=last - 1, final=False)
        made.save(target, garbage=3, **_lock(password if document.needs_pass else None))
    finally:
        made.close()


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers without a gap."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _lock(password: str | None) -> dict[str, Any]:
    return {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": password, "owner_pw": password} if password else {}
