"""What is accepted on the word of a text layer is looked at: where the picture says something else, the document is for a person."""

from datetime import date as Date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pymupdf
import pytest
from pydantic import BaseModel, Field

import docpipe
from docpipe.annotations import Labels, Required, Rule, Sum
from docpipe.api import Reader
from docpipe.errors import EngineError
from docpipe.records import Readings, Result
from docpipe.values.alike import says
from docpipe.words import OcrEngine

NUMBER, DATE, TOTAL = "R-2041-77", "14.03.2025", "571,04"
PLACES = {"number": (300, 90), "date": (300, 110), "net": (460, 300), "tax": (460, 320), "total": (460, 340)}
SIZE = 11


class Bill(BaseModel):
    number: Annotated[str | None, Required(), Labels(en="invoice number")] = Field(None, description="Number of the invoice")
    date: Annotated[Date | None, Required(), Labels(en="invoice date")] = Field(None, description="Date of the invoice")
    net: Annotated[Decimal | None, Labels(en="net total")] = Field(None, description="Total before tax")
    tax: Annotated[Decimal | None, Labels(en="total VAT")] = Field(None, description="Tax in total")
    total: Annotated[Decimal | None, Required(), Labels(en="gross total")] = Field(None, description="Total with tax")
    rules: ClassVar[tuple[Rule, ...]] = (Sum("total", ("net", "tax")),)


@cache
def reader() -> Reader[Bill]:
    return Reader(Bill)


def bill(total: str = TOTAL, *, total_size: float = SIZE) -> pymupdf.Document:
    """An honest invoice of one page with a text layer."""
    document = pymupdf.open()
    page = document.new_page()
    said = {
        "number": ("Invoice number", NUMBER),
        "date": ("Invoice date", DATE),
        "net": ("Net total", "479,87"),
        "tax": ("Total VAT", "91,17"),
        "total": ("Gross total", total),
    }
    page.insert_text((60, 50), "Invoice", fontsize=18)
    for name, (label, value) in said.items():
        x, y = PLACES[name]
        page.insert_text((x - 110, y), label, fontsize=SIZE)
        page.insert_text((x, y), value, fontsize=total_size if name == "total" else SIZE)
    for line in range(6):
        page.insert_text((60, 150 + 18 * line), "Tables and chairs, as ordered, brought to the house and set up", fontsize=SIZE)
    return document


def place(name: str) -> pymupdf.Rect:
    x, y = PLACES[name]
    return pymupdf.Rect(x - 3, y - 11, x + 62, y + 4)


def picture(text: str, width: float = 65) -> bytes:
    """A picture of other digits, as large as the place of a value."""
    small = pymupdf.open()
    page = small.new_page(width=width, height=15)
    page.insert_text((min(3, width / 14), 11), text, fontsize=SIZE)
    return page.get_pixmap(dpi=300).tobytes("png")


def read(path: Path, document: pymupdf.Document, **options) -> Result[Bill]:
    document.save(path / "bill.pdf")
    return reader().read(path / "bill.pdf", **options)


def unseen(result: Result[Bill]) -> set[str | None]:
    assert result.status == "review"
    found = [issue for issue in result.issues if issue.code == "not_as_seen"]
    assert all(issue.severity == "error" and issue.page == 1 for issue in found)
    return {issue.path for issue in found}


@pytest.mark.parametrize("total", ["571,04", "571,04 EUR", "€ 571,04", "571.04"])
def test_an_honest_document_is_accepted(tmp_path, total):
    document = bill(total)
    result = read(tmp_path, document)
    assert (result.status, result.data.total, result.issues) == ("accepted", Decimal("571.04"), ())
    assert result.usage.by_engine["witness"].calls == 5 and "witness" in result.timing


@pytest.mark.parametrize("shown", ["971,04", "571,84", "1571,04", "57,104", "-571,04"])
def test_a_picture_of_another_amount_over_the_text_is_found(tmp_path, shown):
    document = bill()
    document[0].insert_image(place("total"), stream=picture(shown))
    result = read(tmp_path, document)
    assert unseen(result) == {"total"}
    (issue,) = (issue for issue in result.issues if issue.code == "not_as_seen")
    assert issue.suggestion == shown and shown in issue.message


def test_a_digit_pasted_before_an_amount_is_found(tmp_path):
    document = bill()
    x, y = PLACES["total"]
    document[0].insert_image(pymupdf.Rect(x - 7.5, y - 11, x - 0.5, y + 4), stream=picture("9", width=7))
    assert unseen(read(tmp_path, document)) == {"total"}


def test_a_black_bar_over_a_number_is_found(tmp_path):
    document = bill()
    document[0].draw_rect(place("number"), fill=(0, 0, 0))
    assert unseen(read(tmp_path, document)) == {"number"}


def test_digits_drawn_as_lines_over_the_text_are_found(tmp_path):
    document = bill()
    page, (x, y) = document[0], PLACES["date"]
    page.draw_rect(place("date"), fill=(1, 1, 1), color=(1, 1, 1))
    for step in range(4):  # 1111
        page.draw_line((x + 6 * step, y), (x + 6 * step, y - 8), width=1.2)
    assert unseen(read(tmp_path, document)) == {"date"}


def test_print_too_small_to_be_seen_is_found(tmp_path):
    document = bill(total_size=1.5)
    document[0].insert_image(pymupdf.Rect(465, 329, 530, 344), stream=picture("999,99"))
    assert "total" in unseen(read(tmp_path, document))


def test_the_readings_alone_give_the_same_review(tmp_path):
    document = bill()
    document[0].draw_rect(place("total"), fill=(0, 0, 0))
    result = read(tmp_path, document, work=tmp_path / "work")
    assert unseen(result) == {"total"}
    kept = tmp_path / "work" / "readings.json"
    again = docpipe.revalidate(kept, Bill)
    assert again.canonical_json() == result.canonical_json()
    readings = Readings.model_validate_json(kept.read_bytes())
    assert [outcome.engine for outcome in readings.outcomes].count("witness") == 1


@pytest.mark.parametrize("size", [(3, 5), (12, 40), (30, 30), (64, 9)])
def test_a_crop_of_any_size_can_be_looked_at(size):
    noise = np.random.default_rng(1).integers(0, 255, size, dtype=np.uint8)
    assert isinstance(reader().ocr.read(noise), list)


class Blind(OcrEngine):
    name = "blind"

    def read(self, image, *, languages=(), text_height=None):
        raise EngineError("no eyes")


def test_what_cannot_be_looked_at_is_not_accepted(tmp_path):
    blind = Reader(Bill)
    blind.ocr = Blind()
    bill().save(tmp_path / "bill.pdf")
    result = blind.read(tmp_path / "bill.pdf")
    assert result.status == "review" and result.data.total == Decimal("571.04")
    assert [issue.message for issue in result.issues if issue.code == "engine_failed"] == ["witness: engine: no eyes"]


def test_what_is_for_review_anyway_is_not_looked_at(tmp_path):
    result = read(tmp_path, bill("571,05"))
    assert result.status == "review" and "witness" not in result.usage.by_engine


@pytest.mark.parametrize(
    ("seen", "printed", "kind", "expected"),
    [
        ("57I,O4 EUR", "571,04", "money", True),
        ("EUR571,04", "571,04 EUR", "money", True),
        ("1 571,04", "1.571,04", "money", True),
        ("1 571,04", "571,04", "money", False),
        ("577,04", "571,04", "money", False),
        ("5.7104", "571,04", "money", False),
        ("571,04-", "571,04", "money", False),
        ("571,04", "-571,04", "money", False),
        ("", "571,04", "money", False),
        ("EUR", "571,04", "money", False),
        ("R-2O41-77", "R-2041-77", "id", True),
        ("Nr.: R-2041-77", "R-2041-77", "id", True),
        ("R-2041-78", "R-2041-77", "id", False),
        ("R-2041-77 12", "R-2041-77", "id", False),
        ("14 March 2025", "14 March 2025", "date", True),
        ("14 May 2025", "14 March 2025", "date", False),
        ("DE44 50010517", "DE44 5001 0517", "iban", True),
        ("Müller & Söhne GmbH", "Muller & Sohne GmbH", "name", True),
        ("Miiller & Sohne GmbH", "Müller & Söhne GmbH", "name", True),
        ("Schmidt & Co KG", "Müller & Söhne GmbH", "name", False),
        ("", "€", "currency", False),
    ],
)
def test_what_says_the_same(seen, printed, kind, expected):
    assert says(seen, printed, kind=kind) is expected
