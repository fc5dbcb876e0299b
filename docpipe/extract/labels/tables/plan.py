"""What a schema wants from tables: which of its fields is which column, and which is which total. Knows field specs and rules, no page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from docpipe.annotations import AnyOf, AtMost, DefaultTo, Product, Rule, Sum
from docpipe.extract.labels.tables.roles import BUILT_IN_COLUMNS, BUILT_IN_TOTALS, Labels, column_labels, total_labels
from docpipe.fields import FieldSpec, name_words
from docpipe.values.text import fold

TAX_SHARE = Decimal("0.275")  # no country's rate is higher
_BY_KIND: dict[str, tuple[str, ...]] = {
    "money": ("amount", "unit_price", "gross_price", "discount", "tax_amount", "base"),
    "quantity": ("quantity", "position"),
    "rate": ("tax_rate", "discount"),
    "text": ("description", "unit", "sku"),
    "name": ("description",),
    "id": ("sku", "position"),
    "date": ("date",),
}
TOTAL_ROLES = ("net", "tax", "gross", "prepaid", "due", "charge", "allow", "round")
NUMERIC_KINDS = frozenset({"money", "quantity", "rate"})


@dataclass(frozen=True)
class RowPlan:
    """A list of the schema: where its rows go and which column gives which field. A role named as a field has no built-in labels."""

    prefix: str
    fields: dict[str, FieldSpec]

    def path(self, row: int, role: str) -> str:
        """The path of one cell."""
        return f"{self.prefix}[{row}]{self.fields[role].path.split('[*]', 1)[1]}"


@dataclass(frozen=True)
class Plan:
    """All that a schema asks of tables. `positive` are the totals given without their printed sign; `others` the lists without amounts,
    each with its own labels."""

    items: RowPlan | None
    taxes: RowPlan | None
    totals: dict[str, FieldSpec]
    columns: Labels
    labels: Labels
    positive: frozenset[str] = frozenset()
    tax_share: Decimal = TAX_SHARE
    others: tuple[tuple[RowPlan, Labels], ...] = ()


def plan_of(specs: Sequence[FieldSpec], rules: Sequence[Rule]) -> Plan:
    """The plan for a schema's fields and rules; made once per schema."""
    return _plan(tuple(specs), tuple(rules))


@lru_cache(maxsize=32)
def _plan(specs: tuple[FieldSpec, ...], rules: tuple[Rule, ...]) -> Plan:
    lists: dict[str, list[FieldSpec]] = {}
    for spec in specs:
        if spec.rows == "table" and spec.path.count("[*]") == 1:
            lists.setdefault(spec.path.split("[*]", 1)[0], []).append(spec)
    plans = [RowPlan(prefix, _columns(fields, rules)) for prefix, fields in lists.items()]
    taxes = next((plan for plan in plans if _is_taxes(plan)), None)
    items = max((plan for plan in plans if plan is not taxes and "amount" in plan.fields), key=_weight, default=None)
    others = [plan for plan in plans if plan is not items and plan is not taxes]
    totals = _totals(specs, rules)
    return Plan(
        items,
        taxes,
        totals,
        column_labels(_own(items.fields if items else {})),
        total_labels({**_own(totals), **_denied(totals)}),
        frozenset(role for role in ("prepaid", "allow") if role in totals),
        next((rule.share for rule in rules if isinstance(rule, AtMost) and _is(totals, "tax", rule.part)), TAX_SHARE),
        tuple((plan, Labels(_own(plan.fields), (), rates=False)) for plan in others),
    )


def flat(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Every rule, those inside AnyOf too."""
    for rule in rules:
        yield from flat(rule.rules) if isinstance(rule, AnyOf) else (rule,)


def _is(totals: dict[str, FieldSpec], role: str, path: str) -> bool:
    return role in totals and totals[role].path == path


def _own(fields: dict[str, FieldSpec]) -> dict[str, tuple[str, ...]]:
    return {role: tuple(filter(None, map(fold, (*spec.labels, " ".join(name_words(spec.name)))))) for role, spec in fields.items()}


def _denied(fields: dict[str, FieldSpec]) -> dict[str, tuple[str, ...]]:
    return {f"not:{role}": tuple(filter(None, map(fold, spec.not_labels))) for role, spec in fields.items()}


def _weight(plan: RowPlan) -> int:
    """Which of several lists is the document's main table."""
    return len(plan.fields) + 3 * ("amount" in plan.fields) + 2 * ("description" in plan.fields)


def _is_taxes(plan: RowPlan) -> bool:
    """A tax breakdown: a rate with amounts, and nothing that is bought."""
    roles = set(plan.fields)
    return "tax_rate" in roles and bool(roles & {"base", "tax_amount", "amount"}) and not roles & {"description", "quantity", "unit_price"}


def _columns(fields: Sequence[FieldSpec], rules: Sequence[Rule]) -> dict[str, FieldSpec]:
    """Role -> field: what the product rule says, then what kind, name and labels say, each role given once."""
    roles = _by_product(fields, rules)
    left = [spec for spec in fields if spec not in roles.values()]
    scored = sorted(
        (
            (votes[role], -place, role, spec)
            for place, spec in enumerate(left)
            for votes in [_votes(spec, BUILT_IN_COLUMNS)]
            for role in votes
        ),
        key=lambda found: found[:2],
        reverse=True,
    )
    for _, _, role, spec in scored:
        if role in _BY_KIND.get(spec.kind, ()) and role not in roles and spec not in roles.values():
            roles[role] = spec
    if "amount" not in roles and "tax_rate" not in roles:
        money = [spec for spec in fields if spec.kind == "money" and spec not in roles.values()]
        roles |= {"amount": money[-1]} if money else {}
    if "description" not in roles:
        text = next((spec for spec in fields if spec.kind in ("text", "name") and spec not in roles.values()), None)
        roles |= {"description": text} if text else {}
    return roles | {spec.name: spec for spec in fields if spec not in roles.values() and spec.name not in roles}


def _by_product(fields: Sequence[FieldSpec], rules: Sequence[Rule]) -> dict[str, FieldSpec]:
    by_path = {spec.path: spec for spec in fields}
    for rule in flat(rules):
        if isinstance(rule, Product) and rule.result in by_path and all(factor in by_path for factor in rule.factors):
            roles = {"amount": by_path[rule.result]}
            factors = sorted((by_path[factor] for factor in rule.factors), key=lambda spec: spec.kind != "quantity")
            return roles | dict(zip(("quantity", "unit_price"), factors, strict=False))
    return {}


def _votes(spec: FieldSpec, built_in: dict[str, tuple[str, ...]]) -> Counter[str]:
    """How often the field's name (counted thrice) and labels are labels of each role; a label of many roles says little of each."""
    votes: Counter[str] = Counter()
    words = name_words(spec.name)
    names = {" ".join(words), *(" ".join(words[:-1]) for _ in range(len(words) > 1))}
    for text, weight in [(name, 300) for name in names] + [(fold(label), 100) for label in spec.labels]:
        roles = [role for role, labels in built_in.items() if text in labels]
        for role in roles:
            votes[role] += weight // len(roles)
    return votes


def _totals(specs: Sequence[FieldSpec], rules: Sequence[Rule]) -> dict[str, FieldSpec]:
    """Role -> field for the single amounts that the rules name: by the rules' form first, then by name and labels."""
    named = {path for rule in flat(rules) for path in _paths(rule)}
    fields = {spec.path: spec for spec in specs if spec.path in named and spec.kind == "money" and not spec.repeated}
    roles: dict[str, str] = {}
    for role, path in _by_rules(list(flat(rules)), fields):
        if role not in roles and path not in roles.values():
            roles[role] = path
    scored = [
        (votes[role], role, spec.path)
        for spec in fields.values()
        for votes in [_votes(spec, BUILT_IN_TOTALS)]
        for role in TOTAL_ROLES
        if votes[role]
    ]
    for _, role, path in sorted(scored, reverse=True):
        if role not in roles and path not in roles.values():
            roles[role] = path
    return {role: fields[path] for role, path in roles.items()}


def _by_rules(rules: Sequence[Rule], fields: dict[str, FieldSpec]) -> Iterator[tuple[str, str]]:
    """What the form of the rules says: `gross = net + tax`, `due` is `gross` by default, rows plus charges less allowances."""
    taxes = {rule.part for rule in rules if isinstance(rule, AtMost)}
    for rule in rules:
        if isinstance(rule, DefaultTo) and {rule.path, rule.source} <= fields.keys():
            yield from (("due", rule.path), ("gross", rule.source))
    for rule in rules:
        if not isinstance(rule, Sum) or rule.total not in fields:
            continue
        parts = [path for path in rule.parts if path in fields and path not in rule.optional]
        if len(parts) == 2 and not any("[*]" in path for path in rule.parts):
            tax = next((path for path in parts if path in taxes), None) or _taxlike(parts, fields)
            yield from (("gross", rule.total), ("tax", tax), ("net", next(path for path in parts if path != tax)))
        elif len(parts) == 1 and len(rule.less) == 1 and rule.less[0] in fields and not _paid(fields[rule.less[0]]):
            yield from (("gross", parts[0]), ("net", rule.total), ("tax", rule.less[0]))


def _taxlike(parts: Sequence[str], fields: dict[str, FieldSpec]) -> str:
    return max(reversed(parts), key=lambda path: _votes(fields[path], BUILT_IN_TOTALS)["tax"])


def _paid(spec: FieldSpec) -> bool:
    """What was paid before or is given back, and so no tax or commission."""
    votes = _votes(spec, BUILT_IN_TOTALS)
    paid = max(votes["prepaid"], votes["tender"])
    return paid > 0 and paid >= votes["tax"]


def _paths(rule: Rule) -> Iterator[str]:
    for value in vars(rule).values():
        yield from (
            re.sub(r"\s", "", path)
            for path in ([value] if isinstance(value, str) else value if isinstance(value, tuple) else [])
            if isinstance(path, str)
        )
