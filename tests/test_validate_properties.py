"""validate(): what holds for any readings."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_validate import Bill, clean, reading, readings, say

from docpipe.records import Candidate, Evidence, Reading, Readings
from docpipe.validate import validate
from docpipe.validate.rules import check

MONEY = st.sampled_from(["0.00", "10.00", "19.00", "40.00", "60.00", "100.00", "119.00", "120.00", "-5.00", "1234.50"])
TEXTS = st.sampled_from(["A-17", "B-99", "Acme", "Zenith GmbH", "Übergröße 5"])
DATES = st.sampled_from(["2024-03-14", "2024-03-28", "2020-01-02"])
VALUES = {
    "number": TEXTS,
    "issued": DATES,
    "payable": DATES,
    **{path: MONEY for path in ("net", "tax", "gross", "paid", "due")},
    "seller.name": TEXTS,
    "seller.address": TEXTS,
    "buyer.name": TEXTS,
    **{f"rows[{index}].{name}": MONEY for index in range(3) for name in ("quantity", "unit_price", "amount")},
    **{f"rows[{index}].description": TEXTS for index in range(3)},
}
SHARES = st.sampled_from([0.0, 0.5, 0.9, 1.0])
EVIDENCE = st.builds(
    Evidence,
    relation=st.sampled_from(["right", "column", "none", "block"]),
    label_score=SHARES,
    fit=SHARES,
    features=st.dictionaries(st.sampled_from(["block", "own", "claim"]), SHARES),
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    path = draw(st.sampled_from(sorted(VALUES)))
    value = draw(VALUES[path])
    score = draw(st.sampled_from([-0.5, 0.2, 0.9, 1.4, 2.0]))
    return say(path, draw(st.sampled_from([value, None])), score, evidence=draw(EVIDENCE), page=draw(st.integers(1, 2)), raw=value)


LISTS = st.lists(candidates(), max_size=14)


def three(some: list[Candidate], other: list[Candidate], xml: list[Candidate]) -> tuple[Reading, ...]:
    return reading(some), reading(other, "vlm"), reading(xml, "einvoice")


@FEW
@given(LISTS, LISTS, st.lists(candidates(), max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_outcomes_and_candidates_changes_nothing(some, other, xml, random):
    outcomes = list(three([*clean(), *some], other, xml))
    expected = validate(readings(*outcomes), Bill).canonical_json()
    random.shuffle(outcomes)
    shuffled = [one.model_copy(update={"candidates": tuple(random.sample(one.candidates, len(one.candidates)))}) for one in outcomes]
    assert validate(readings(*shuffled), Bill).canonical_json() == expected


@FEW
@given(LISTS, LISTS)
def test_a_replay_from_the_stored_readings_is_equal_byte_for_byte(some, other):
    first = readings(*three(some, other, []))
    again = Readings.model_validate_json(first.model_dump_json())
    assert validate(again, Bill).canonical_json() == validate(first, Bill).canonical_json()


@FEW
@given(LISTS, LISTS, st.lists(candidates(), max_size=4))
def test_no_number_is_given_that_no_candidate_supports(some, other, xml):
    """A repaired digit is supported by the printed text, which then stands as `raw`."""
    found = validate(readings(*three(some, other, xml)), Bill)
    said = {str(one.value or one.raw) for one in (*some, *other, *xml)}
    repaired = {issue.path for issue in found.issues if issue.code == "repaired"}
    for field in found.fields:
        assert field.value in said or field.path in repaired
        assert field.raw in said or field.raw is None


@FEW
@given(LISTS, LISTS)
def test_a_broken_relation_is_never_accepted(some, other):
    found = validate(readings(*three([*clean(), *some], other, [])), Bill)
    values = {field.path: field.value for field in found.fields}
    broken = [finding for finding in check(Bill.rules, values) if finding.state == "broken"]
    assert found.status != "accepted" or not broken


@FEW
@given(candidates())
def test_one_more_candidate_never_swaps_an_accepted_value_unsaid(extra):
    """Either the clean bill stays as it was, or what changed is a field it did not give, or it is no longer accepted."""
    before = {field.path: field.value for field in validate(readings(reading(clean())), Bill).fields}
    found = validate(readings(reading([*clean(), extra])), Bill)
    after = {field.path: field.value for field in found.fields}
    changed = {path for path in before if path in after and after[path] != before[path]} - {extra.path}
    assert found.status != "accepted" or not changed


@FEW
@given(LISTS)
def test_a_losing_candidate_never_turns_review_into_accepted(some):
    """Whatever comes after the best of its engine can take certainty away, not give it."""
    base = validate(readings(reading(some)), Bill)
    losers = [
        say(one.path, str(Decimal("777.77")), one.score - 1.9, evidence=Evidence()) for one in some if re.search("net|tax|gross", one.path)
    ]
    found = validate(readings(reading([*some, *losers])), Bill)
    assert base.status == "accepted" or found.status != "accepted"


@FEW
@given(st.sampled_from(["net", "tax", "gross", "rows[0].amount", "rows[1].amount"]), MONEY)
def test_one_wrong_number_on_a_clean_bill_is_never_accepted(path, wrong):
    candidates_ = [one if one.path != path else one.model_copy(update={"value": wrong, "raw": wrong}) for one in clean()]
    right = next(one.value for one in clean() if one.path == path)
    found = validate(readings(reading(candidates_)), Bill)
    assert wrong == right or found.status != "accepted"


@FEW
@given(LISTS)
def test_data_and_fields_say_the_same(some):
    found = validate(readings(reading(some)), Bill)
    data = found.data if isinstance(found.data, dict) else found.data.model_dump(mode="json")
    for field in found.fields:
        node = data
        for step in re.findall(r"[^.\[\]]+", field.path):
            node = node[int(step)] if step.isdigit() else node[step]
        assert node == field.value
