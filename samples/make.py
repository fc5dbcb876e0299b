"""Draws every sample and writes what a right reading of it gives: `python samples/make.py`. The same bytes every time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import camera
import form
import invoice_american
import invoice_austrian
import invoice_french
import invoice_german
import receipt
import tax_invoice
from paper import pdf_bytes

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Sample:
    """A file, the schema to read it with, how it is made, and the `data` that a right reading gives."""

    file: str
    schema: str
    content: Callable[[], bytes]
    expected: Callable[[], dict[str, Any]]


def _german_scan() -> bytes:
    pages = camera.render(invoice_german.draw())
    return pdf_bytes(camera.scanned_pdf([camera.scan(page, angle=angle, seed=7) for page, angle in zip(pages, (1.3, -0.8), strict=True)]))


def _upside_down_scan() -> bytes:
    (page,) = camera.render(invoice_french.draw())
    return pdf_bytes(camera.scanned_pdf([camera.scan(page[::-1, ::-1], angle=0.4, seed=11)]))


def _receipt_photo() -> bytes:
    (slip,) = camera.render(receipt.draw(), dpi=320)
    return camera.jpeg(camera.photograph(slip, seed=5), 78)


def _french() -> dict[str, Any]:
    return invoice_french.INVOICE.expected(summary=True)


SAMPLES = (
    Sample("invoice.pdf", "invoice", lambda: pdf_bytes(invoice_german.draw()), invoice_german.INVOICE.expected),
    Sample("invoice_scan.pdf", "invoice", _german_scan, invoice_german.INVOICE.expected),
    Sample("receipt_photo.jpg", "receipt", _receipt_photo, receipt.expected),
    Sample("form.pdf", "form", lambda: pdf_bytes(form.draw()), form.expected),
    Sample("tax_invoice_kr.pdf", "tax_invoice_kr", lambda: pdf_bytes(tax_invoice.draw()), tax_invoice.expected),
    Sample("rotated.pdf", "invoice", lambda: pdf_bytes(invoice_french.draw_turned()), _french),
    Sample("upside_down_scan.pdf", "invoice", _upside_down_scan, _french),
    Sample(
        "fax.tif",
        "invoice",
        lambda: camera.fax(camera.render(invoice_american.draw())),
        lambda: invoice_american.INVOICE.expected(rates=False),
    ),
    Sample("facturx.pdf", "invoice", invoice_austrian.pdf, lambda: invoice_austrian.INVOICE.expected(summary=True)),
)


def expected_bytes(sample: Sample) -> bytes:
    """The sample's expected result as its file holds it."""
    return (json.dumps({"schema": sample.schema, "data": sample.expected()}, ensure_ascii=False, indent=2) + "\n").encode()


def main(target: Path) -> None:
    """Write every sample and its expected JSON below `target`."""
    (target / "expected").mkdir(parents=True, exist_ok=True)
    for sample in SAMPLES:
        content = sample.content()
        (target / sample.file).write_bytes(content)
        (target / "expected" / f"{Path(sample.file).stem}.json").write_bytes(expected_bytes(sample))
        print(f"{sample.file:24}{len(content):>9,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
