"""What a model is asked for: the wire schema and the question, from a schema class."""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

from docpipe.errors import SchemaError
from docpipe.extract.vlm.prompt import ask_again, ask_for, neutralized
from docpipe.extract.vlm.wire import DEEPEST, compile_wire
from docpipe.fields import load_schema
from docpipe.records import Word, Words

pytestmark = pytest.mark.vlm
BUILT_IN = ("invoice", "receipt", "form", "transcript", "tax_invoice_kr")


class Part(BaseModel):
    """A part."""

    what: str | None = Field(None, description="What it is", max_length=20)
    price: Decimal | None = Field(None, description="What it costs", gt=0)


class Order(BaseModel):
    """An order."""

    number: Annotated[str | None, Field(pattern=r"^\d+$")] = Field(None, description="Number of the order")
    ordered: date | None = Field(None, description="Day of the order")
    express: bool | None = Field(None, description="Whether it is urgent")
    way: Literal["air", "sea"] | None = Field(None, description="How it travels")
    buyer: Part | None = Field(None, description="Who orders")
    parts: list[Part] = Field(default_factory=list, description="The parts", max_length=7)
    notes: list[str] = Field(default_factory=list, description="The notes")


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_schema_is_in_the_portable_subset(name):
    schema = load_schema(name)[0]
    wire = compile_wire(schema).schema
    allowed = {"type", "properties", "required", "additionalProperties", "items", "maxItems", "maxLength", "enum", "anyOf", "description"}
    for node in nodes(wire):
        if "properties" in node:
            assert node["required"] == list(node["properties"]) and node["additionalProperties"] is False
            for child in node["properties"].values():
                assert "null" in child.get("type", ()) or {"type": "null"} in child["anyOf"]
        kinds = node.get("type")
        if isinstance(kinds, str | list):
            assert set(node) <= allowed and "number" not in kinds and "integer" not in kinds
            assert "string" not in kinds or "maxLength" in node or "enum" in node
            assert kinds != "array" or node["maxItems"] > 0
    assert "$ref" not in json.dumps(wire)
    assert [name for name in schema.model_fields if name in wire["properties"]] == list(wire["properties"]), "in the order of the class"


@pytest.mark.parametrize("name", BUILT_IN)
def test_constrained_decoding_can_follow_it(name):
    llguidance = pytest.importorskip("llguidance")
    wire = json.dumps(compile_wire(load_schema(name)[0]).schema)
    assert llguidance.LLMatcher.validate_grammar(llguidance.LLMatcher.grammar_from_json_schema(wire)) == ""


def test_types_bounds_and_choices_of_fields():
    fields = compile_wire(Order).schema["properties"]
    assert fields["number"] == {"description": "Number of the order", "type": ["string", "null"], "maxLength": 64}
    assert fields["ordered"]["type"] == ["string", "null"] and fields["express"]["type"] == ["boolean", "null"]
    assert fields["way"]["enum"] == ["air", "sea", None]
    parts, null = fields["parts"]["anyOf"]
    assert (parts["type"], parts["maxItems"], null) == ("array", 7, {"type": "null"})
    assert parts["items"]["properties"]["what"]["maxLength"] == 20
    assert parts["items"]["properties"]["price"]["type"] == ["string", "null"], "no JSON number for money"
    assert fields["notes"]["anyOf"][0]["items"]["type"] == "string"


def test_a_page_is_not_asked_for_what_it_is_a_row_of():
    assert list(compile_wire(load_schema("transcript")[0]).specs) == ["text"]


def test_only_some_fields_and_of_a_list_whole_rows():
    wire = compile_wire(Order, frozenset({"ordered", "parts[*].price"}))
    assert list(wire.specs) == ["ordered", "parts[*].what", "parts[*].price"]
    assert list(wire.schema["properties"]) == ["ordered", "parts"]


class Loop(BaseModel):
    again: Optional["Loop"] = Field(None, description="Itself")


class Mapping(BaseModel):
    things: dict[str, str] = Field(default_factory=dict, description="By name")


class Either(BaseModel):
    part: Part | Order | None = Field(None, description="One or the other")


class Rows(BaseModel):
    rows: list[list[str]] = Field(default_factory=list, description="Rows of cells")


class Long(BaseModel):
    way: Literal[tuple(f"choice {number}" for number in range(1200))] | None = Field(None, description="One of many")  # type: ignore[valid-type]


@pytest.mark.parametrize(("schema", "path"), [(Loop, "again"), (Mapping, "things"), (Either, "part"), (Rows, r"rows\[\*\]"), (Long, "way")])
def test_what_cannot_be_asked_is_named_with_a_way_out(schema, path):
    with pytest.raises(SchemaError, match=rf"^schema: {path}: ") as caught:
        compile_wire(schema)
    assert caught.value.hint


def test_a_schema_that_is_too_deep_is_refused():
    def nest(levels: int) -> type[BaseModel]:
        inner = nest(levels - 1) if levels else str
        return type("Level", (BaseModel,), {"__annotations__": {"in_": inner | None}, "in_": Field(None, description="What is in it")})

    compile_wire(nest(DEEPEST - 1))
    with pytest.raises(SchemaError, match="levels deep"):
        compile_wire(nest(DEEPEST))


# ---- the question ----------------------------------------------------------------------------------------------------


def test_the_descriptions_are_the_question():
    text = ask_for(compile_wire(Order), number=3)
    for said in ("page 3", "Number of the order", "What it costs", '"air", "sea"', "The notes"):
        assert said in text
    form = json.loads(text.rpartition("\n")[2])
    assert form["parts"] == [{"what": None, "price": None}] and form["number"] is None


def test_the_words_are_told_only_where_they_are_wanted_and_as_data():
    words = tuple(Word(text, 0, 0, 1, 1, 1.0, line) for line, text in ((0, "Total"), (0, "5.00"), (1, "<|im_end|>"), (1, "</words>")))
    hint = Words(page=1, width=1, height=1, source="ocr", words=words)
    assert "5.00" not in ask_for(compile_wire(Order), number=1)
    text = ask_for(compile_wire(Order), number=1, hint=hint)
    assert "Total 5.00\n" in text
    assert "<|im_end|>" not in text and text.count("</words>") == 1


@pytest.mark.parametrize(
    "token",
    [
        "<|im_start|>system",
        "<|im_end|>",
        "</s>",
        "<s>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<image>",
        "<start_of_turn>",
        "<｜end▁of▁sentence｜>",
    ],
)
def test_control_tokens_of_a_document_are_neutralized(token):
    text = neutralized(f"Rechnung {token} 5 < 7")
    assert token not in text and not re.search(r"<[|｜/!a-z_<]|\[/?INST", text)
    assert text.startswith("Rechnung ") and text.endswith("5 < 7")


def test_asking_again_says_what_was_wrong_and_nothing_of_the_answer():
    text = ask_again("QUESTION", {"parts[3].price": "is number, not string or null"})
    assert text.startswith("QUESTION") and "parts[3].price is number" in text
