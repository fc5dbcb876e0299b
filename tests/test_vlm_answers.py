"""What becomes of a model's reply: accepted or refused, and where on the page its values stand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from test_vlm_wire import Order

from docpipe.backends import Reply, Token
from docpipe.extract.vlm.candidates import candidates, joined
from docpipe.extract.vlm.ground import PagePrint
from docpipe.extract.vlm.parse import Answer, Leaf, Refused, judge
from docpipe.extract.vlm.spans import read_json
from docpipe.extract.vlm.wire import compile_wire
from docpipe.records import Candidate, Checkbox, Usage, Word, Words, WordSource

pytestmark = pytest.mark.vlm


class Line(BaseModel):
    """A box with its text."""

    label: str | None = Field(None, description="What stands beside the box")
    checked: bool | None = Field(None, description="Whether it is ticked")


class Ticks(BaseModel):
    """Boxes."""

    rows: list[Line] = Field(default_factory=list, description="The boxes")


WIRE = compile_wire(Order)
NOTHING: dict[str, Any] = dict.fromkeys(WIRE.schema["properties"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def reply(text: object, **more: Any) -> Reply:
    said = text if isinstance(text, str) else json.dumps({**NOTHING, **text}, ensure_ascii=False)  # type: ignore[dict-item]
    return Reply(**{"text": said, "stop": "end", "model": "m", "usage": Usage(calls=1), **more})


def answer(text: object, *, blank: bool = False, **more: Any) -> Answer:
    outcome = judge(reply(text, **more), WIRE.schema, blank=blank)
    assert isinstance(outcome, Answer), outcome
    return outcome


def refused(text: object, *, blank: bool = False, **more: Any) -> Refused:
    outcome = judge(reply(text, **more), WIRE.schema, blank=blank)
    assert isinstance(outcome, Refused), outcome
    return outcome


# ---- replies ---------------------------------------------------------------------------------------------------------


@given(JSON, st.sampled_from([None, 2]))
def test_the_reader_of_json_agrees_with_the_standard_one(value, indent):
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    read, spans = read_json(text)
    assert read == json.loads(text)
    for span in spans.values():
        assert 0 <= span.start <= span.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": 1,}',
        "[1 2]",
        '{"a": 1, "a": 2}',
        "NaN",
        "{} {}",
        '"\\ud800"',
        '{"a" 1}',
        "[" * 200,
        '"a\nb"',
        "{'a': 1}",
        "[,1]",
        "01",
    ],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text)
    assert refused(text).why == "invalid"


def test_an_answer_keeps_its_order_and_leaves_out_what_is_null():
    found = answer({"express": False, "number": " 47 ", "parts": [{"what": "Bolt", "price": None}], "notes": ["", "b"]})
    assert [(leaf.path, leaf.value) for leaf in found.leaves] == [
        ("number", "47"),
        ("express", False),
        ("parts[0].what", "Bolt"),
        ("notes[1]", "b"),
    ]
    assert answer(f"```json\n{json.dumps({**NOTHING, 'number': '5'})}\n```").leaves[0].value == "5"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"number": 47}, "number"),
        ({"number": "4" * 65}, "number"),
        ({"way": "road"}, "way"),
        ({"buyer": {"what": "x"}}, "buyer.price"),
        ({"buyer": {"what": "x", "price": None, "more": None}}, "buyer"),
        ({"parts": [None] * 8}, "parts"),
        ({"parts": [{"what": "a", "price": 1.5}]}, "parts[0].price"),
        ({"notes": ["a", None]}, "notes[1]"),
    ],
)
def test_what_does_not_follow_the_schema_is_named_and_the_rest_kept(said, fault):
    outcome = refused({"ordered": "1 May", **said})
    assert outcome.why == "invalid" and next(iter(outcome.faults)) == fault
    assert [leaf.path for leaf in outcome.rest.leaves if leaf.path.startswith("ordered")] == ["ordered"]
    assert not [leaf for leaf in outcome.rest.leaves if leaf.path == fault]


@pytest.mark.parametrize("text", ["[]", '"x"', "I cannot read this.", '{"number": "5"', json.dumps({**NOTHING, "other": 1})])
def test_an_answer_of_which_nothing_can_be_used(text):
    outcome = refused(text)
    assert (outcome.why, dict(outcome.faults), outcome.rest) == ("invalid", {}, Answer(()))


@pytest.mark.parametrize("stop", ["length", "loop", "refusal"])
def test_only_what_the_model_ended_itself_is_accepted(stop):
    assert refused({"number": "47"}, stop=stop).why == stop


def test_nothing_is_an_answer_only_of_a_blank_page():
    assert refused({}).why == "empty" and refused({"number": "  "}).why == "empty"
    assert answer({}, blank=True) == Answer(())


def test_an_answer_that_goes_round_in_circles_is_refused():
    assert refused('{"number": "' + "the same " * 60, stop="length").why == "loop"
    assert refused({"notes": ["x " * 200]}).why == "loop"
    row = {"what": "Bolt", "price": "1.00"}
    schema = json.loads(json.dumps(WIRE.schema).replace('"maxItems": 7', '"maxItems": 50'))
    assert isinstance(judge(reply({"parts": [row] * 20}), schema, blank=False), Refused)
    assert isinstance(judge(reply({"parts": [row] * 12}), schema, blank=False), Answer), "a dozen empty rows are printed at times"
    assert answer({"notes": ["Name: " + "_" * 400, "." * 500]}).leaves


def test_the_characters_of_a_value_say_how_sure_the_model_was_of_it():
    text = json.dumps({**NOTHING, "number": "4ü", "ordered": "1 May"}, ensure_ascii=False)
    at = text.index("4ü")
    tokens = [Token(1, 1.0)] * (at - 2) + [Token(3, 0.9), Token(2, 0.5, 0.25), Token(1, 0.1)]
    tokens += [Token(1, 0.8)] * (len(text.encode()) - sum(token.size for token in tokens))
    number, ordered = answer(text, tokens=tuple(tokens)).leaves
    assert number.sureness and number.sureness.least == 0.5 and number.sureness.mean == pytest.approx(0.7)
    assert number.sureness.forbidden == 0.25, "the quote after the value is none of its characters"
    assert ordered.sureness and ordered.sureness.least == pytest.approx(0.8)
    assert answer(text, tokens=tuple(tokens[:-1])).leaves[0].sureness is None, "sizes that do not add up say nothing"


def test_parts_of_a_page_are_put_together_in_order():
    top = Answer((Leaf("number", "5"), Leaf("parts[0].what", "a"), Leaf("parts[1].what", "b")))
    bottom = Answer((Leaf("number", "6"), Leaf("parts[0].what", "c")))
    assert [(leaf.path, leaf.value) for leaf in joined([top, bottom, bottom], WIRE.specs)] == [
        ("number", "5"),
        ("parts[0].what", "a"),
        ("parts[1].what", "b"),
        ("number", "6"),
        ("parts[2].what", "c"),
        ("number", "6"),
        ("parts[3].what", "c"),
    ]


# ---- places ----------------------------------------------------------------------------------------------------------


def words(*lines: str, source: WordSource = "text_layer") -> Words:
    """Lines of text, 6 points a letter, 3 a blank and 20 a line."""
    found = []
    for number, line in enumerate(lines):
        left = 50.0
        for text in line.split(" "):
            if text:
                found.append(Word(text, left, 100.0 + 20 * number, left + 6 * len(text), 110.0 + 20 * number, 1.0, number))
            left += 6 * len(text) + 3
    return Words(page=1, width=600, height=800, source=source, words=tuple(found))


PAGE = PagePrint(
    words(
        "Rechnung Nr. RE-2024/17 vom 17.03.2024",
        "Müller & Söhne GmbH",
        "Hauptstraße 5, 12345",
        "Köln EUR571,04",
        "Summe 1.571,04€ -12,00 57 12 500,00 (8,00)",
        "주식회사 한빛소프트 대표 등록번호123-45-67890",
    )
)


@pytest.mark.parametrize(
    ("text", "kind", "raw"),
    [
        ("1.571,04", "money", "1.571,04€"),
        ("1571.04", "money", "1.571,04€"),
        ("571,04", "money", "EUR571,04"),
        ("-12,00", "money", "-12,00"),
        ("-8,00", "money", "(8,00)"),
        ("12 500,00", "money", "12 500,00"),
        ("57", "quantity", "57"),
        ("17.03.2024", "date", "17.03.2024"),
        ("re-2024 / 17", "id", "RE-2024/17"),
        ("muller & sohne gmbh", "name", "Müller & Söhne GmbH"),
        ("Müllor & Söhne GmbH", "name", "Müller & Söhne GmbH"),
        ("Hauptstraße 5, 12345 Köln", "address", "Hauptstraße 5, 12345\nKöln"),
        ("Hauptstr. 5, 12345 Köln", "address", "Hauptstraße 5, 12345\nKöln"),
        ("한빛소프트", "name", "한빛소프트"),
        ("주식회사 한빛소프드", "name", "주식회사 한빛소프트"),
        ("123-45-67890", "tax_id", "123-45-67890"),
        ("EUR", "currency", "EUR"),
        ("€", "currency", "€"),
    ],
)
def test_a_value_is_found_where_it_is_printed(text, kind, raw):
    assert PAGE.places(text, kind)[0].raw == raw


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.571,05", "money"),
        ("71,04", "money"),
        ("500,00", "money"),
        ("12", "money"),
        ("-57", "quantity"),
        ("2024-03-17", "date"),
        ("03.2024", "date"),
        ("7.03.2024", "date"),
        ("2024/17", "id"),
        ("RE-2024/18", "id"),
        ("23-45-67890", "tax_id"),
        ("Hauptstraße 6, 12345 Köln", "address"),
        ("Meier", "name"),
        ("Söhn", "name"),
        ("USD", "currency"),
        ("", "text"),
        ("...", "text"),
    ],
)
def test_what_is_not_printed_digit_for_digit_is_nowhere(text, kind):
    assert PAGE.places(text, kind) == []


@given(st.text("0123456789.,-", min_size=1, max_size=8), st.sampled_from(["money", "quantity", "date", "id"]))
def test_a_number_that_is_found_has_the_digits_that_were_said(text, kind):
    said = [char for char in text if char.isdigit()]
    for place in PAGE.places(text, kind):
        assert [char for char in place.raw if char.isdigit()] == said


def read(said: dict[str, Any], page: Words) -> list[Candidate]:
    return list(candidates(joined([answer(said)], WIRE.specs), WIRE.specs, page, model="m"))


def test_equal_rows_stand_at_their_own_places():
    page = words("Bolt 2.00", "Nut 2.00", "Bolt 2.00", "Total 6.00")
    rows = [{"what": what, "price": "2.00"} for what in ("Bolt", "Nut", "Bolt")]
    found = read({"parts": rows}, page)
    tops = [candidate.box and candidate.box[1] for candidate in found]
    assert tops == [100.0, 100.0, 120.0, 120.0, 140.0, 140.0]
    assert all(candidate.grounded and candidate.evidence.relation == "model" for candidate in found)


def test_what_no_word_bears_out_has_no_place():
    page = words("Order 4711 of 1 May")
    number, ordered, express = read({"number": "4712", "ordered": "1 May", "express": True}, page)
    assert (number.grounded, number.box, number.raw, number.value) == (False, None, "4712", None)
    assert ordered.grounded and ordered.raw == "1 May" and ordered.page == 1
    assert not express.grounded and express.value is True, "there is nothing to tick"


def boxes(*found: tuple[float, float, float]) -> tuple[Checkbox, ...]:
    """Boxes of 8 points by their left and upper edge and their ink."""
    return tuple(Checkbox(x, y, x + 8, y + 8, ink) for x, y, ink in found)


@pytest.mark.parametrize(
    ("line", "checkboxes", "said", "where"),
    [
        ("Express", boxes((38, 101, 0.3), (300, 101, 0.0)), True, 38),
        ("Express", boxes((38, 101, 0.0), (300, 101, 0.3)), False, 38),
        ("Express", boxes((38, 101, 0.0)), True, None),  # it is not ticked
        ("Express", boxes((38, 101, 0.3), (96, 101, 0.3)), True, None),  # either could be its box
        ("Express", boxes((38, 161, 0.3)), True, None),  # that is another row's
        ("Express ☒", (), True, 95),
        ("Express ☐", (), True, None),
        ("Express or Express", boxes((38, 101, 0.3)), True, None),  # which of the two?
        ("Urgent", boxes((38, 101, 0.3)), True, None),  # no label of the field
    ],
)
def test_a_yes_or_no_stands_at_the_box_beside_its_label(line, checkboxes, said, where):
    page = words(line).model_copy(update={"checkboxes": checkboxes})
    (express,) = read({"express": said}, page)
    assert express.value is said and express.grounded is (where is not None)
    assert express.box is None if where is None else express.box[0] == where


def test_a_yes_or_no_of_a_row_stands_beside_what_the_row_says():
    wire = compile_wire(Ticks)
    said = {"rows": [{"label": "Red", "checked": True}, {"label": "Blue", "checked": False}, {"label": "Green", "checked": True}]}
    page = words("Red", "Blue", "Green").model_copy(update={"checkboxes": boxes((38, 101, 0.4), (38, 121, 0.01), (38, 141, 0.0))})
    outcome = judge(Reply(text=json.dumps(said), stop="end", model="m", usage=Usage()), wire.schema, blank=False)
    found = {one.path: one for one in candidates(joined([outcome], wire.specs), wire.specs, page, model="m")}
    assert [found[f"rows[{row}].checked"].grounded for row in range(3)] == [True, True, False]
    assert found["rows[1].checked"].box == (38, 121, 46, 129)


def test_words_for_nothing_are_a_value_only_where_they_are_printed():
    assert read({"number": "N/A", "notes": ["null", "-"]}, words("Order 4711")) == []
    (number,) = read({"number": "N/A"}, words("Order N/A"))
    assert number.grounded and number.raw == "N/A"


def test_a_slip_of_ocr_is_mended_and_one_of_the_model_is_not():
    said = {"notes": ["Please handle with care"]}
    (ocr,) = read(said, words("Please hand1e with care".replace("1", "i"), source="ocr"))
    assert (ocr.value, ocr.raw) == ("Please handle with care", "Please handie with care")
    (layer,) = read(said, words("Please handie with care"))
    assert (layer.value, layer.raw) == (None, "Please handie with care")
    assert ocr.evidence.features["words"] < 1 and ocr.evidence.features["ocr"] == 1.0
