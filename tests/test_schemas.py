"""The built-in schemas: their fixed names, labels in every language, rules that reach, and a lint without findings."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from docpipe.annotations import Labels, Required, Rule, Sum
from docpipe.fields import fields_of, load_schema
from docpipe.lint import lint

BUILT_IN = ("invoice", "receipt", "form", "transcript", "tax_invoice_kr")
FIXED = {
    "invoice": "invoice_number issue_date due_date currency seller.name seller.address seller.tax_id buyer.name buyer.address buyer.tax_id "
    "line_items[*].description line_items[*].quantity line_items[*].unit_price line_items[*].amount line_items[*].tax_rate net_total "
    "tax_total gross_total amount_due iban order_number delivery_date payment_terms taxes[*].rate taxes[*].base taxes[*].amount",
    "receipt": "merchant.name merchant.address merchant.tax_id date time line_items[*].description line_items[*].amount net_total "
    "tax_total total currency payment_method",
    "form": "title entries[*].label entries[*].value entries[*].checked",
    "transcript": "text pages[*].page pages[*].text",
    "tax_invoice_kr": "supplier.registration_number recipient.registration_number supply_amount tax total items[*].description",
}


def built_in(name: str) -> type[BaseModel]:
    return load_schema(name)[0]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_fixed_field_names_are_there(name: str) -> None:
    assert set(FIXED[name].split()) <= {spec.path for spec in fields_of(built_in(name))}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_linter_finds_nothing(name: str) -> None:
    assert lint(built_in(name)) == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_empty_document_has_valid_data(name: str) -> None:
    empty = built_in(name)()
    assert all(value in (None, []) for value in empty.model_dump().values())
    assert built_in(name).model_validate_json(empty.model_dump_json()) == empty


def labels_of(model: type[BaseModel], prefix: str = "") -> list[tuple[str, Labels]]:
    found = []
    for name, info in model.model_fields.items():
        found += [(prefix + name, mark) for mark in info.metadata if type(mark) is Labels]
        inner = [part for part in re_parts(info.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        found += [pair for part in inner for pair in labels_of(part, f"{prefix}{name}.")]
    return found


def re_parts(annotation: Any) -> list[Any]:
    return [annotation, *(part for argument in getattr(annotation, "__args__", ()) for part in re_parts(argument))]


@pytest.mark.parametrize("name", ["invoice", "receipt"])
def test_every_label_list_speaks_five_languages(name: str) -> None:
    for path, labels in labels_of(built_in(name)):
        assert {"en", "de", "fr", "es", "ko"} <= set(labels.by_language), path


def test_labels_are_split_cleanly() -> None:
    for name in BUILT_IN:
        for path, labels in labels_of(built_in(name)):
            every = [label for said in labels.by_language.values() for label in said]
            assert all(label and label == label.strip() and not re.search(r"\s\s|\|", label) for label in every), path


def test_all_interleaves_the_languages_and_keeps_each_label_once() -> None:
    assert Labels(en="grand total|total", de="Summe|total", fr="somme").all() == ("grand total", "Summe", "somme", "total")


def one(field: Any = None, *, rules: tuple[Rule, ...] = (), **more: Any) -> type[BaseModel]:
    """A schema of one field `it`, or of the fields given; each a pair of type and Field."""
    fields = {"it": field} if field is not None else more
    annotations = {name: kind for name, (kind, _) in fields.items()} | {"rules": ClassVar[Any]}
    body = {name: info for name, (_, info) in fields.items()} | {"rules": rules, "model_config": ConfigDict(regex_engine="python-re")}
    return type("Made", (BaseModel,), {**body, "__annotations__": annotations})


def said(text: str = "Which one of the page it is") -> Any:
    return Field(None, description=text)


FINDINGS = {
    "no_description": one((str | None, Field(None))),
    "short_description": one((str | None, said("It"))),
    "unreadable": one((dict[str, str] | None, said())),
    "not_optional": one((str, Field(description="Which one of the page it is"))),
    "float": one((float | None, said())),
    "look_around": one((Annotated[str, StringConstraints(pattern=r"^(?!x).*$")] | None, said())),
    "broad_labels": one((Annotated[str | None, Labels(en="number|no")], said())),
    "broad_first": one((Annotated[str | None, Labels(en="date|date of issue")], said())),
    "double_label": one((Annotated[str | None, Labels(en="ticket no|Ticket no")], said())),
    "short_label": one((Annotated[str | None, Labels(en="ticket no|n")], said())),
    "empty_label": one((Annotated[str | None, Labels(en="ticket no||ticket")], said())),
    "shared_label": one(
        one=(Annotated[str | None, Labels(en="first day")], said()), other=(Annotated[str | None, Labels(en="First day")], said())
    ),
    "unknown_path": one((Decimal | None, said()), rules=(Sum("it", ("that",)),)),
    "unconfirmable": one((Annotated[str | None, Required()], said())),
    "no_fields": one(),
}
ERRORS = {"no_description", "unreadable", "look_around", "empty_label", "unknown_path", "no_fields"}


@pytest.mark.parametrize("code", FINDINGS)
def test_the_linter_names_what_is_weak(code: str) -> None:
    issues = lint(FINDINGS[code])
    assert [issue.code for issue in issues] == [code]
    assert issues[0].severity == ("error" if code in ERRORS else "warning")
    assert issues[0].path is not None or code == "no_fields"


def test_a_label_in_two_blocks_or_a_broad_one_in_a_row_is_no_finding() -> None:
    class Line(BaseModel):
        """A row."""

        amount: Annotated[Decimal | None, Labels(en="amount|line amount")] = Field(None, description="Amount of the row")

    class Paper(BaseModel):
        """Two tables."""

        sold: list[Line] = Field(default_factory=list, description="What was sold, row by row")
        bought: list[Line] = Field(default_factory=list, description="What was bought, row by row")

    assert lint(Paper) == []


def test_a_required_field_in_reach_of_a_rule_is_no_finding() -> None:
    rules = (Sum("it", ("part",)),)
    assert lint(one(it=(Annotated[Decimal | None, Required()], said()), part=(Decimal | None, said()), rules=rules)) == []


def test_the_example_in_the_docs_is_without_findings(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "docs" / "schemas.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "delivery_note.py").write_text(example)
    assert lint(load_schema(f"{tmp_path}/delivery_note.py:DeliveryNote")[0]) == []


def test_the_docs_name_every_finding() -> None:
    text = (Path(__file__).parent.parent / "docs" / "schemas.md").read_text()
    assert {code for code in FINDINGS if f"`{code}`" not in text} == set()
