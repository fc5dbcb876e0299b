"""Engine `einvoice`: the invoice that travels as XML inside a PDF, or alone. Knows the built-in invoice's field
names; of the pages it asks only whether a name, an address or a description of the XML is printed on them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import BaseModel

from docpipe.errors import DocumentError
from docpipe.extract import Engine
from docpipe.extract.einvoice.dialects import DIALECTS, OTHER_TYPES
from docpipe.extract.einvoice.ground import ground, printed
from docpipe.extract.einvoice.xml import PRICE_BASIS, texts
from docpipe.fields import FieldSpec, fields_of, pattern, titles_of
from docpipe.records import Candidate, Evidence, Issue, Job, Page, Reading, Usage
from docpipe.values.amounts import plain
from docpipe.values.text import tidy
from docpipe.workspace import Workspace

XML_FILE = "einvoice.xml"
NUMBERS = frozenset({"money", "quantity", "rate"})
# amounts that an invoice without them may still carry as 0
SILENT_ZEROS = frozenset({"charge_total", "allowance_total", "prepaid_amount", "rounding"})
PRICE_PLACES = Decimal("0.000001")
_DECIMAL = re.compile(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})")
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


class EInvoice(Engine):
    """Reads `einvoice.xml` of the workspace, which preprocessing left there; without it there is nothing to read."""

    name: ClassVar[str] = "einvoice"
    scope: ClassVar[Literal["page", "document"]] = "document"

    def read(self, pages: Sequence[Page], schema: type[BaseModel], *, job: Job, space: Workspace) -> Reading:
        """A candidate for each of the schema's fields that the XML gives under the built-in invoice's name for it.

        XML that cannot be read is a warning beside a printed page, and raises DocumentError where it is the whole document.
        """
        numbers = tuple(page.number for page in pages)
        if not space.has(XML_FILE):
            return Reading(engine=self.name, pages=numbers, usage=Usage(calls=0))
        try:
            written = dict(texts(space.path(XML_FILE).read_bytes()))
        except DocumentError as problem:
            if not pages and job.document.media_type.endswith("xml"):
                raise
            issue = Issue(code="einvoice_unreadable", message=problem.message, suggestion="check the attached XML against the printed page")
            return Reading(engine=self.name, pages=numbers, issues=(issue,))
        specs = {spec.path: spec for spec in fields_of(schema)}
        read = list(_read(written, specs))
        pages_text = printed(pages, space)
        return Reading(
            engine=self.name,
            pages=numbers,
            candidates=tuple(ground(item, specs, pages_text) for item in read if isinstance(item, Candidate)),
            issues=(*(item for item in read if isinstance(item, Issue)), *_other_kind(written, schema)),
        )


def reads(schema: type[BaseModel]) -> bool:
    """Whether most of what such XML says has a field in the schema, so that its documents are of this kind."""
    said = next(iter(DIALECTS.values())).fields
    return 2 * len({spec.path for spec in fields_of(schema)} & set(said)) > len(said)


def _read(written: dict[str, str], specs: dict[str, FieldSpec]) -> Iterator[Candidate | Issue]:
    for path, raw in written.items():
        spec = specs.get(pattern(path))
        if spec is None:
            continue
        value = _value(spec, raw)
        if value is None:
            yield Issue(code="einvoice_value", path=path, message=f"the XML gives {raw[:80]!r}, which is no {spec.kind}")
        elif not (path in SILENT_ZEROS and _is_zero(raw)):
            if spec.name == "unit_price":
                value = _per_unit(value, written.get(path.rpartition(".")[0] + "." + PRICE_BASIS, "1"))
            evidence = Evidence(relation="xml", fit=1.0)
            yield Candidate(path=path, value=value, raw=raw, engine=EInvoice.name, score=1.0, evidence=evidence)


def _other_kind(written: dict[str, str], schema: type[BaseModel]) -> Iterator[Issue]:
    """The XML calls itself something else than an invoice, and the schema says that it asks for invoices."""
    kind = OTHER_TYPES.get(written.get("type_code", ""))
    if kind is not None and any(titles_of(schema)):
        message = f"the XML calls itself a {kind} (type {written['type_code']})"
        yield Issue(code="other_document", severity="error", message=message, suggestion="look which way its amounts go")


def _value(spec: FieldSpec, raw: str) -> str | None:
    """The text in the form that results carry, or None where it is not of the field's kind."""
    if spec.kind in NUMBERS:
        return _number(raw)
    if spec.kind == "date":
        return _date(raw)
    if spec.kind == "iban":
        iban = "".join(raw.split()).upper()
        return iban if _IBAN.fullmatch(iban) else None
    if spec.kind == "currency":
        return raw.upper() if re.fullmatch("[A-Za-z]{3}", raw) else None
    return tidy(raw)


def _number(raw: str) -> str | None:
    return _trimmed(Decimal(raw)) if _DECIMAL.fullmatch(raw) else None


def _trimmed(value: Decimal) -> str:
    """Without the zeros beyond the second place, which XML writers fill up with."""
    whole, point, places = plain(value).partition(".")
    return whole + point + places[:2] + places[2:].rstrip("0")


def _date(raw: str) -> str | None:
    match = _DATE.match(raw)
    try:
        return date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def _is_zero(raw: str) -> bool:
    return _DECIMAL.fullmatch(raw) is not None and Decimal(raw) == 0


def _per_unit(price: str, basis: str) -> str:
    """The price of one unit where the XML gives the price of `basis` units."""
    if not (_DECIMAL.fullmatch(price) and _DECIMAL.fullmatch(basis)) or Decimal(basis) in (0, 1):
        return price
    return _trimmed((Decimal(price) / Decimal(basis)).quantize(PRICE_PLACES))
