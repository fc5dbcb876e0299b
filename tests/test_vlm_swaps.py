"""Values that are on the page and in the wrong field: none of them is accepted, however sure the model is and whatever adds up."""

import json
from decimal import Decimal
from typing import Annotated, ClassVar

import pymupdf
import pytest
from pydantic import BaseModel, Field
from test_vlm import recording

import docpipe
from docpipe.annotations import Kind, Labels, Product, Required, Rule, Sum
from docpipe.backends import ModelOptions
from docpipe.settings import Settings

pytestmark = pytest.mark.vlm
PRINT = [("Steel bolts", "12", "3.50"), ("Copper wire", "40", "7.25"), ("Glue sticks", "5", "1.15")]


class Row(BaseModel):
    """One delivered item."""

    what: str | None = Field(None, description="What was delivered")
    count: Annotated[Decimal | None, Kind("quantity"), Labels(en="count")] = Field(None, description="How many were delivered")
    weight: Annotated[Decimal | None, Kind("quantity"), Labels(en="weight")] = Field(None, description="Weight of the row in kg")


class Note(BaseModel):
    """What was delivered."""

    rules: ClassVar[tuple[Rule, ...]] = (Sum("total", ("rows[*].weight",)),)

    rows: list[Row] = Field(default_factory=list, description="Every delivered item")
    total: Annotated[Decimal | None, Kind("quantity"), Required(), Labels(en="total")] = Field(None, description="Weight of all")


class Repair(BaseModel):
    """What a repair costs, and what is left to pay."""

    rules: ClassVar[tuple[Rule, ...]] = (Sum("cost", ("labour", "parts")), Sum("due", ("cost",), ("paid",)))

    labour: Annotated[Decimal | None, Required(), Labels(en="labour")] = Field(None, description="Cost of the work")
    parts: Annotated[Decimal | None, Required(), Labels(en="parts")] = Field(None, description="Cost of the parts")
    cost: Annotated[Decimal | None, Required(), Labels(en="together")] = Field(None, description="Both together")
    paid: Annotated[Decimal | None, Required(), Labels(en="paid")] = Field(None, description="What has been paid")
    due: Annotated[Decimal | None, Required(), Labels(en="to pay")] = Field(None, description="What is left to pay")


class Item(BaseModel):
    """One item."""

    count: Annotated[Decimal | None, Kind("quantity"), Labels(en="count")] = Field(None, description="How many")
    price: Annotated[Decimal | None, Labels(en="price")] = Field(None, description="Price of one")
    amount: Annotated[Decimal | None, Labels(en="amount")] = Field(None, description="Price of all")


class Bill(BaseModel):
    """What was sold."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Product("items[*].amount", ("items[*].count", "items[*].price")),
        Sum("total", ("items[*].amount",)),
    )

    items: list[Item] = Field(default_factory=list, description="Every item")
    total: Annotated[Decimal | None, Required(), Labels(en="total")] = Field(None, description="All together")


def page(path, *lines):
    """Each line's texts in columns of their own."""
    with pymupdf.open() as document:
        drawn = document.new_page(width=500, height=500)
        for number, line in enumerate(lines):
            for column, text in enumerate(line):
                drawn.insert_text((40 + 110 * column, 60 + 25 * number), text, fontsize=11)
        document.save(path)
    return path


def ask(folder, schema, answer, *lines):
    model = ModelOptions(model=str(recording(folder, {"text": json.dumps(answer), "probability": 1.0})))
    settings = Settings(backend="replay", model=model)
    return docpipe.run(page(folder / "drawn.pdf", *lines), schema, engines=("einvoice", "vlm"), settings=settings)


def note(folder, *changes):
    rows = [{"what": what, "count": count, "weight": weight} for what, count, weight in PRINT]
    for row, column, value in changes:
        rows[row][column] = value
    return ask(folder, Note, {"rows": rows, "total": "11.90"}, ("Item", "Count", "Weight"), *PRINT, ("Total", "", "11.90"))


def test_a_row_with_its_own_cells_is_accepted(tmp_path):
    assert note(tmp_path).status == "accepted"


@pytest.mark.parametrize(
    "changes",
    [
        [(0, "count", "40"), (1, "count", "12")],
        [(0, "weight", "7.25"), (1, "weight", "3.50")],
        [(0, "count", "5")],
        [(0, "what", "Glue sticks")],
        [(0, "what", "Copper wire"), (1, "what", "Steel bolts")],
    ],
)
def test_a_cell_of_another_row_is_not_believed(tmp_path, changes):
    result = note(tmp_path, *changes)
    wrong = {f"rows[{row}].{column}" for row, column, _ in changes}
    assert result.status == "review"
    assert {field.path for field in result.fields if not field.grounded} & {*wrong, "rows[0].count", "rows[1].count"}


REPAIR = {"labour": "120.00", "parts": "45.50", "cost": "165.50", "paid": "100.00", "due": "65.50"}
BESIDE = (("Labour", "120.00"), ("Parts", "45.50"), ("Together", "165.50"), ("Paid", "100.00"), ("To pay", "65.50"))
ABOVE = (("Labour", "Parts", "Together"), ("120.00", "45.50", "165.50"), ("Paid", "To pay"), ("100.00", "65.50"))
SWAPS = [{"labour": "45.50", "parts": "120.00"}, {"paid": "65.50", "due": "100.00"}]


@pytest.mark.parametrize("lines", [BESIDE, ABOVE])
def test_what_stands_at_its_label_and_adds_up_is_accepted(tmp_path, lines):
    assert ask(tmp_path, Repair, REPAIR, *lines).status == "accepted"


@pytest.mark.parametrize("lines", [BESIDE, ABOVE])
@pytest.mark.parametrize("swap", SWAPS)
def test_values_of_a_sum_that_changed_places_are_not_confirmed(tmp_path, lines, swap):
    result = ask(tmp_path, Repair, {**REPAIR, **swap}, *lines)
    assert result.status == "review"
    assert {issue.path for issue in result.issues if issue.code == "unconfirmed"} >= swap.keys()


def test_a_count_and_a_price_that_changed_places_are_not_confirmed(tmp_path):
    lines = (("Count", "Price", "Amount"), ("20", "5.00", "100.00"), ("4", "25.00", "100.00"), ("Total", "", "200.00"))
    right = [{"count": "20", "price": "5.00", "amount": "100.00"}, {"count": "4", "price": "25.00", "amount": "100.00"}]
    swapped = [{"count": "5.00", "price": "20", "amount": "100.00"}, right[1]]
    assert ask(tmp_path, Bill, {"items": right, "total": "200.00"}, *lines).status == "accepted"
    assert ask(tmp_path, Bill, {"items": swapped, "total": "200.00"}, *lines).status == "review"
