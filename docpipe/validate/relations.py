"""What a schema says between fields beside sums: two that differ, fields of one block, a field that another stands in for.

Chooses among candidates and drops what contradicts; the only value it copies is the one that `DefaultTo` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product

from docpipe.annotations import AtMost, DefaultTo, Distinct, Rule, SameBlock
from docpipe.fields import FieldSpec
from docpipe.records import Candidate, Evidence, Issue
from docpipe.validate.choice import XML, Choice, Choices, is_labelled, number, value_key
from docpipe.validate.reconcile import every_sum

BLOCK_BONUS = 0.35  # for name and address that stand in one block
SHARED = 1.0  # what a field loses that gives no value because the other has it
BEHIND = 2.0  # an alternative further behind than this is not meant
FEW = 5
LONG_NAME = 8  # letters; a shorter one may well begin another name
SMALL, STEP = Decimal("0.05"), Decimal("0.05")  # an adjustment of at most this share; cash is rounded to this much


def relate(choices: Choices, rules: Sequence[Rule]) -> tuple[dict[str, Choice], list[Issue]]:
    """The contests after `SameBlock` and `Distinct`, and an issue for each value that was dropped for being the other field's."""
    settled = dict(choices)
    issues: list[Issue] = []
    for rule in rules:
        if isinstance(rule, SameBlock):
            settled.update(_one_block(rule, settled))
        elif isinstance(rule, AtMost) and rule.share <= SMALL:
            settled.update(_rounded(rule, settled))
    for rule in rules:
        if isinstance(rule, Distinct):
            changed, dropped = _kept_apart(rule, settled)
            settled.update(changed)
            issues += dropped
    return settled, issues


def fill(choices: Choices, rules: Sequence[Rule], specs: Mapping[str, FieldSpec]) -> dict[str, Choice]:
    """Fields that the document does not print, given the value of the field that the schema names. Not where the document prints
    something that is to be added or taken off on the way from the one to the other."""
    settled = dict(choices)
    for rule in rules:
        if not isinstance(rule, DefaultTo):
            continue
        source, own = settled.get(rule.source), settled.get(rule.path)
        if source is None or source.winner is None or (own is not None and _printed(own)) or _between(rule, settled, rules):
            continue
        evidence = Evidence(relation="default", label=source.winner.evidence.label, label_box=source.winner.evidence.label_box)
        copy = source.winner.model_copy(update={"path": rule.path, "evidence": evidence})
        settled[rule.path] = Choice(rule.path, specs[rule.path], (copy, *(own.ranked if own else ())))
    return settled


def _printed(choice: Choice) -> bool:
    """The document says something for the field, even where it is too unsure to be given."""
    return choice.winner is not None or any(is_labelled(candidate) for candidate in choice.ranked)


def _between(rule: DefaultTo, choices: Choices, rules: Sequence[Rule]) -> bool:
    """The document gives an amount other than 0 that a sum puts between the two fields."""
    return any(
        (choice := choices.get(path)) is not None and bool(number(choice.value))
        for one in every_sum(rules)
        if one.total == rule.path and rule.source in one.parts
        for path in (*one.parts, *one.less)
        if path != rule.source
    )


def _one_block(rule: SameBlock, choices: Choices) -> dict[str, Choice]:
    """The fields' best candidates together, those from one block preferred."""
    mine = [choice for path in rule.paths if (choice := choices.get(path)) is not None and choice.winner is not None]
    if len(mine) < 2 or any(choice.winner is not None and choice.winner.engine == XML for choice in mine):
        return {}
    rivals = [[one for one in choice.ranked if choice.winner and one.engine == choice.winner.engine][:FEW] for choice in mine]

    def points(together: tuple[Candidate, ...]) -> float:
        blocks = {one.evidence.features.get("block") for one in together}
        return sum(one.score for one in together) + BLOCK_BONUS * (len(blocks) == 1 and None not in blocks)

    best = max(product(*rivals), key=points)
    current = tuple(choice.winner for choice in mine if choice.winner)
    if points(best) <= points(current):
        return {}
    return {choice.path: choice.stand(candidate) for choice, candidate in zip(mine, best, strict=True)}


def _rounded(rule: AtMost, choices: Choices) -> dict[str, Choice]:
    """Where the document prints the label of a small adjustment, a total that is printed before and after rounding to STEP is the one
    after it."""
    part, whole = choices.get(rule.part), choices.get(rule.whole)
    if part is None or whole is None or whole.winner is None or not any(is_labelled(candidate) for candidate in part.ranked):
        return {}
    exact = number(whole.value)
    if exact is None or exact % STEP == 0 or whole.winner.engine == XML:
        return {}
    for candidate in whole.ranked:
        amount = number(candidate.value)
        if amount is not None and amount % STEP == 0 and abs(amount - exact) < STEP:
            return {whole.path: whole.stand(candidate)}
    return {}


def _kept_apart(rule: Distinct, choices: Choices) -> tuple[dict[str, Choice], list[Issue]]:
    """Where both fields have the same value: the pair of different values with the most points, a field without one giving none."""
    one, other = choices.get(rule.one), choices.get(rule.other)
    if one is None or other is None or one.winner is None or other.winner is None or not _shared(one.winner, other.winner):
        return {}, []
    shared = one.winner
    ways = [(one, other, _next(other, shared)), (other, one, _next(one, shared))]
    keeper, loser, instead = max(ways, key=lambda way: _points(way[0].winner) + _points(way[2]))
    if keeper.winner is not None and keeper.winner.engine != XML and loser.winner is not None and loser.winner.engine == XML:
        keeper, loser, instead = loser, keeper, _next(keeper, shared)
    if instead is not None:
        return {loser.path: loser.stand(instead)}, []
    issue = Issue(code="same_party", path=loser.path, page=shared.page, message=f"the same as {keeper.path}", suggestion=str(shared.value))
    return {loser.path: loser.drop("same_party")}, [issue]


def _shared(one: Candidate, other: Candidate) -> bool:
    """The same text, or one begins with all of the other."""
    first, second = sorted((value_key("text", one.value)[1], value_key("text", other.value)[1]), key=len)
    return first == second or (len(first) >= LONG_NAME and second.startswith(first))


def _next(choice: Choice, shared: Candidate) -> Candidate | None:
    """The field's best candidate with another value, unless it is too far behind to be meant."""
    top = choice.winner.score if choice.winner else 0.0
    return next((one for one in choice.ranked if not _shared(one, shared) and one.score >= top - BEHIND), None)


def _points(candidate: Candidate | None) -> float:
    return -SHARED if candidate is None else candidate.score
