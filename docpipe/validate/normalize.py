"""Printed text -> the value of a field, by the field's kind. Keeps what an engine has already normalized; knows no page and no rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from babel.numbers import normalize_currency
from rapidfuzz import fuzz, process

from docpipe.fields import FieldSpec, pattern
from docpipe.records import Candidate, DateOrder, Locale, Reading, Value
from docpipe.values.amounts import parse_amount, plain
from docpipe.values.dates import parse_date
from docpipe.values.identifiers import find_currencies, find_ibans, find_tax_ids
from docpipe.values.text import fold, squash, tidy

CHOICE_SIMILARITY = 85  # of 100; a choice's text is printed, but in any case and with slips of OCR
_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-3])[:.h]([0-5]\d)(?::([0-5]\d))?\s*([ap])?\.?(?:m\b\.?)?", re.IGNORECASE)
_YES = frozenset(["yes", "true", "ja", "oui", "si", "x", "on", "checked", "ticked", "selected", "1", "예", "v"])
_NO = frozenset(["no", "false", "nein", "non", "off", "unchecked", "unticked", "blank", "0", "아니오", "nee"])
_TICKS, _BLANKS = frozenset("☑☒✓✔✗✘■●⊠✅"), frozenset("☐□○")
Parser = Callable[[str, FieldSpec, Locale], Value]


def normalized(readings: Sequence[Reading], specs: Mapping[str, FieldSpec], locale: Locale) -> list[Reading]:
    """The readings with a value on every candidate whose text has one; others keep None."""
    return [
        reading.model_copy(update={"candidates": tuple(_with_value(one, specs, locale) for one in reading.candidates)})
        for reading in readings
    ]


def normalize(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    """What the text says for this field; None where it does not say anything of the field's kind."""
    return _PARSERS.get(spec.kind, _text)(raw, spec, locale)


def _with_value(candidate: Candidate, specs: Mapping[str, FieldSpec], locale: Locale) -> Candidate:
    spec = specs.get(pattern(candidate.path))
    if candidate.value is not None or candidate.raw is None or spec is None:
        return candidate
    return candidate.model_copy(update={"value": normalize(candidate.raw, spec, locale)})


def _amount(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    found = parse_amount(raw, locale.decimal or ".")
    return None if found is None else plain(found)


def _date(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    return parse_date(raw, order_for(spec, locale))


def order_for(spec: FieldSpec, locale: Locale) -> DateOrder | None:
    """The document's date order; where nothing in it decides, what the field's description says."""
    if locale.date_order is None and re.search(r"\bmonth\b[^.;]*\bbefore\b[^.;]*\bday\b", spec.description, re.IGNORECASE):
        return "month_first"
    return locale.date_order


def _time(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    """`2:05 pm` -> `14:05`; seconds are kept where they are printed."""
    match = _TIME.search(raw)
    if match is None:
        return None
    hour, half = int(match[1]), (match[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02d}:{match[2]}" + (f":{match[3]}" if match[3] else "")


def _currency(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    code = tidy(raw).upper()
    if re.fullmatch("[A-Z]{3}", code) and normalize_currency(code):
        return code
    found = set(find_currencies(raw))
    return found.pop() if len(found) == 1 else None


def _iban(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    found = find_ibans(raw.upper())
    return found[0].value if found else re.sub(r"\W", "", raw).upper() or None


def _tax_id(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    found = find_tax_ids(raw)
    return found[0].value if found else tidy(raw) or None


def _bool(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    word = fold(raw)
    if word in _YES or set(raw) & _TICKS:
        return True
    return False if word in _NO or set(raw) & _BLANKS else None


def _choice(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    """The choice that the text is, or the only one that it resembles."""
    exact = [choice for choice in spec.choices if squash(choice) == squash(raw)]
    if exact:
        return exact[0]
    found = process.extract(raw, spec.choices, scorer=fuzz.WRatio, processor=fold, score_cutoff=CHOICE_SIMILARITY, limit=2)
    return found[0][0] if found and (len(found) == 1 or found[0][1] > found[1][1]) else None


def _address(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    """Lines joined by commas."""
    lines = [line.strip(" ,") for line in tidy_lines(raw)]
    return ", ".join(line for line in lines if line) or None


def _page_text(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    return unicodedata.normalize("NFC", raw)


def _text(raw: str, spec: FieldSpec, locale: Locale) -> Value:
    return tidy(raw) or None


def tidy_lines(raw: str) -> list[str]:
    """The text's lines, each tidy."""
    return [tidy(line) for line in raw.splitlines()]


_PARSERS: Mapping[str, Parser] = {
    "money": _amount,
    "quantity": _amount,
    "rate": _amount,
    "date": _date,
    "time": _time,
    "currency": _currency,
    "iban": _iban,
    "tax_id": _tax_id,
    "bool": _bool,
    "choice": _choice,
    "address": _address,
    "page_text": _page_text,
}
