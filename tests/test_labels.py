"""The labels engine on pages set by hand: each test sets words where a document would and asks for a field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from docpipe.annotations import Kind, Labels, Rows
from docpipe.extract.labels import LabelsEngine, read_layouts
from docpipe.extract.labels.layout import PageLayout, lay_out
from docpipe.fields import load_schema
from docpipe.records import Candidate, Checkbox, Document, Job, Page, Reading, Ruling, SchemaRef, Word, Words
from docpipe.workspace import Workspace

HEIGHT = 10.0
LETTER = 5.0  # width of one letter at that height


def page(
    *texts: tuple[float, float, str], rulings: tuple[Ruling, ...] = (), boxes: tuple[Checkbox, ...] = (), number: int = 1
) -> PageLayout:
    """An A4 page with texts at (x, y of the top)."""
    return lay_out(words(*texts, rulings=rulings, boxes=boxes, number=number))


def words(*texts: tuple[float, float, str], rulings: tuple[Ruling, ...] = (), boxes: tuple[Checkbox, ...] = (), number: int = 1) -> Words:
    found = []
    for line, (x, y, text) in enumerate(texts):
        for part in text.split(" "):
            found.append(Word(part, x, y, x + LETTER * len(part), y + HEIGHT, 1.0, line))
            x += LETTER * (len(part) + 1)
    return Words(page=number, width=595, height=842, source="text_layer", words=tuple(found), rulings=rulings, checkboxes=boxes)


def best(reading: Reading, path: str) -> Candidate | None:
    """The engine's own belief: its best candidate, where that scores 0 or more."""
    mine = [candidate for candidate in reading.candidates if candidate.path == path]
    top = max(mine, key=lambda candidate: candidate.score, default=None)
    return top if top is not None and top.score >= 0 else None


def value(reading: Reading, path: str) -> object:
    found = best(reading, path)
    return found.value if found else None


class Order(BaseModel):
    """A schema without labels: names and descriptions must do."""

    order_number: str | None = Field(None, description="Number of the order, as printed")
    customer: str | None = Field(None, description="Who ordered, as printed after 'Customer'; not the carrier")
    ship_date: date | None = Field(None, description="Day of shipping")
    gross_amount: Decimal | None = Field(None, description="Gross total of the whole order")


def test_value_right_of_and_behind_its_label() -> None:
    reading = read_layouts(
        [
            page(
                (50, 60, "Order No.: A-4711"),
                (50, 80, "Customer:"), (150, 80, "Northern Lamps"),
                (50, 100, "Carrier:"), (150, 100, "Fast Wheels"),
                (50, 120, "Ship date"), (150, 120, "2024-03-05"),
                (50, 140, "Gross amount"), (150, 140, "1,250.00"),
            )
        ],
        Order,
    )  # fmt: skip
    assert value(reading, "order_number") == "A-4711"
    assert value(reading, "customer") == "Northern Lamps"
    assert value(reading, "ship_date") == "2024-03-05"
    assert value(reading, "gross_amount") == "1250.00"


def test_evidence_names_the_label_and_how_the_value_stands_to_it() -> None:
    reading = read_layouts([page((50, 60, "Order No.: A-4711"))], Order)
    found = best(reading, "order_number")
    assert found is not None and found.raw == "A-4711"
    assert (found.evidence.relation, found.evidence.label) == ("same", "Order No.:")
    assert found.evidence.label_box == (50.0, 60.0, 100.0, 70.0)
    assert found.page == 1 and found.box == (105.0, 60.0, 135.0, 70.0)
    assert found.evidence.label_score > 0.8 and found.evidence.features["own"] > 0.8


def test_the_label_of_another_value_keeps_it() -> None:
    reading = read_layouts([page((50, 60, "Alt Order #"), (150, 60, "99881"), (50, 80, "Order #"), (150, 80, "4711"))], Order)
    assert value(reading, "order_number") == "4711"


def test_value_below_its_column_header() -> None:
    reading = read_layouts([page((50, 60, "Order No"), (150, 60, "Customer No"), (50, 74, "A-4711"), (150, 74, "C-12"))], Order)
    found = best(reading, "order_number")
    assert found is not None and (found.value, found.evidence.relation) == ("A-4711", "below")


def test_decimal_comma_and_day_first_dates_are_the_documents_own() -> None:
    reading = read_layouts([page((50, 60, "Ship date: 25.04.2024"), (50, 80, "Gross amount: 1.250,00"), (50, 100, "Tip: 2,50"))], Order)
    assert (reading.locale.decimal, reading.locale.date_order) == (",", "day_first")
    assert value(reading, "gross_amount") == "1250.00"
    assert value(reading, "ship_date") == "2024-04-25"


class Stay(BaseModel):
    stay_from: date | None = Field(None, description="First day of the stay")
    stay_to: date | None = Field(None, description="Last day of the stay")


@pytest.mark.parametrize("joint", ["-", "to", "–"])
def test_period_gives_its_first_and_last_day(joint: str) -> None:
    reading = read_layouts(
        [page((50, 60, "Printed on 2024-01-09"), (50, 90, "Stay dates"), (150, 90, f"2024-02-01 {joint} 2024-02-11"))], Stay
    )
    assert (value(reading, "stay_from"), value(reading, "stay_to")) == ("2024-02-01", "2024-02-11")


class Box(BaseModel):
    premium: Decimal | None = Field(None, description="Box 3, premium paid for the long term")
    refund: Decimal | None = Field(None, description="Box 4, refund of earlier payments")


def cell_rules(*edges: tuple[float, float, float, float]) -> tuple[Ruling, ...]:
    """The four lines round each cell."""
    return tuple(
        line
        for x0, y0, x1, y1 in edges
        for line in (Ruling(x0, y0, x1, y0), Ruling(x0, y1, x1, y1), Ruling(x0, y0, x0, y1), Ruling(x1, y0, x1, y1))
    )


def test_value_in_the_labels_own_cell() -> None:
    rules = cell_rules((50, 50, 200, 90), (200, 50, 350, 90))
    reading = read_layouts(
        [page((54, 53, "3 Premium paid"), (150, 76, "120.00"), (204, 53, "4 Refund"), (300, 76, "15.50"), rulings=rules)], Box
    )
    found = best(reading, "premium")
    assert found is not None and found.value == "120.00" and found.evidence.features["same_cell"] == 1.0
    assert value(reading, "refund") == "15.50"


def test_empty_cell_takes_no_neighbours_value() -> None:
    rules = cell_rules((50, 50, 200, 90), (200, 50, 350, 90))
    reading = read_layouts([page((54, 53, "3 Premium paid"), (204, 53, "4 Refund"), (300, 76, "15.50"), rulings=rules)], Box)
    assert value(reading, "premium") is None
    assert value(reading, "refund") == "15.50"


def test_label_over_two_lines() -> None:
    rules = cell_rules((50, 50, 200, 100))
    reading = read_layouts([page((54, 53, "3 Premium paid for"), (54, 64, "the long term"), (150, 85, "77.00"), rulings=rules)], Box)
    assert value(reading, "premium") == "77.00"


class Ticks(BaseModel):
    is_member: bool | None = Field(None, description="Member of the club")
    wants_news: bool | None = Field(None, description="Newsletter")


def test_ticks_by_the_ink_of_the_nearest_box() -> None:
    boxes = (Checkbox(50, 60, 60, 70, 0.4), Checkbox(50, 80, 60, 90, 0.01))
    reading = read_layouts([page((66, 60, "Member of the club"), (66, 80, "Newsletter"), boxes=boxes)], Ticks)
    assert value(reading, "is_member") is True
    assert value(reading, "wants_news") is False
    found = best(reading, "is_member")
    assert found is not None and found.evidence.relation == "tick" and found.box == (50, 60, 60, 70)


class Persons(BaseModel):
    applicant_name: str | None = Field(None, description="Name of the applicant")
    employer_name: str | None = Field(None, description="Name of the employer (the firm or office)")


def test_the_question_above_tells_whose_name_it_is() -> None:
    reading = read_layouts(
        [
            page(
                (50, 60, "1. Who is the applicant?"),
                (60, 76, "Name Ada Okafor"),
                (50, 120, "2. Who is the employer?"),
                (60, 136, "Name Harbour Office"),
            )
        ],
        Persons,
    )
    assert value(reading, "applicant_name") == "Ada Okafor"
    assert value(reading, "employer_name") == "Harbour Office"


class Permit(BaseModel):
    kind: Literal["Building Permit", "Trade Licence"] | None = Field(None, description="Which paper it is")


def test_choice_is_the_printed_one() -> None:
    reading = read_layouts([page((200, 40, "TRADE LICENCE"), (50, 90, "This paper must be shown on request."))], Permit)
    assert value(reading, "kind") == "Trade Licence"


class Labelled(BaseModel):
    reference: Annotated[str | None, Kind("id"), Labels(en="booking code", de="Buchungsnummer")] = Field(None, description="Code")


@pytest.mark.parametrize("label", ["Booking code", "BOOKING CODE:", "Buchungs-Nr.", "Boking code"])
def test_labels_are_found_spelt_otherwise(label: str) -> None:
    reading = read_layouts([page((50, 60, label), (180, 60, "XK72QP"))], Labelled)
    assert value(reading, "reference") == "XK72QP"


class Sheet(BaseModel):
    label: Annotated[str | None, Kind("text")] = None
    value: Annotated[str | None, Kind("text")] = None
    checked: bool | None = None


class AnyForm(BaseModel):
    title: Annotated[str | None, Kind("text")] = Field(None, description="Title")
    entries: Annotated[list[Sheet], Rows("pairs")] = Field(default_factory=list, description="Entries")


def rows(reading: Reading) -> list[dict[str, object]]:
    found: dict[int, dict[str, object]] = {}
    for candidate in reading.candidates:
        if candidate.path.startswith("entries["):
            row, name = candidate.path.removeprefix("entries[").split("].")
            found.setdefault(int(row), {})[name] = candidate.value
    return [found[row] for row in sorted(found)]


def test_pairs_of_a_form() -> None:
    reading = read_layouts(
        [
            page(
                (200, 30, "Registration"),
                (50, 60, "Surname: Okafor"),
                (50, 80, "Street:"), (150, 80, "Harbour Lane 4"),
                (50, 100, "Phone:"),
                (66, 130, "Car"), (166, 130, "Bicycle"),
                (50, 160, "Signature"),
                rulings=(Ruling(100, 171, 250, 171),),
                boxes=(Checkbox(50, 130, 60, 140, 0.5), Checkbox(150, 130, 160, 140, 0.0)),
            )
        ],
        AnyForm,
    )  # fmt: skip
    assert rows(reading) == [
        {"label": "Surname", "value": "Okafor"},
        {"label": "Street", "value": "Harbour Lane 4"},
        {"label": "Phone"},
        {"label": "Car", "checked": True},
        {"label": "Bicycle", "checked": False},
        {"label": "Signature"},
    ]


def test_transcript_has_a_candidate_for_every_page() -> None:
    schema, _ = load_schema("transcript")
    reading = read_layouts([page((50, 60, "First page")), page((50, 60, "Second page"), number=2)], schema)
    pages = {candidate.path: candidate.value for candidate in reading.candidates if candidate.path.startswith("pages[")}
    assert pages == {"pages[0].page": "1", "pages[0].text": "First page", "pages[1].page": "2", "pages[1].text": "Second page"}
    assert [candidate.page for candidate in reading.candidates if candidate.path == "text"] == [1, 2]


def test_engine_reads_the_stored_words(tmp_path: object) -> None:
    space = Workspace(__import__("pathlib").Path(str(tmp_path)))
    space.save(space.page(1, "words.json"), words((50, 60, "Order No.: A-4711")))
    job = Job(
        id="1",
        source=space.folder / "order.pdf",
        document=Document(name="order.pdf", sha256="0", media_type="application/pdf"),
        schema_ref=SchemaRef(name="Order", sha256="0"),
    )
    reading = LabelsEngine().read(
        [Page(number=1, width=595, height=842), Page(number=2, width=595, height=842)], Order, job=job, space=space
    )
    assert value(reading, "order_number") == "A-4711"
    assert reading.pages == (1,)


def test_no_pages_no_candidates() -> None:
    assert read_layouts([], Order).candidates == ()
