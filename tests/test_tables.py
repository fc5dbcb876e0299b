"""Tables and totals from made-up invoices: what is read, what is withheld, and what a changed page must change."""

from __future__ import annotations

import random
import re
import sys
from decimal import Decimal
from typing import Annotated, ClassVar

import made_invoices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import BaseModel, Field

from docpipe.annotations import DefaultTo, Kind, Labels, Product, Rule, Sum
from docpipe.extract.labels.layout import lay_out
from docpipe.extract.labels.tables import TableReading, read_tables
from docpipe.fields import fields_of, rules_of
from docpipe.records import Candidate, Word, Words
from schemas.invoice import Invoice

Rows = list[dict[str, str | None]]


def read(pages: list[Words], schema: type[BaseModel] = Invoice) -> TableReading:
    return read_tables([lay_out(page) for page in pages], fields_of(schema), rules_of(schema))


def rows_of(reading: TableReading, prefix: str = "line_items") -> Rows:
    rows: Rows = []
    for candidate in reading.candidates:
        match = re.fullmatch(rf"{prefix}\[(\d+)\]\.(\w+)", candidate.path)
        if match:
            while len(rows) <= int(match[1]):
                rows.append({})
            rows[int(match[1])].setdefault(match[2], candidate.value)
    return rows


def value(reading: TableReading, path: str) -> str | None:
    return next((candidate.value for candidate in reading.candidates if candidate.path == path), None)  # type: ignore[return-value]


def same(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and Decimal(one) == Decimal(other)


def page(*lines: tuple[float, list[tuple[float, str]]], size: float = 9) -> list[Words]:
    """One page from lines of (y, [(x, text)]); a negative x is the right edge of the text."""
    sheet = made_invoices.Sheet(size)
    for y, cells in lines:
        for x, text in cells:
            sheet.put(abs(x), y, text, right=x < 0)
    return sheet.finished()


HEAD = [(40, "Beschreibung"), (-300, "Menge"), (-400, "Einzelpreis"), (-550, "Betrag")]
PLAIN = [
    (100.0, HEAD),
    (120.0, [(40, "Lampe weiß"), (-300, "3"), (-400, "12,50"), (-550, "37,50")]),
    (135.0, [(40, "Kabel 5 m"), (-300, "10"), (-400, "1,25"), (-550, "12,50")]),
    (170.0, [(350, "Nettobetrag"), (-550, "50,00")]),
    (185.0, [(350, "zzgl. MwSt 19%"), (-550, "9,50")]),
    (200.0, [(350, "Gesamtbetrag"), (-550, "59,50")]),
]


def test_a_plain_invoice_is_read_whole_with_its_evidence() -> None:
    reading = read(page(*PLAIN))
    assert rows_of(reading) == [
        {"description": "Lampe weiß", "quantity": "3", "unit_price": "12.50", "amount": "37.50"},
        {"description": "Kabel 5 m", "quantity": "10", "unit_price": "1.25", "amount": "12.50"},
    ]
    assert [value(reading, path) for path in ("net_total", "tax_total", "gross_total", "amount_due")] == ["50.00", "9.50", "59.50", "59.50"]
    assert reading.locale.decimal == ","
    assert reading.level == 5
    amount = next(candidate for candidate in reading.candidates if candidate.path == "line_items[0].amount")
    assert (amount.raw, amount.page, amount.evidence.relation, amount.evidence.label) == ("37,50", 1, "column", "Betrag")
    assert amount.evidence.features["product"] == 1 and amount.evidence.features["rows_sum"] == 1
    assert amount.box is not None and amount.box[2] == pytest.approx(550)
    gross = next(candidate for candidate in reading.candidates if candidate.path == "gross_total")
    assert (gross.evidence.label, gross.evidence.label_score) == ("Gesamtbetrag", 1.0)


@pytest.mark.parametrize("seed", [0, 1])
def test_made_invoices_of_known_languages_are_read(seed: int) -> None:
    found = wanted = right = given = 0
    for made in (made_invoices.make(number) for number in range(500 + 25 * seed, 525 + 25 * seed)):
        reading = read(made.pages)
        rows = rows_of(reading)
        amounts = [row.get("amount") for row in rows]
        wanted += len(made.rows)
        given += len(rows)
        found += sum(any(same(amount, row["amount"]) for amount in amounts) for row in made.rows)
        right += all(same(value(reading, path), truth) for path, truth in made.totals.items())
        assert reading.locale.decimal == made.separator
    assert found >= 0.93 * wanted
    assert given <= 1.01 * found
    assert right >= 24


def test_nothing_wrong_is_given_where_half_of_the_labels_are_words_of_no_language() -> None:
    wrong = given = 0
    for made in (made_invoices.make(number, dropped=0.5) for number in range(900, 940)):
        rows = rows_of(read(made.pages))
        amounts = [Decimal(row["amount"]) for row in made.rows]
        given += len(rows)
        wrong += sum(Decimal(row["amount"] or "0") not in amounts for row in rows)
    assert given > 100
    assert wrong <= 0.02 * given


def test_a_language_of_no_lexicon_is_never_at_the_top_level() -> None:
    readings = [read(made_invoices.make(number, unknown=1.0).pages) for number in range(700, 730)]
    assert max(reading.level for reading in readings) < 5
    assert sum(reading.rows > 0 for reading in readings) >= 10


@pytest.mark.parametrize("seed", range(30, 50))
def test_permuting_the_columns_changes_nothing(seed: int) -> None:
    plain, mixed = made_invoices.make(seed), made_invoices.make(seed, permute=seed + 1)
    if not plain.headed:
        return
    one, other = read(plain.pages), read(mixed.pages)
    numbers = ("quantity", "unit_price", "amount", "tax_rate")
    assert [{k: row.get(k) for k in numbers} for row in rows_of(one)] == [{k: row.get(k) for k in numbers} for row in rows_of(other)]
    assert value(one, "gross_total") == value(other, "gross_total")


@pytest.mark.parametrize("seed", range(60, 80))
def test_splitting_the_table_over_pages_changes_nothing(seed: int) -> None:
    whole, split = made_invoices.make(seed, rows=6), made_invoices.make(seed, rows=6, per_page=4)
    if not whole.headed:
        return
    one, other = read(whole.pages), read(split.pages)
    assert len(split.pages) > len(whole.pages)
    assert [row.get("amount") for row in rows_of(one)] == [row.get("amount") for row in rows_of(other)]
    assert value(one, "net_total") == value(other, "net_total")


@pytest.mark.parametrize("seed", range(200, 240))
def test_one_changed_digit_never_stays_at_the_top_level(seed: int) -> None:
    made = made_invoices.make(seed)
    reading = read(made.pages)
    if reading.level < 5:
        return
    read_numbers = [c for c in reading.candidates if c.path.endswith(("amount", "net_total", "gross_total", "quantity")) and c.value]
    target = random.Random(seed).choice([candidate for candidate in read_numbers if not candidate.path.startswith("taxes")])
    pages = [page if page.page != target.page else misread(page, target) for page in made.pages]
    assert pages != made.pages
    assert read(pages).level < 5


def misread(page: Words, target: Candidate) -> Words:
    """The page with the first digit of the target's first word taken for another."""
    assert target.box is not None
    x0, y0, _, y1 = target.box
    at = next(place for place, word in enumerate(page.words) if abs(word.x0 - x0) < 0.1 and y0 - 0.1 <= word.y0 and word.y1 <= y1 + 0.1)
    word = page.words[at]
    digit = next(place for place, char in enumerate(word.text) if char.isdigit())
    other = "4" if word.text[digit] == "9" else str(int(word.text[digit]) + 1)
    changed = word._replace(text=word.text[:digit] + other + word.text[digit + 1 :])
    return page.model_copy(update={"words": (*page.words[:at], changed, *page.words[at + 1 :])})


def test_a_zero_sum_proves_nothing() -> None:
    lines = [
        (100.0, HEAD),
        (120.0, [(40, "Lampe"), (-300, "0"), (-400, "0,00"), (-550, "0,00")]),
        (170.0, [(350, "Nettobetrag"), (-550, "0,00")]),
    ]
    reading = read(page(*lines, (185.0, [(350, "MwSt"), (-550, "0,00")]), (200.0, [(350, "Gesamtbetrag"), (-550, "0,00")])))
    assert reading.level <= 1
    assert reading.checks["rows_sum"] is not True


def test_a_carried_sum_is_no_row() -> None:
    first = page(*PLAIN[:3], (150.0, [(40, "Übertrag"), (-550, "50,00")]))
    rest = page(
        (100.0, HEAD),
        (115.0, [(40, "Übertrag"), (-550, "50,00")]),
        (130.0, [(40, "Stuhl"), (-300, "2"), (-400, "25,00"), (-550, "50,00")]),
        (170.0, [(350, "Nettobetrag"), (-550, "100,00")]),
        (185.0, [(350, "MwSt 19%"), (-550, "19,00")]),
        (200.0, [(350, "Gesamtbetrag"), (-550, "119,00")]),
    )
    reading = read([*first, rest[0].model_copy(update={"page": 2})])
    assert [row["amount"] for row in rows_of(reading)] == ["37.50", "12.50", "50.00"]
    assert [
        candidate.page for candidate in reading.candidates if candidate.path.endswith("].amount") and candidate.path.startswith("line")
    ] == [1, 1, 2]
    assert reading.level == 5


def test_a_wrong_sum_is_seen_and_still_given_for_review() -> None:
    lines = [*PLAIN[:3], (170.0, [(350, "Nettobetrag"), (-550, "51,00")]), *PLAIN[4:5], (200.0, [(350, "Gesamtbetrag"), (-550, "60,50")])]
    reading = read(page(*lines))
    assert reading.level == 0 and reading.checks["rows_sum"] is False and reading.checks["net_tax_gross"] is True
    assert len(rows_of(reading)) == 2


def test_charges_and_allowances_stand_between_rows_and_net() -> None:
    lines = [
        *PLAIN[:3],
        (160.0, [(350, "Versandkosten"), (-550, "5,00")]),
        (170.0, [(350, "Rabatt"), (-550, "-3,00")]),
        (182.0, [(350, "Nettobetrag"), (-550, "52,00")]),
        (194.0, [(350, "MwSt 19%"), (-550, "9,88")]),
        (206.0, [(350, "Gesamtbetrag"), (-550, "61,88")]),
    ]
    reading = read(page(*lines))
    assert len(rows_of(reading)) == 2
    assert [value(reading, path) for path in ("charge_total", "allowance_total", "net_total")] == ["5.00", "3.00", "52.00"]
    assert reading.checks["rows_sum"] is True


def test_a_charge_whose_label_is_unknown_is_no_row() -> None:
    lines = [*PLAIN[:3], (165.0, [(350, "Zufimado"), (-550, "5,00")]), (182.0, [(350, "Nettobetrag"), (-550, "55,00")])]
    reading = read(page(*lines, (194.0, [(350, "MwSt 19%"), (-550, "10,45")]), (206.0, [(350, "Gesamtbetrag"), (-550, "65,45")])))
    assert [row["amount"] for row in rows_of(reading)] == ["37.50", "12.50"]
    assert reading.level < 5


def test_the_tax_breakdown_gives_taxes_and_the_rates_of_rows() -> None:
    lines = [
        *PLAIN[:4],
        (185.0, [(350, "MwSt"), (-550, "8,00")]),
        (200.0, [(350, "Gesamtbetrag"), (-550, "58,00")]),
        (230.0, [(40, "MwSt"), (-180, "Nettobetrag"), (-270, "Steuerbetrag")]),
        (245.0, [(40, "19%"), (-180, "37,50"), (-270, "7,13")]),
        (260.0, [(40, "7%"), (-180, "12,50"), (-270, "0,88")]),
    ]
    reading = read(page(*lines))
    assert rows_of(reading, "taxes") == [
        {"rate": "19", "base": "37.50", "amount": "7.13"},
        {"rate": "7", "base": "12.50", "amount": "0.88"},
    ]
    assert [row.get("tax_rate") for row in rows_of(reading)] == ["19", "7"]


def test_prepaid_is_taken_off_and_what_is_due_is_not_guessed() -> None:
    lines = [*PLAIN, (215.0, [(350, "Anzahlung"), (-550, "-20,00")]), (230.0, [(350, "Zahlbetrag"), (-550, "39,50")])]
    reading = read(page(*lines))
    assert [value(reading, path) for path in ("prepaid_amount", "amount_due", "gross_total")] == ["20.00", "39.50", "59.50"]
    unknown = [*PLAIN, (215.0, [(350, "Zufimado"), (-550, "-20,00")]), (230.0, [(350, "Kulipe"), (-550, "39,50")])]
    assert value(read(page(*unknown)), "amount_due") is None


def test_text_without_a_table_gives_no_rows() -> None:
    letter = page(
        (100.0, [(40, "Dear Sir, the total of our offer of 12 March was 1,200.00 and the price of item 4 was 300.00.")]),
        (115.0, [(40, "Please note the amount of 55.00 for each description in quantity 3.")]),
        (130.0, [(40, "Telephone 555 23 78, fax 555 23 79")]),
    )
    assert rows_of(read(letter)) == []


def test_a_tax_summary_is_no_list_of_items() -> None:
    lines = [(100.0, [(40, "Code"), (-180, "Amount"), (-270, "Tax amount")]), (115.0, [(40, "SR 6%"), (-180, "100.00"), (-270, "6.00")])]
    reading = read(page(*lines, (140.0, [(40, "Total"), (-270, "106.00")])))
    assert rows_of(reading) == []


class Position(BaseModel):
    """A row as a user may name it."""

    title: Annotated[str | None, Labels(xx="Zapofe")] = Field(None, description="What")
    pieces: Annotated[int | None, Labels(xx="Kumil")] = Field(None, description="How many")
    each: Annotated[Decimal | None, Labels(xx="Rodati")] = Field(None, description="For one")
    cost: Annotated[Decimal | None, Labels(xx="Fulomi")] = Field(None, description="For all")
    weight: Annotated[Decimal | None, Kind("quantity"), Labels(xx="Bagule")] = Field(None, description="Weight")


class Slip(BaseModel):
    """A document of the user's own."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Product("parts[*].cost", ("parts[*].pieces", "parts[*].each")),
        Sum("whole", ("parts[*].cost",)),
        DefaultTo("owed", "whole"),
    )
    parts: list[Position] = Field(default_factory=list, description="Rows")
    whole: Annotated[Decimal | None, Labels(xx="Mikase")] = Field(None, description="Sum of the rows")
    owed: Annotated[Decimal | None, Labels(xx="Tezupa")] = Field(None, description="To pay")


def test_a_schema_of_the_users_own_brings_its_own_labels_and_relations() -> None:
    lines = [
        (100.0, [(40, "Zapofe"), (-250, "Kumil"), (-330, "Bagule"), (-430, "Rodati"), (-550, "Fulomi")]),
        (115.0, [(40, "Lamp"), (-250, "3"), (-330, "4.5"), (-430, "12.50"), (-550, "37.50")]),
        (130.0, [(40, "Cable"), (-250, "2"), (-330, "0.7"), (-430, "10.00"), (-550, "20.00")]),
        (160.0, [(350, "Mikase"), (-550, "57.50")]),
    ]
    reading = read(page(*lines), Slip)
    assert rows_of(reading, "parts") == [
        {"title": "Lamp", "pieces": "3", "each": "12.50", "cost": "37.50", "weight": "4.5"},
        {"title": "Cable", "pieces": "2", "each": "10.00", "cost": "20.00", "weight": "0.7"},
    ]
    assert value(reading, "whole") == "57.50"


class Visit(BaseModel):
    """A row without any amount."""

    guest: Annotated[str | None, Labels(en="guest name|guest")] = Field(None, description="Who came")
    arrival: Annotated[str | None, Labels(en="arrival")] = Field(None, description="When")
    room: Annotated[str | None, Kind("id"), Labels(en="room no")] = Field(None, description="Where")


class Book(BaseModel):
    """A guest book."""

    visits: list[Visit] = Field(default_factory=list, description="Rows")


def test_rows_without_amounts_are_read_under_their_own_labels() -> None:
    lines = [
        (60.0, [(40, "Guests of May")]),
        (100.0, [(40, "Guest"), (200, "Arrival"), (330, "Remarks"), (480, "Room no.")]),
        (115.0, [(40, "Ann Lee"), (200, "3 May"), (330, "late"), (480, "12")]),
        (130.0, [(40, "Bo van"), (200, "4 May"), (480, "14")]),
        (141.0, [(40, "der Meer")]),
        (220.0, [(40, "Signed"), (200, "the host")]),
    ]
    reading = read(page(*lines), Book)
    raws = {candidate.path: candidate.raw for candidate in reading.candidates}
    assert raws == {
        "visits[0].guest": "Ann Lee",
        "visits[0].arrival": "3 May",
        "visits[0].room": "12",
        "visits[1].guest": "Bo van der Meer",
        "visits[1].arrival": "4 May",
        "visits[1].room": "14",
    }


def test_a_schema_without_tables_or_totals_is_left_alone() -> None:
    class Plain(BaseModel):
        name: str | None = Field(None, description="A name")

    assert read(page(*PLAIN), Plain) == TableReading()


def test_no_pages_and_empty_pages_give_nothing() -> None:
    assert read([]).candidates == ()
    assert read([Words(page=1, width=595, height=842, source="none")]).candidates == ()


def test_a_row_that_is_included_in_another_stays_in_the_list_but_out_of_the_sum() -> None:
    lines = [*PLAIN[:3], (150.0, [(40, "davon Pfand"), (-300, "1"), (-550, "2,00")]), *((y + 20, cells) for y, cells in PLAIN[3:])]
    reading = read(page(*lines))
    assert [row["amount"] for row in rows_of(reading)] == ["37.50", "12.50", "2.00"]
    assert reading.checks["rows_sum"] is True


PIECES = some.sampled_from(
    [
        "0",
        "%",
        "(",
        ")",
        "-",
        "1.2.3",
        "9" * 40,
        "1,000",
        "12,50",
        "-3.00",
        "19%",
        "€",
        "Total",
        "Menge",
        "Preis",
        "Betrag",
        "Netto",
        "x",
        "|",
        "1'000.00",
        "..",
        "²",
    ]
)
PLACED = some.lists(some.tuples(PIECES, some.integers(0, 12), some.integers(0, 40), some.integers(0, 2)), max_size=60)


@settings(max_examples=60, deadline=None)
@given(PLACED)
def test_no_page_makes_it_fail(pieces: list[tuple[str, int, int, int]]) -> None:
    pages: list[list[Word]] = [[], [], []]
    for text, column, line, number in pieces:
        pages[number].append(Word(text, 40.0 * column, 20.0 * line, 40.0 * column + 5 * len(text), 20.0 * line + 9))
    reading = read([Words(page=n + 1, width=595, height=842, source="ocr", words=tuple(words)) for n, words in enumerate(pages)])
    assert 0 <= reading.level <= 5
    assert all(candidate.page in (1, 2, 3) and candidate.box is not None for candidate in reading.candidates)


def test_many_pages_cost_in_proportion() -> None:
    def steps(pages: int) -> int:
        made = made_invoices.make(77, rows=20 * pages, per_page=20)
        layouts = [lay_out(page) for page in made.pages]
        count = 0

        def step(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(step)
        try:
            read_tables(layouts, fields_of(Invoice), rules_of(Invoice))
        finally:
            sys.setprofile(None)
        return count

    few, many = steps(6), steps(24)
    assert few > 10_000 and many < 6 * few
