"""What validation passes from step to step: one field's rival candidates and the one that stands. Knows how values compare, no rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from docpipe.fields import FieldSpec
from docpipe.records import Candidate, Value
from docpipe.values.text import squash

XML = "einvoice"  # the engine that reads the document's own XML
NUMBERS = frozenset({"money", "quantity", "rate"})
_WORDY = frozenset({"text", "name", "address", "id", "tax_id", "iban", "currency", "choice"})
LABELLED = 0.8  # the score of a label from which on a field counts as labelled
ValueKey = tuple[str, str]


@dataclass(frozen=True)
class Choice:
    """One concrete field of the document. `ranked` holds its candidates, best first; `at` is the place of the one that stands in it,
    or None where none does. `confirmed_by` names what speaks for the value, `dropped` why none is given."""

    path: str
    spec: FieldSpec
    ranked: tuple[Candidate, ...]
    at: int | None = 0
    confidence: float = 0.0
    confirmed_by: tuple[str, ...] = ()
    dropped: str = ""

    @property
    def winner(self) -> Candidate | None:
        """The candidate that stands."""
        return None if self.at is None else self.ranked[self.at]

    @property
    def value(self) -> Value:
        """The value that stands."""
        return None if self.at is None else self.ranked[self.at].value

    @property
    def losers(self) -> tuple[Candidate, ...]:
        """All other candidates, best first."""
        return tuple(candidate for place, candidate in enumerate(self.ranked) if place != self.at)

    def stand(self, candidate: Candidate) -> Choice:
        """The same contest with another of its candidates standing."""
        return replace(self, at=self.ranked.index(candidate), dropped="")

    def drop(self, why: str) -> Choice:
        """The same contest with no value given."""
        return replace(self, at=None, dropped=why)


Choices = Mapping[str, Choice]


def number(value: Value) -> Decimal | None:
    """A decimal string as a number; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def value_key(kind: str, value: Value) -> ValueKey:
    """Two values of a kind are the same exactly where their keys are: numbers by amount, texts without case, accents and blanks."""
    if kind in NUMBERS and (amount := number(value)) is not None:
        return "number", str(amount.normalize() + 0)
    if kind in _WORDY and isinstance(value, str):
        return "text", squash(value) or value
    return type(value).__name__, str(value)


def values_of(choices: Choices) -> dict[str, Value]:
    """Concrete path -> the value that stands, for fields that have one."""
    return {path: choice.value for path, choice in choices.items() if choice.value is not None}


def same(kind: str, one: Value, other: Value) -> bool:
    """Whether two values of a kind say the same."""
    return value_key(kind, one) == value_key(kind, other)


def order(candidate: Candidate) -> tuple[object, ...]:
    """A total order of one engine's candidates for one path, best first: by score, then by place, so that no input order matters."""
    return (
        -candidate.score,
        candidate.page or 0,
        candidate.box or (),
        str(candidate.value),
        candidate.raw or "",
        candidate.engine,
        candidate.model or "",
        candidate.evidence.relation,
        candidate.evidence.label or "",
        candidate.model_dump_json(),
    )


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates in that order."""
    return sorted(candidates, key=order)


def is_labelled(candidate: Candidate) -> bool:
    """The candidate stands at a label of its own field. XML labels by its elements, a language model by the field it was asked for, if
    the page's words bear it out."""
    if candidate.evidence.relation == "model":
        return candidate.grounded
    return candidate.engine == XML or candidate.evidence.label_score >= LABELLED


def says(choice: Choice, feature: str) -> bool:
    """Some reading of the place that the value stands at has the feature; another reading of it, by a table, may not ask."""
    winner = choice.winner
    if winner is None:
        return False
    here = [one for one in choice.ranked if one is winner or (one.value == winner.value and _one_place(one, winner))]
    return any(one.evidence.features.get(feature) for one in here)


def _one_place(one: Candidate, other: Candidate) -> bool:
    if one.page != other.page or one.box is None or other.box is None:
        return False
    x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
    return other.box[0] <= x <= other.box[2] and other.box[1] <= y <= other.box[3]
