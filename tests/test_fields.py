"""A schema class as a flat list of fields: paths, kinds, labels, and the identity of a schema."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from docpipe.annotations import Kind, Labels, Merge, NotLabels, Required, Rows, Rule, Sum
from docpipe.errors import SchemaError
from docpipe.fields import FieldSpec, fields_of, load_schema, name_words, pattern, rules_of, schema_ref


class Row(BaseModel):
    """A row."""

    text: str | None = Field(None, description="What it is")
    amount: Annotated[Decimal | None, Labels(en="amount")] = Field(None, description="How much")


class Side(BaseModel):
    """A party."""

    name: str | None = Field(None, description="Its name")


class Paper(BaseModel):
    """A paper."""

    rules: ClassVar[tuple[Rule, ...]] = (Sum("total", ("rows[*].amount",)),)

    total: Annotated[Decimal | None, Labels(en="grand total|total", de="Summe"), NotLabels(en="subtotal"), Required(), Merge("last")] = (
        Field(None, description="Sum of all rows")
    )
    sender: Annotated[Side | None, Labels(en="from|sender")] = Field(None, description="Who sent it")
    rows: list[Row] = Field(default_factory=list, description="The rows")
    notes: Annotated[list[Row], Rows("pairs")] = Field(default_factory=list, description="Notes")


def by_path(schema: type[BaseModel]) -> dict[str, FieldSpec]:
    return {spec.path: spec for spec in fields_of(schema)}


def test_leaves_come_in_the_order_of_the_class_with_dotted_paths() -> None:
    assert [spec.path for spec in fields_of(Paper)] == [
        "total",
        "sender.name",
        "rows[*].text",
        "rows[*].amount",
        "notes[*].text",
        "notes[*].amount",
    ]


def test_a_leaf_knows_what_the_annotations_say() -> None:
    total = by_path(Paper)["total"]
    assert total.labels == ("grand total", "Summe", "total")
    assert (total.not_labels, total.required, total.merge, total.kind) == (("subtotal",), True, "last", "money")


def test_nested_fields_know_their_block_and_rows() -> None:
    specs = by_path(Paper)
    assert (specs["sender.name"].groups, specs["sender.name"].sections) == (("sender",), ("from", "sender"))
    assert specs["sender.name"].rows is None and not specs["sender.name"].repeated
    assert (specs["rows[*].amount"].rows, specs["notes[*].amount"].rows) == ("table", "pairs")
    assert specs["rows[*].amount"].repeated


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("iban", str, "iban"),
        ("Currency", str, "currency"),
        ("home_address", str, "address"),
        ("CompanyName", str, "name"),
        ("SSN_ITIN", str, "id"),
        ("order_no", str, "id"),
        ("remark", str, "text"),
        ("born", datetime.date, "date"),
        ("at", datetime.time, "time"),
        ("paid", bool, "bool"),
        ("count", int, "quantity"),
        ("price", Decimal, "money"),
        ("size", Literal["A", "B"], "choice"),
        ("tax", Annotated[Decimal, Kind("rate")], "rate"),
        ("who", Annotated[str, Kind("tax_id")], "tax_id"),
    ],
)
def test_the_kind_comes_from_the_annotation_the_type_then_the_name(name: str, kind: Any, found: str) -> None:
    schema = type("One", (BaseModel,), {"__annotations__": {name: kind | None}, name: Field(None, description="A value on the page")})
    assert fields_of(schema)[0].kind == found


def test_a_description_that_asks_for_a_name_makes_one() -> None:
    class Letter(BaseModel):
        """A letter."""

        agent: str | None = Field(None, description="Name of the agent (not the client)")
        subject: str | None = Field(None, description="What it is about; no name")

    assert [spec.kind for spec in fields_of(Letter)] == ["name", "text"]


def test_choices_are_kept() -> None:
    class Form(BaseModel):
        """A form."""

        kind: Literal["New", "Changed"] | None = Field(None, description="Which")

    assert fields_of(Form)[0].choices == ("New", "Changed")


@pytest.mark.parametrize("kind", [dict[str, str], Any, str | int, bytes, list[dict[str, str]]], ids=str)
def test_what_no_page_can_show_is_refused_with_its_path(kind: Any) -> None:
    schema = type("Bad", (BaseModel,), {"__annotations__": {"what": kind}, "what": Field(None, description="Something")})
    with pytest.raises(SchemaError, match="what"):
        fields_of(schema)


class Loop(BaseModel):
    """Contains itself."""

    child: "Loop | None" = Field(None, description="Another")


def test_recursion_is_refused() -> None:
    with pytest.raises(SchemaError, match="child: Loop contains itself"):
        fields_of(Loop)


def test_rules_and_patterns() -> None:
    assert rules_of(Paper) == (Sum("total", ("rows[*].amount",)),)
    assert rules_of(Row) == ()
    assert pattern("rows[12].amount") == pattern("rows[*].amount") == "rows[*].amount"


def test_names_fall_into_words() -> None:
    assert name_words("SSN_ITIN") == ["ssn", "itin"]
    assert name_words("InvoiceNumber2") == ["invoice", "number", "2"]


SOURCE = '''
from typing import Annotated, ClassVar
from pydantic import BaseModel, Field
from docpipe.annotations import Labels, Rule, Sum

class Ticket(BaseModel):
    """A ticket."""

    rules: ClassVar[tuple[Rule, ...]] = ({rule})
    number: Annotated[str | None, Labels(en="{label}")] = Field(None, description="{description}")
'''


def identity(folder: Path, *, rule: str = "", label: str = "no", description: str = "Its number") -> tuple[str, str]:
    folder.mkdir()
    file = folder / "ticket.py"
    file.write_text(SOURCE.format(rule=rule, label=label, description=description))
    _, reference = load_schema(f"{file}:Ticket")
    return reference.name, reference.sha256


def test_a_schema_is_the_same_wherever_its_file_lies_and_another_once_it_says_something_else(tmp_path: Path) -> None:
    name, first = identity(tmp_path / "a")
    assert (name, first) == identity(tmp_path / "b")
    assert name == "ticket.py:Ticket"
    others = [
        identity(tmp_path / "c", label="ticket no"),
        identity(tmp_path / "d", description="Number of the ticket"),
        identity(tmp_path / "e", rule='Sum("number", ("number",)),'),
    ]
    assert len({first, *(sha256 for _, sha256 in others)}) == 4


def test_a_class_has_an_identity_without_a_reference() -> None:
    assert schema_ref(Paper).name == "Paper"
    assert schema_ref(Paper).sha256 == schema_ref(Paper, "papers:Paper").sha256
