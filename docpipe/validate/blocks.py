"""What the place of a text says for it: a party whose name and address fill one block whose owner the page shows, a date named with
the document's number.

Reads the evidence that the labels engine leaves on a candidate, by name; a candidate without it is simply not confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.annotations import Distinct, Rule, SameBlock
from docpipe.records import Box, Candidate
from docpipe.validate.choice import Choices

HEADED = 0.6  # how surely a heading gives the block to the party
SENDER_GAP = 60.0  # points from the sender's line down to the address that a letter's window shows
BESIDE = 5.0  # text heights between a number and the date behind it: room for a word or two
OWN_NAME = 0.6  # how much of a mail or web domain is the name


def blocks_confirmed(choices: Choices, rules: Sequence[Rule]) -> frozenset[str]:
    """The paths of `SameBlock` rules whose fields fill one block, headed as the party's or in the place that letters have for it."""
    parties = [rule.paths for rule in rules if isinstance(rule, SameBlock) and len(rule.paths) == 2]
    whole = {paths: pair for paths in parties if (pair := _pair(choices, paths)) is not None}
    found: set[str] = set()
    for paths, (name, address) in whole.items():
        others = [pair for other, pair in whole.items() if other != paths and _apart(rules, paths, other)]
        if _headed(name, address) or _sender(name, address) or any(_below_sender(name, *other) for other in others):
            found.update(paths)
    return frozenset(found)


def _pair(choices: Choices, paths: tuple[str, ...]) -> tuple[Candidate, Candidate] | None:
    """Name and address where they fill one block: the name its first lines, the address all that follows, or both labelled lines."""
    winners = [choices[path].winner for path in paths if path in choices]
    if len(winners) < 2 or winners[0] is None or winners[1] is None:
        return None
    name, address = winners[0], winners[1]
    if _has(name, "digits") and not _has(name, "legal"):
        return None
    return (name, address) if _fills_block(name, address) or _labelled_lines(name, address) else None


def _fills_block(name: Candidate, address: Candidate) -> bool:
    mine, its = name.evidence.features, address.evidence.features
    if not mine.get("block") or mine.get("block") != its.get("block") or not (its.get("postal") and its.get("at_street")):
        return False
    first = its.get("first_line", 0.0)
    return (
        mine.get("first_line", 0.0) == 0.0 and first == mine.get("lines") and first + its.get("lines", 0.0) >= its.get("block_lines", 0.0)
    )


def _labelled_lines(name: Candidate, address: Candidate) -> bool:
    return _has(name, "labelled") and _has(address, "stacked")


def _headed(name: Candidate, address: Candidate) -> bool:
    """A heading of the party's own above both, and none of another party nearer."""
    return all(_value(one, "section") >= HEADED and _value(one, "section") > _value(one, "other_section") for one in (name, address))


def _sender(name: Candidate, address: Candidate) -> bool:
    """A letter's own line above the window, or a block whose name is the domain of the document's mail and web addresses."""
    return _has(address, "one_line") or _value(name, "domain") >= OWN_NAME


def _below_sender(name: Candidate, sender: Candidate, sender_address: Candidate) -> bool:
    """It stands where a letter's window shows it: right below the sender's line."""
    if not _has(sender_address, "one_line") or name.box is None or sender.box is None or name.page != sender.page:
        return False
    across = min(name.box[2], sender.box[2]) - max(name.box[0], sender.box[0])
    return across > 0 and 0 <= name.box[1] - sender.box[3] <= SENDER_GAP


def dated_beside(choices: Choices, number: str) -> frozenset[str]:
    """The paths of dates that are printed right behind the document's number, on its line: `Invoice 17 of 3 May 2020`."""
    numbered = choices[number].winner if number in choices else None
    if numbered is None or numbered.box is None:
        return frozenset()
    beside = set()
    for path, choice in choices.items():
        if choice.spec.kind == "date" and choice.spec.required and choice.winner is not None:
            places = [one for one in choice.ranked if one.value == choice.value and one.page == numbered.page and one.box is not None]
            if any(_right_behind(numbered.box, place.box) for place in places if place.box is not None):
                beside.add(path)
    return frozenset(beside)


def _right_behind(number: Box, date: Box) -> bool:
    height = number[3] - number[1]
    level = abs((number[1] + number[3]) - (date[1] + date[3])) / 2 <= height / 2
    return level and 0 <= date[0] - number[2] <= BESIDE * height


def _apart(rules: Sequence[Rule], paths: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """The schema says that the two are different parties."""
    return any(isinstance(rule, Distinct) and {rule.one, rule.other} <= {*paths, *other} for rule in rules)


def _value(candidate: Candidate, feature: str) -> float:
    return candidate.evidence.features.get(feature, 0.0)


def _has(candidate: Candidate, feature: str) -> bool:
    return _value(candidate, feature) > 0
