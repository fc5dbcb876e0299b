"""What arithmetic does not see: two values that change places in a sum or a product, which holds all the same. Knows relations and who read
the values where; no page.

The labels engine reads a value because of its label. A model is asked for it by name and may name the wrong one of two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from docpipe.annotations import AnyOf, Product, Rule, Sum
from docpipe.validate.choice import Choice, Choices, value_key, values_of
from docpipe.validate.rows import place
from docpipe.validate.rules import Finding, check


def doubtful(finding: Finding, choices: Choices, rules: Sequence[Rule]) -> set[str]:
    """The paths of the relation whose values could be each other's, for all that is known: no rule would be broken, and neither stands at
    its own label or has been read by another engine. Where factors could be, nothing of the row is sure."""
    mine = [choices[path] for path in finding.paths if path in choices]
    together = list(_together(finding.rule))
    pairs = [
        {one.path, other.path}
        for one, other in combinations(mine, 2)
        if any({one.spec.path, other.spec.path} <= group for group in together) and _alike(one, other, choices, rules)
    ]
    return set(finding.paths) if pairs and isinstance(finding.rule, Product) else set().union(*pairs)


def _alike(one: Choice, other: Choice, choices: Choices, rules: Sequence[Rule]) -> bool:
    if one.spec.path == other.spec.path or _row(one) != _row(other) or _is_fixed(one) or _is_fixed(other):
        return False
    differ = value_key(one.spec.kind, one.value) != value_key(other.spec.kind, other.value)
    return differ and (one.spec.repeated or not _broken_by(one, other, choices, rules))


def _together(rule: Rule) -> Iterator[set[str]]:
    """The fields of a relation that it treats alike: a + b = c and b + a = c, c - a = b and c - b = a."""
    if isinstance(rule, AnyOf):
        for one in rule.rules:
            yield from _together(one)
    elif isinstance(rule, Product):
        yield set(rule.factors)
    elif isinstance(rule, Sum):
        yield set(rule.parts)
        yield {rule.total, *rule.less}


def _row(choice: Choice) -> tuple[str, int] | None:
    """The row that the value is a cell of; a cell that is taken for one of another row is the engine's to see."""
    found = place(choice.path)
    return found and (found[0], found[1])


def _is_fixed(choice: Choice) -> bool:
    winner = choice.winner
    if winner is None or winner.evidence.relation != "model" or winner.evidence.features.get("named"):
        return True
    key = value_key(choice.spec.kind, winner.value)
    others = [one for one in choice.ranked if one.engine != winner.engine and one.grounded]
    return any(value_key(choice.spec.kind, one.value) == key for one in others)


def _broken_by(one: Choice, other: Choice, choices: Choices, rules: Sequence[Rule]) -> bool:
    """Whether another rule says which is which: it would be broken if the two changed places."""
    values = values_of(choices)
    swapped = {**values, one.path: other.value, other.path: one.value}
    before, after = ({(found.name, found.paths) for found in check(rules, of) if found.state == "broken"} for of in (values, swapped))
    return not after <= before
