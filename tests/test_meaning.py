"""Papers whose print means something else than the schema asks for go to a person, with an issue that says why; honest ones do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

import pymupdf
import pytest
from drawn_invoices import LANGUAGES, LAYOUTS, Bill, draw, honest, save
from pydantic import BaseModel, Field

from docpipe.annotations import Labels, OtherTitles, OwnTitles, Required, Rule, Sum
from docpipe.api import Reader
from docpipe.extract.labels.layout import lay_out
from docpipe.extract.labels.struck import struck_words
from docpipe.fields import schema_ref
from docpipe.records import Result, Ruling, Word, Words

SAMPLE = Path(__file__).parent.parent / "samples" / "facturx.pdf"


def printed(part: str) -> Labels:
    return Labels(**{code: getattr(words, part) for code, words in LANGUAGES.items()})


class Demand(BaseModel):
    """A user's own schema, with fewer fields than the built-in one to take a stray date."""

    rules: ClassVar[tuple[Rule, ...]] = (Sum("total", ("net", "tax")),)

    number: Annotated[str | None, Required(), printed("number")] = Field(None, description="Number of the demand")
    issued: Annotated[date | None, Required(), printed("date")] = Field(None, description="Day it was issued")
    net: Annotated[Decimal | None, printed("net")] = Field(None, description="Total before tax")
    tax: Annotated[Decimal | None, printed("tax")] = Field(None, description="Tax in total")
    total: Annotated[Decimal | None, Required(), printed("gross")] = Field(None, description="Total with tax")


@cache
def reader(schema: type[BaseModel] | str = "invoice") -> Reader:
    return Reader(schema)


def read(path: Path, *bills: Bill, schema: type[BaseModel] | str = "invoice") -> Result:
    return reader(schema).read(save(path / "bill.pdf", *bills))


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def refused(result: Result, code: str, path: str | None = None) -> None:
    """The document is for a person, and says so with this issue."""
    assert result.status == "review"
    issue = next(issue for issue in result.issues if issue.code == code)
    assert issue.path == path and issue.message and issue.page == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layout", ["columns", "grid", "row"])
def test_an_ordinary_invoice_is_accepted(language, layout, tmp_path):
    bill = honest(language, layout, 4)
    result = read(tmp_path, bill)
    assert (result.status, result.issues) == ("accepted", ())
    assert {path: str(getattr(result.data, path)) for path in bill.true} == bill.true


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "TAX INVOICE"), ("en", "Invoice & Delivery note"), ("de", "Rechnung / Lieferschein"),
        ("de", "Rechnung zu Ihrer Bestellung"), ("es", "FACTURA"), ("ko", "세금계산서"),
    ],
)  # fmt: skip
def test_a_title_of_ones_own_contradicts_nothing(language, title, tmp_path):
    assert read(tmp_path, replace(honest(language, "grid", 4), title=title)).status == "accepted"


@pytest.mark.parametrize(
    ("language", "label", "value", "layout"),
    [
        ("de", "Lieferschein", "L-4711", "columns"), ("fr", "Bon de livraison", "L-4711", "grid"), ("ko", "납품서", "L-4711", "lines"),
        ("en", "Customer number", "10482", "columns"),
    ],
)  # fmt: skip
def test_numbers_of_other_papers_beside_ones_own_contradict_nothing(language, label, value, layout, tmp_path):
    assert read(tmp_path, honest(language, layout, 4).more(("x", label, value))).status == "accepted"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Statement of account"), ("en", "Pro forma invoice"), ("en", "QUOTATION"), ("en", "Payment reminder"), ("en", "Credit note"),
        ("de", "Auftragsbestätigung"), ("de", "2. Mahnung"), ("de", "Stornorechnung"), ("fr", "Devis"), ("fr", "Facture pro forma"),
        ("fr", "Avoir"), ("es", "Albarán"), ("es", "Factura rectificativa"), ("ko", "견적서"), ("ko", "수정세금계산서"),
        ("en", "Credit invoice"), ("en", "Invoice cancellation"), ("en", "Self-billed invoice"), ("de", "Sammelgutschrift"),
        ("de", "Rechnungsgutschrift"), ("de", "Stornierung der Rechnung"), ("de", "Korrektur zur Rechnung"),
        ("fr", "Annulation de facture"), ("es", "Factura de abono"),
    ],
)  # fmt: skip
def test_another_kind_of_document_is_none_of_the_schemas(language, title, tmp_path):
    result = read(tmp_path, replace(honest(language, LAYOUTS[len(title) % 5], 3), title=title))
    refused(result, "other_document")


def test_a_sentence_may_say_so_anywhere(tmp_path):
    refused(read(tmp_path, replace(honest("en", "letter", 3), notes=("Please note: this is not an invoice.",))), "other_document")


@pytest.mark.parametrize(("language", "stamp"), [("en", "VOID"), ("en", "Copy"), ("de", "STORNIERT"), ("fr", "ANNULÉ"), ("ko", "견본")])
def test_a_stamp_speaks_against_every_schema(language, stamp, tmp_path):
    refused(read(tmp_path, replace(honest(language, "letter", 3), stamp=stamp), schema=Demand), "stamped")


def test_a_watermark_across_the_page_is_a_stamp(tmp_path):
    document = draw(honest("en", "columns", 3))
    page = document[0]
    writer = pymupdf.TextWriter(page.rect)
    writer.append((120, 520), "SPECIMEN", fontsize=70)
    writer.write_text(page, color=(0.8, 0.8, 0.8), morph=(pymupdf.Point(300, 450), pymupdf.Matrix(45)))
    document.save(tmp_path / "bill.pdf")
    refused(reader().read(tmp_path / "bill.pdf"), "stamped")


@pytest.mark.parametrize("how", ["line", "bar", "slanted", "cross", "annotation", "pen"])
@pytest.mark.parametrize(("key", "path"), [("number", "number"), ("date", "issued"), ("total", "total")])
def test_what_is_crossed_out_is_not_accepted(how, key, path, tmp_path):
    bill = replace(honest("de", "grid", 3), marks=((key, how, "17"),))
    refused(read(tmp_path, bill, schema=Demand), "struck_out", path)


def test_lines_round_and_under_words_cross_nothing_out():
    words = (Word("571,04", 100, 100, 140, 114), Word("479,87", 100, 130, 140, 144))
    under, over, through = (Ruling(90, y, 150, y) for y in (113.0, 101.0, 138.0))
    page = Words(page=1, width=595, height=842, source="text_layer", words=words, rulings=(under, over))
    assert struck_words(lay_out(page)) == []
    upright, short = Ruling(120, 90, 120, 160), Ruling(100, 138, 115, 138)
    assert struck_words(lay_out(page.model_copy(update={"rulings": (upright, short)}))) == []
    assert struck_words(lay_out(page.model_copy(update={"rulings": (through,)}))) == [words[1]]
    pieces = (Ruling(100, 139, 116, 135), Ruling(116, 135, 139, 139))
    assert struck_words(lay_out(page.model_copy(update={"rulings": (), "strokes": pieces}))) == [words[1]]


@pytest.mark.parametrize(
    ("language", "remark"),
    [
        ("en", "All figures in thousands"), ("en", "GBP '000"), ("de", "Beträge in TEUR"), ("de", "in T€"), ("fr", "en milliers d'euros"),
        ("es", "importes en miles"), ("ko", "(단위 : 천원)"),
    ],
)  # fmt: skip
def test_amounts_in_thousands_are_named(language, remark, tmp_path):
    refused(read(tmp_path, replace(honest(language, "row", 3), below_title=remark), schema=Demand), "scaled_amounts")


@pytest.mark.parametrize("sign", [" CR", " Cr.", " H"])
def test_a_credit_is_no_debt(sign, tmp_path):
    bill = honest("de", "columns", 4)
    bill = replace(bill, totals=tuple((key, label, value + sign) for key, label, value in bill.totals))
    assert {"meaning"} <= codes(read(tmp_path, bill, schema=Demand))


@pytest.mark.parametrize(
    ("language", "label"), [("en", "Replaces invoice no."), ("de", "zu Rechnungsnummer"), ("es", "Factura original nº")]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_number_of_the_corrected_invoice_is_not_this_ones(language, label, layout, tmp_path):
    result = read(tmp_path, honest(language, layout, 3).fact("number", "R-1999-77", label))
    assert result.status == "review" and codes(result) & {"meaning", "unconfirmed", "missing_required"}


@pytest.mark.parametrize("number", ["2026-10\n-4711", "RE-2026-\n00017", "INV20260\n0017"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_number_that_goes_on_below_is_not_whole(number, layout, tmp_path):
    bill = honest("en", layout, 3).fact("number", number)
    bill = replace(bill, facts=(*bill.facts[1:], bill.facts[0]))
    assert "continues" in codes(result := read(tmp_path, bill)) and result.status == "review"


@pytest.mark.parametrize(
    ("language", "label"), [("de", "Summe Titel 1"), ("es", "Total página"), ("fr", "Total section A"), ("ko", "할인 합계")]
)
def test_a_part_of_the_total_is_not_the_total(language, label, tmp_path):
    bill = honest(language, "columns", 4)
    assert read(tmp_path, bill.fact("total", bill.totals[2][2], label)).status == "review"


def test_dots_and_a_decimal_comma_show_the_order_of_days_and_months(tmp_path):
    """No locale writes 03.04.2026 for the fourth of March, whoever's date stands beside it."""
    bill = replace(honest("de", "grid", 3).fact("date", "03.04.2026"), notes=("Gegründet am 25.12.2019.",))
    result = read(tmp_path, bill, schema=Demand)
    assert (result.status, result.data.issued.isoformat()) == ("accepted", "2026-04-03")


@pytest.mark.parametrize(
    ("language", "note"), [("en", "Founded on 12/25/2019."), ("en", "Moved on 25/12/2019."), ("fr", "Fondée le 25/12/2019.")]
)
def test_one_date_of_somebody_else_does_not_tell_the_order_of_days_and_months(language, note, tmp_path):
    bill = replace(honest(language, "grid", 3).fact("date", "03/04/2026"), notes=(note,))
    refused(read(tmp_path, bill, schema=Demand), "ambiguous_date", "issued")
    two = replace(bill, notes=(note, note.replace("25", "26")))
    assert read(tmp_path, two, schema=Demand).status == "accepted"


def test_another_date_of_its_own_tells_the_order(tmp_path):
    bill = honest("en", "grid", 4).fact("date", "03/04/2026")
    result = read(tmp_path, bill)
    assert (result.status, result.data.issue_date) == ("accepted", date(2026, 4, 3)) and "due_date" in bill.true


def test_several_invoices_in_one_file_are_named(tmp_path):
    result = read(tmp_path, honest("en", "columns", 3), honest("en", "columns", 6))
    assert result.status == "review"
    (issue,) = (issue for issue in result.issues if issue.code == "several_documents")
    assert (issue.path, issue.page, issue.suggestion) == ("invoice_number", 2, "split the file into its documents")


@pytest.mark.parametrize(
    ("written", "changed", "path"),
    [
        ("Mühlbachgasse 9", "Bahnhofstraße 77", "seller.address"), ("Mühlbachgasse 9", "Mühlbachgasse 19", "seller.address"),
        ("Bergblütenhonig 5 kg, Eimer", "Beratung laut Vertrag", "line_items[4].description"),
    ],
)  # fmt: skip
def test_xml_that_says_what_no_page_prints_is_an_error(written, changed, path, tmp_path):
    result = reader().read(austrian(tmp_path, written, changed))
    assert result.status == "review"
    assert [(issue.severity, issue.path) for issue in result.issues if issue.code == "ungrounded"] == [("error", path)]


@pytest.mark.parametrize("code", ["381", "325", "384"])
def test_xml_of_another_kind_is_no_invoice(code, tmp_path):
    result = reader().read(austrian(tmp_path, ">380<", f">{code}<"))
    assert result.status == "review" and "other_document" in codes(result)


def austrian(folder: Path, written: str, changed: str) -> Path:
    """The sample e-invoice with something else in its XML."""
    document = pymupdf.open(SAMPLE)
    xml = document.embfile_get("factur-x.xml").decode()
    assert written in xml
    document.embfile_del("factur-x.xml")
    document.embfile_add("factur-x.xml", xml.replace(written, changed).encode(), filename="factur-x.xml")
    document.save(folder / "bill.pdf")
    return folder / "bill.pdf"


def test_titles_are_part_of_what_a_schema_is():
    class Titled(Demand):
        own_titles: ClassVar[OwnTitles] = OwnTitles(en="demand")
        other_titles: ClassVar[OtherTitles] = OtherTitles(en="offer")

    assert schema_ref(Titled, "demand").sha256 != schema_ref(Demand, "demand").sha256


@pytest.mark.parametrize(
    ("lines", "size", "code"),
    [
        (("Credit note to invoice 4711", "Total amount EUR 714.00"), 10, "two_values"),
        (("Total EUR 1,166.20",), 10, "two_values"),
        (("Credit note", "Amount 714.00"), 20, "other_document"),
        (("Harbour Supplies", "Amount due EUR 1,250.00"), 20, "sum_mismatch"),
        (("Delivered in good order.",), 10, None),
    ],
)
def test_a_later_page_that_says_otherwise_goes_to_a_person(lines, size, code, tmp_path):
    path = save(tmp_path / "bill.pdf", honest("en", "columns", 3))
    with pymupdf.open(path) as document:
        page = document.new_page()
        for place, line in enumerate(lines):
            page.insert_text((72, 80 + 30 * place), line, fontsize=size if not place else 10)
        document.saveIncr()
    result = reader("invoice").read(path)
    assert result.status == ("review" if code else "accepted")
    assert code is None or any((issue.code, issue.severity, issue.page) == (code, "error", 2) for issue in result.issues)
