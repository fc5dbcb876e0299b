"""What a schema may say beside plain Pydantic. Knows nothing of pages or engines; it is all of docpipe that `schemas/` imports.

    class Invoice(BaseModel):
        gross_total: Annotated[Decimal | None, Labels(en="grand total|total", de="Gesamtbetrag"), Required()] = Field(
            None, description="Total with tax")
        rules: ClassVar[tuple[Rule, ...]] = (Sum("gross_total", ("net_total", "tax_total")),)

A path is dotted: `seller.name`; `line_items[*].amount` means that field of every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MergePolicy = Literal["first", "last", "best", "vote", "concat_rows", "concat_text", "must_agree"]
FieldKind = Literal[
    "text",
    "name",
    "address",
    "id",
    "tax_id",
    "iban",
    "currency",
    "money",
    "quantity",
    "rate",
    "date",
    "time",
    "bool",
    "choice",
    "page_text",
]
RowSource = Literal["table", "pairs", "pages"]


class Labels:
    """What is printed beside the value, by language, most specific first, `|` between; on a nested model, the heading of its block."""

    def __init__(self, **by_language: str) -> None:
        self.by_language = {code: tuple(label.strip() for label in text.split("|")) for code, text in by_language.items()}

    def all(self) -> tuple[str, ...]:
        """Every label once, languages interleaved so that each language's most specific comes early."""
        columns = list(self.by_language.values())
        longest = max(map(len, columns), default=0)
        return tuple(dict.fromkeys(column[i] for i in range(longest) for column in columns if i < len(column)))


class NotLabels(Labels):
    """Labels of neighbours that are easily taken for this field's own."""


class OtherTitles(Labels):
    """What a document calls itself that is easily read as one of the schema's and is none: as `other_titles` of the class."""


class OwnTitles(Labels):
    """What a document of the schema calls itself, as `own_titles` of the class: a title that joins it to another, such as
    `Invoice / Delivery note`, contradicts nothing."""


@dataclass(frozen=True)
class Kind:
    """What the text is, where the Python type does not tell (`str`) or tells too little (`Decimal`)."""

    kind: FieldKind


@dataclass(frozen=True)
class Rows:
    """What one row of a list is: a row of a printed table (the default), a label with its value anywhere on the page, or a page."""

    source: RowSource


@dataclass(frozen=True)
class Merge:
    """Which candidate stands when several pages give the field; the default is `best`."""

    policy: MergePolicy


@dataclass(frozen=True)
class Required:
    """A document without a confirmed value here is never accepted."""


@dataclass(frozen=True)
class Rule:
    """Base of what a schema declares about its values. A rule whose fields the document lacks is not applicable, not broken."""


@dataclass(frozen=True)
class Sum(Rule):
    """`total` = the parts added up (rows: `line_items[*].amount`), minus `less`; those of both that `optional` also names count as 0
    where the document lacks them. Where another `less` is lacking nothing is confirmed, and a difference is an error."""

    total: str
    parts: tuple[str, ...]
    less: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    tolerance: Decimal = Decimal("0.00")


@dataclass(frozen=True)
class AnyOf(Rule):
    """At least one of these holds: rows add up to the net total or, tax included, to the gross total."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Product(Rule):
    """`result` = the factors multiplied, to half a unit of the result's last place."""

    result: str
    factors: tuple[str, ...]


@dataclass(frozen=True)
class AtMost(Rule):
    """|part| <= share x |whole|: a tax is a part of what it is levied on."""

    part: str
    whole: str
    share: Decimal


@dataclass(frozen=True)
class DefaultTo(Rule):
    """`path` is the value of `source` where the document prints no other: what is due is the gross total."""

    path: str
    source: str


@dataclass(frozen=True)
class Ordered(Rule):
    """`first` is not after `then`."""

    first: str
    then: str


@dataclass(frozen=True)
class Distinct(Rule):
    """The two are not the same: seller and buyer."""

    one: str
    other: str


@dataclass(frozen=True)
class SameBlock(Rule):
    """The fields are read from one block of text: a party's name and address."""

    paths: tuple[str, ...]
