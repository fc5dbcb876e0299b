"""A schema's rules asked of values: does each hold, is it broken, or is it not there to be asked. Knows values only, no candidate.

A zero sum proves nothing, and neither does a number that is merely printed twice: such a relation is `weak`, no confirmation. A sum that
lacks what is to be taken off proves nothing either; but where it differs, it is `unexplained`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from docpipe.annotations import AnyOf, AtMost, Distinct, Ordered, Product, Rule, Sum
from docpipe.records import Value
from docpipe.validate.choice import number, value_key
from docpipe.validate.rows import place

State = Literal["holds", "weak", "broken", "unexplained", "absent"]
Values = Mapping[str, Value]
ROWS_TO_DENY = 3  # so many rows, none of which multiplies, show that the table's columns are not factors of one another
HALF = Decimal("0.5")


@dataclass(frozen=True)
class Finding:
    """What one rule says: `paths` are the concrete fields it was asked of, the result or later one first; `expected` is what that one
    would have to be where the rule is broken."""

    name: str
    rule: Rule
    state: State
    paths: tuple[str, ...] = ()
    expected: str | None = None


def check(rules: Sequence[Rule], values: Values) -> list[Finding]:
    """Every rule asked once, a product once for each row; rules that only fill in or place values are not asked."""
    return [finding for rule in rules for finding in _ASKED.get(type(rule), _nothing)(rule, values)]


def cells(values: Values, path: str) -> dict[str, Decimal]:
    """The numbers at a path, `line_items[*].amount` standing for that of every row, in row order."""
    if "[*]" not in path:
        found = number(values.get(path))
        return {} if found is None else {path: found}
    head, _, tail = path.partition("[*]")
    rows = [(at[1], one) for one in values if (at := place(one)) and at[0] == head and at[2] == tail]
    return {one: amount for _, one in sorted(rows) if (amount := number(values[one])) is not None}


def _nothing(rule: Rule, values: Values) -> list[Finding]:
    return []


def _sum(rule: Rule, values: Values) -> list[Finding]:
    if not isinstance(rule, Sum):
        return []
    name = f"sum:{rule.total}"
    total = number(values.get(rule.total))
    parts, less = ({path: cells(values, path) for path in paths} for paths in (rule.parts, rule.less))
    if total is None or any(not found and path not in rule.optional for path, found in parts.items()):
        return [Finding(name, rule, "absent")]
    added = [amount for found in parts.values() for amount in found.values()]
    taken = [abs(amount) for found in less.values() for amount in found.values()]
    if not added:
        return [Finding(name, rule, "absent")]
    expected = sum(added, Decimal(0)) - sum(taken, Decimal(0))
    paths = (rule.total, *(path for found in (*parts.values(), *less.values()) for path in found))
    lacking = any(not found and path not in rule.optional for path, found in less.items())
    if abs(total - expected) > rule.tolerance:
        return [Finding(name, rule, "unexplained" if lacking else "broken", paths, format(expected, "f"))]
    if lacking:
        return [Finding(name, rule, "absent")]
    proves = total != 0 and sum(1 for amount in (*added, *taken) if amount != 0) > 1
    return [Finding(name, rule, "holds" if proves else "weak", paths)]


def _any_of(rule: Rule, values: Values) -> list[Finding]:
    """Those of its rules that hold, else those that hold weakly; broken only where one could be asked and none holds."""
    if not isinstance(rule, AnyOf):
        return []
    found = [finding for one in rule.rules for finding in check([one], values)]
    for state in ("holds", "weak"):
        if kept := [replace(finding, rule=rule) for finding in found if finding.state == state]:
            return kept
    broken = [replace(finding, rule=rule) for finding in found if finding.state == "broken"]
    return broken[:1] or [Finding("any", rule, "absent")]


def _product(rule: Rule, values: Values) -> list[Finding]:
    """One finding for each row that has the result and all factors; none where no row of several multiplies."""
    if not isinstance(rule, Product):
        return []
    columns = [cells(values, path) for path in (rule.result, *rule.factors)]
    found: list[Finding] = []
    for path, result in columns[0].items():
        at = place(path)
        paths = (path, *(one if at is None else one.replace("[*]", f"[{at[1]}]", 1) for one in rule.factors))
        factors = [column.get(one) for column, one in zip(columns[1:], paths[1:], strict=True)]
        if None not in factors:
            found.append(_multiplied(rule, paths, result, [factor for factor in factors if factor is not None]))
    if len(found) >= ROWS_TO_DENY and all(finding.state == "broken" for finding in found):
        return [Finding(f"product:{rule.result}", rule, "absent")]
    return found


def _multiplied(rule: Product, paths: tuple[str, ...], result: Decimal, factors: list[Decimal]) -> Finding:
    """Exact to half a unit of the result's last place; weak where only the rounding of a printed factor explains the rest."""
    product = Decimal(1)
    for factor in factors:
        product *= factor
    off = abs(abs(product) - abs(result))
    slack = sum((HALF * _unit(factor) * abs(product / factor) for factor in factors if factor != 0), Decimal(0))
    if off <= HALF * min(_unit(result), Decimal("0.01")):
        state: State = "weak" if result == 0 or any(abs(factor) == 1 for factor in factors) else "holds"
        return Finding("product", rule, state, paths)
    if off <= min(slack, abs(result) * Decimal("0.02")):
        return Finding("product", rule, "weak", paths)
    return Finding("product", rule, "broken", paths, format(product.quantize(_unit(result)), "f"))


def _unit(value: Decimal) -> Decimal:
    """One unit of the value's last printed place."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(1)


def _at_most(rule: Rule, values: Values) -> list[Finding]:
    if not isinstance(rule, AtMost):
        return []
    part, whole = number(values.get(rule.part)), number(values.get(rule.whole))
    if part is None or whole is None:
        return [Finding(f"at_most:{rule.part}", rule, "absent")]
    holds = abs(part) <= rule.share * abs(whole)
    return [Finding(f"at_most:{rule.part}", rule, "holds" if holds else "broken", (rule.part, rule.whole))]


def _ordered(rule: Rule, values: Values) -> list[Finding]:
    if not isinstance(rule, Ordered):
        return []
    first, then = values.get(rule.first), values.get(rule.then)
    if not (isinstance(first, str) and isinstance(then, str)):
        return [Finding(f"order:{rule.then}", rule, "absent")]
    return [Finding(f"order:{rule.then}", rule, "holds" if first <= then else "broken", (rule.then, rule.first))]


def _distinct(rule: Rule, values: Values) -> list[Finding]:
    if not isinstance(rule, Distinct):
        return []
    one, other = values.get(rule.one), values.get(rule.other)
    if one is None or other is None:
        return [Finding(f"distinct:{rule.other}", rule, "absent")]
    differ = value_key("text", one) != value_key("text", other)
    return [Finding(f"distinct:{rule.other}", rule, "holds" if differ else "broken", (rule.other, rule.one))]


_ASKED: Mapping[type[Rule], Callable[[Rule, Values], list[Finding]]] = {
    Sum: _sum,
    AnyOf: _any_of,
    Product: _product,
    AtMost: _at_most,
    Ordered: _ordered,
    Distinct: _distinct,
}
