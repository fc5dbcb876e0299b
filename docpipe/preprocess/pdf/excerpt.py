"""Some pages of a PDF as a PDF of their own. Knows what of a file belongs to a page, and leaves the rest behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from docpipe.preprocess.pdf.mupdf import pymupdf

_LAYER = "DocpipeLayer"  # a layer's number in the whole file; it also keeps layers apart that are alike, which saving would make one


def write_excerpt(document: Any, numbers: Sequence[int], target: Path, *, password: str | None) -> None:
    """Copy the pages (1-based, rising) with their annotations, form fields and layers; nothing is drawn or compressed anew.

    Attachments, outline, scripts and structure are the whole file's and may be about other pages: they are left behind. The copy needs the
    `password`, where there is one.
    """
    made, layers = pymupdf.open(), document.get_ocgs()
    try:
        for layer in layers:
            document.xref_set_key(layer, _LAYER, str(layer))
        for first, last in _runs(numbers):
            made.insert_pdf(document, from_page=first - 1, to_page=last - 1, final=False)
        if layers:
            _keep_layers(made, hidden={layer for layer, how in layers.items() if not how["on"]})
        made.save(target, garbage=3, **_lock(password))
    finally:
        made.close()


def _keep_layers(made: Any, *, hidden: Collection[int]) -> None:
    """What the file does not show, such as another language or an older state, its excerpt does not show either."""
    kinds = ((layer, made.xref_get_key(layer, _LAYER)) for layer in range(1, made.xref_length()))
    copied = {layer: int(before) for layer, (kind, before) in kinds if kind == "int"}
    all_of_them, off = _references(copied), _references(layer for layer, before in copied.items() if before in hidden)
    made.xref_set_key(made.pdf_catalog(), "OCProperties", f"<</OCGs[{all_of_them}]/D<</Order[{all_of_them}]/OFF[{off}]>>>>")


def _references(numbers: Iterable[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)


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
