"""The joint step: of each field's best candidates, the ones that fit together. Knows sums between fields; adds and invents nothing.

A relation that holds is worth a bonus; candidates that fit replace better-scored ones only while what they lose is less than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from docpipe.annotations import AnyOf, AtMost, DefaultTo, Rule, Sum
from docpipe.records import Candidate
from docpipe.validate.choice import XML, Choice, Choices, is_labelled, number, value_key, values_of
from docpipe.validate.rules import cells

# Measured on invoices: a net + tax = gross among the best 14 of each is right rather than three unrelated bests up to 2.5 points behind.
RIVALS, FEWER = 14, 5
SUM_BONUS, ROWS_BONUS, WEAK_BONUS, DEFAULT_BONUS = 2.5, 1.6, 1.2, 0.55
OTHER_ENGINE = 0.5  # what a candidate of an engine loses that does not lead this field
BELIEVED = 0.5  # the confidence of an optional part
STATES, WIDE = 40, 3  # how many partial assignments are kept; all rivals of up to so many fields are tried together


@dataclass(frozen=True)
class Option:
    """One candidate of a field, or none, and the points that taking it loses against the field's best."""

    candidate: Candidate | None
    amount: Decimal | None
    loss: float


NOTHING = Option(None, None, 0.0)
LEFT_OUT = Option(None, None, 1.0)  # to give an optional part no value costs this much
Taken = Mapping[str, Option]
Sureness = Callable[[Choice, Candidate], float]


@dataclass(frozen=True)
class State:
    """A partial assignment and its points."""

    taken: Taken
    points: float = 0.0


def reconcile(choices: Choices, rules: Sequence[Rule], sure: Sureness) -> dict[str, Choice]:
    """The same contests, other candidates standing where the declared sums hold with them and the loss is small. `sure` gives the
    confidence of a candidate by itself: a part that most documents lack takes part only where it is believed."""
    asked = [rule for rule in rules if isinstance(rule, Sum | AnyOf | DefaultTo)]
    free = {path for rule in every_sum(asked) for path in (*rule.optional, *rule.less)} - {rule.total for rule in every_sum(asked)}
    options = {
        path: (_optional if path in free else _options)(choices[path], sure) for rule in asked for path in _fields(rule) if path in choices
    }
    table = Table(options, _row_amounts(choices, asked), tuple(rule for rule in rules if isinstance(rule, AtMost)))
    states = [State({})]
    for rule in asked:
        states = table.grown(states, rule)
    settled = dict(choices)
    for path, option in max(states, key=lambda state: state.points).taken.items():
        settled[path] = choices[path].drop("not_fitting") if option.candidate is None else choices[path].stand(option.candidate)
    return settled


def every_sum(rules: Iterable[Rule]) -> Iterator[Sum]:
    """Every sum, those inside `AnyOf` too."""
    for rule in rules:
        if isinstance(rule, Sum):
            yield rule
        elif isinstance(rule, AnyOf):
            yield from every_sum(rule.rules)


def _fields(rule: Rule) -> list[str]:
    """The fields outside lists that a rule speaks of."""
    if isinstance(rule, DefaultTo):
        return [rule.source, rule.path]
    return list(dict.fromkeys(path for one in every_sum([rule]) for path in (one.total, *one.parts, *one.less) if "[*]" not in path))


def _row_amounts(choices: Choices, rules: Sequence[Rule]) -> dict[str, tuple[Decimal, ...]]:
    """The numbers of every row for each path with `[*]`: rows are as they are, only totals are chosen."""
    values = values_of(choices)
    paths = {path for rule in every_sum(rules) for path in (*rule.parts, *rule.less) if "[*]" in path}
    return {path: tuple(cells(values, path).values()) for path in paths}


def _options(choice: Choice, sure: Sureness) -> list[Option]:
    """The best candidate of each value with its loss, cheapest first; the one that stands loses nothing. What the document's own XML
    says has no rival."""
    if choice.winner is None:
        return [NOTHING]
    seen = {value_key(choice.spec.kind, choice.value): Option(choice.winner, number(choice.value), 0.0)}
    if choice.winner.engine == XML:
        return list(seen.values())
    top: dict[str, float] = {}
    for candidate in choice.ranked:
        top[candidate.engine] = max(top.get(candidate.engine, candidate.score), candidate.score)
    for candidate in choice.ranked:
        loss = top[candidate.engine] - candidate.score + OTHER_ENGINE * (candidate.engine != choice.winner.engine)
        key = value_key(choice.spec.kind, candidate.value)
        if key not in seen or loss < seen[key].loss:
            seen[key] = Option(candidate, number(candidate.value), loss)
    return sorted(seen.values(), key=lambda option: option.loss)[:RIVALS]


def _optional(choice: Choice, sure: Sureness) -> list[Option]:
    """Only options that are believed by themselves, and the one of giving no value: free where no other is left."""
    believed = [option for option in _options(choice, sure) if option.candidate and sure(choice, option.candidate) >= BELIEVED]
    return [*believed, LEFT_OUT] if believed else [NOTHING]


@dataclass(frozen=True)
class Table:
    """What the assignment is made of: each field's options, the rows' fixed amounts, the limits that parts must keep."""

    options: Mapping[str, list[Option]]
    rows: Mapping[str, tuple[Decimal, ...]]
    limits: tuple[AtMost, ...]

    def grown(self, states: Sequence[State], rule: Rule) -> list[State]:
        """Each state with every way to take the rule's fields that it has not taken yet; the best of them."""
        paths = [path for path in _fields(rule) if path in self.options]
        grown: list[State] = []
        for state in states:
            fresh = [path for path in paths if path not in state.taken]
            most = RIVALS + 1 if len(states) == 1 and len(fresh) <= WIDE else FEWER
            for ways in product(*(_some(self.options[path], most) for path in fresh)):
                taken = {**state.taken, **dict(zip(fresh, ways, strict=True))}
                lost = sum(way.loss for way in ways)
                grown.append(State(taken, state.points - lost + self._bonus(rule, taken)))
        return sorted(grown, key=lambda state: -state.points)[:STATES]

    def _bonus(self, rule: Rule, taken: Taken) -> float:
        """The points for the rule holding."""
        if isinstance(rule, AnyOf):
            return max((self._bonus(one, taken) for one in rule.rules), default=0.0)
        if isinstance(rule, DefaultTo):
            own = _amount(rule.path, taken)
            return DEFAULT_BONUS if own is not None and own == _amount(rule.source, taken) else 0.0
        return self._sum_bonus(rule, taken) if isinstance(rule, Sum) else 0.0

    def _sum_bonus(self, rule: Sum, taken: Taken) -> float:
        total = _amount(rule.total, taken)
        plus, minus = self._amounts(rule.parts, rule, taken), self._amounts(rule.less, rule, taken)
        if total is None or not plus or minus is None or self._breached(rule, taken):
            return 0.0
        if abs(sum(plus, Decimal(0)) - sum(map(abs, minus), Decimal(0)) - total) > rule.tolerance:
            return 0.0
        if total == 0 or sum(amount != 0 for amount in (*plus, *minus)) < 2:
            return WEAK_BONUS
        return ROWS_BONUS if any("[*]" in path for path in rule.parts) else SUM_BONUS

    def _amounts(self, paths: Iterable[str], rule: Sum, taken: Taken) -> list[Decimal] | None:
        """The numbers at the paths; None where one that is not optional is missing."""
        found: list[Decimal] = []
        for path in paths:
            own = _amount(path, taken)
            amounts = self.rows[path] if "[*]" in path else () if own is None else (own,)
            if not amounts and path not in rule.optional:
                return None
            found += amounts
        return found

    def _breached(self, rule: Sum, taken: Taken) -> bool:
        """A part is larger than its share of one of the sum's fields: the sum holds by chance, or the part is no part of it."""
        for limit in self.limits:
            part, whole = taken.get(limit.part), _amount(limit.whole, taken)
            if part is None or part.amount is None or part.candidate is None or limit.whole not in (rule.total, *rule.parts):
                continue
            believed = limit.part in rule.parts or is_labelled(part.candidate)
            if believed and whole is not None and abs(part.amount) > limit.share * abs(whole):
                return True
        return False


def _some(options: list[Option], most: int) -> list[Option]:
    """The cheapest options; the one without a value is always among them."""
    return options if len(options) <= most else [*options[: most - 1], *(one for one in options[most - 1 :] if one.candidate is None)]


def _amount(path: str, taken: Taken) -> Decimal | None:
    return taken[path].amount if path in taken else None
