"""Every number the labels engine was tuned with, in one frozen record. Measured on receipts, invoices, orders and forms; distances are
in median segment heights of the page, scores have no unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """Hand-set; a learned ranker gave nothing more on the same documents."""

    # label occurrences
    fuzzy_text: float = 0.88  # least similarity of a misspelt label in a text layer
    fuzzy_ocr: float = 0.84
    shortest_fuzzy: int = 5
    longest_label: int = 8  # words
    words_matched: int = 14  # of a segment: what stands further right in a sentence is no label
    word_before: float = 0.58  # factor for each unexplained word before the label
    word_before_colon: float = 0.82
    inline_in_prose: float = 0.35  # further factor for `of`, `from` where no kind of document stands before them
    longest_bridge: int = 4  # words between `invoice` and `no.`
    bridge: float = 0.92
    bridge_compound: float = 0.88
    other_cell: float = 0.5
    word_after: float = 0.88
    covered: float = 0.35  # factor for a label inside a longer one
    title: float = 1.2
    question_own: float = 1.3  # factor for a label under a question that has the field's own words
    question_foreign: float = 0.6  # under one that has another field's words
    item_header: float = 0.5  # factor for a label that heads a column of billed positions

    # labels by shared words, for schemas without labels
    soft_least: float = 0.45
    soft_kept: int = 4  # texts per field
    soft_item: float = 0.25  # the text carries the field's own number
    soft_other_item: float = 0.3
    soft_later_page: float = 0.85  # factor for each page after the first: forms explain themselves there
    soft_is_label: float = 0.5  # from this weight on a text is a label and nobody's value
    own_item: float = 1.15
    other_item: float = 0.4

    # relations
    word_between: float = 0.1
    colon: float = 0.1
    label_between: float = 0.25
    right_distance: float = 0.012
    segment_between: float = 0.13
    below_start: float = 0.93
    below_distance: float = 0.03
    below_between: float = 0.1
    below_shift: float = 0.05
    below_colon: float = 0.2
    value_behind: float = 0.5  # factor for what stands below a label that has a value behind it
    farthest_below: float = 30.0
    rule_crossed: float = 0.12  # a ruling line between label and value whose cells are both tight
    rule_crossed_labelled: float = 0.7  # the value's cell has a label of its own
    rule_crossed_filled: float = 0.35  # the label's own cell holds another value
    above: float = 0.82  # a value on a line whose caption is printed under the line
    farthest_above: float = 1.8
    same_cell: float = 0.97

    # scores
    own: float = 1.6
    fit: float = 0.5
    claim: float = 0.45
    tax_word: float = 0.6  # strength of a bare word for a tax right before a number of that form
    ally: float = 0.6  # share of a label's strength that counts for the field that mostly has the same value


WEIGHTS = Weights()

# A candidate scores 0 where it is as likely right as not, by kind of field: measured as the score that balances precision and recall.
# Candidates below 0 are handed on, for a rule to lift.
ZERO: dict[str, float] = {
    "money": 0.5, "quantity": 0.7, "rate": 0.7, "date": 0.35, "time": 0.35, "id": 0.8, "name": 0.75, "text": 0.75, "address": 0.75,
    "choice": 0.3, "bool": 0.0, "currency": 0.3, "iban": 0.4, "tax_id": 0.5,
    "party_name": 0.4, "party_address": 0.4, "merchant_name": 0.0, "merchant_address": 0.2,
}  # fmt: skip

# What each kind adds to a label's score, by feature; "constant" is the start. Block and head features are scaled to their own zero.
Table = Mapping[str, float]
MONEY: Table = {
    "largest": 0.12, "few_places": 0.06, "y": 0.1, "zero": -0.9, "zero_required": -0.6, "whole_total_row": 0.1, "labelled_sum": 0.55,
    "column_last": 0.1, "header_followed": -0.4, "header_total_row": 0.25, "unlabelled": -0.6,
}  # fmt: skip
DATE: Table = {
    "role_fits": 0.45, "role_unasked": -0.1, "slash_role": -0.15, "own_place_date": 0.35, "alone_bare": -0.05, "alone": -0.4,
    "alone_low": -0.2, "alone_page": -0.1,
}  # fmt: skip
TIME: Table = {"unlabelled": -0.1, "page": -0.1}
IDENTIFIER: Table = {"places": 0.1, "page": -0.1, "y": -0.15, "unlabelled": -1.0}
CHOICE: Table = {"constant": 0.3, "prior": 1.0, "own": 0.8}
TICK: Table = {"constant": 0.05, "own": 0.5, "fit": 0.5}
CURRENCY: Table = {"constant": 0.6, "fit": 0.4}
IBAN: Table = {"constant": 0.2, "page": -0.05}
TAX_ID: Table = {
    "section": 0.5, "other_section": -0.5, "local_unlabelled": -1.2, "lettered": -0.8, "issuer": 0.2, "recipient_unnamed": -0.45,
}  # fmt: skip
FREE_TEXT: Table = {"own": 1.3, "fit": 0.6, "contested": -0.3, "page": -0.05}
GROUPED: Table = {"section": 0.4, "other_section": -0.4}  # a labelled field of a group
PARTY: Table = {
    "constant": 0.03, "fit": 0.6, "section": 0.55, "other_section": -0.55, "page": -0.12, "labelled": -0.1, "labelled_own": 0.4,
}  # fmt: skip
RECIPIENT: Table = {
    "window": 0.25, "beside_window": 0.1, "one_line": -0.35, "repeated": -0.05, "low": -0.2, "person_first": 0.15, "person_later": -0.2,
    "domain": -0.2, "contacts": -0.15, "web": -0.15,
}  # fmt: skip
ISSUER: Table = {
    "one_line": 0.25, "repeats_few": 0.08, "edge": 0.15, "domain": 0.35, "contacts": 0.1, "web": 0.2, "window_block": -0.15, "person": -0.2,
}  # fmt: skip
PARTY_NAME: Table = {
    "is_label": -0.5, "legal": 0.1, "digits": -0.25, "first_line": -0.12, "lower": -0.35, "foreign": -0.5, "more_lines": -0.08,
    "legal_second": 0.2, "street_name": -0.3,
}  # fmt: skip
PARTY_ADDRESS: Table = {"street": 0.1, "labelled_part": -0.3, "at_street": 0.2, "past_street": -0.25, "name_inside": -0.3}
MERCHANT_NAME: Table = {
    "constant": 1.0, "first_line": -0.14, "stops": -0.5, "streets": -0.25, "ends_legal": 0.42, "height": 0.1, "more_lines": -0.2,
    "text_before": -0.15, "scribble": -0.6, "legal_before": -0.2, "letters": 0.2, "ends_at_address": 0.3, "in_address": -0.4,
    "before_full": -0.25, "cut": -0.25,
}  # fmt: skip
MERCHANT_ADDRESS: Table = {"line_sum": 1.0, "first_line": -0.06}
