"""A model's reply -> an answer that was accepted, or why it was not. Knows replies and wire schemas; asks nothing and judges no value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from docpipe.backends import Reply, Token
from docpipe.extract.vlm.spans import Span, read_json
from docpipe.extract.vlm.wire import Json
from docpipe.records import Value

Why = Literal["length", "loop", "refusal", "invalid", "empty"]
ALIKE_ROWS = 20  # equal rows after one another; a form may have a dozen empty ones
PERIOD = 200  # characters of what a loop says again and again, at the most
TURNS = 8  # so often it has to say it
LEAST_LOOP = 240  # characters of a loop: dotted lines and table rules are shorter
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL)
_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Sureness:
    """How sure the model was of the characters of a value: its least sure token, the mean, and the most that the schema forbade."""

    least: float
    mean: float
    forbidden: float


@dataclass(frozen=True)
class Leaf:
    """One value of an answer as the model wrote it; `sureness` is None where its backend does not say."""

    path: str
    value: Value
    sureness: Sureness | None = None


@dataclass(frozen=True)
class Answer:
    """What was accepted: every leaf that is not null, in the answer's order."""

    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Refused:
    """Why a reply was not accepted. For `invalid`, `faults` says by path what is wrong (nothing: no part of it can be used), and `rest`
    is what is right."""

    why: Why
    message: str
    faults: Mapping[str, str] = field(default_factory=dict)
    rest: Answer = Answer(())


Outcome = Answer | Refused


def judge(reply: Reply, wire: Json, *, blank: bool) -> Outcome:
    """Accepted only where the model ended its answer itself, it is JSON that follows the schema, does not go round in circles, and says
    something, or the page is `blank`."""
    if reply.stop == "refusal":
        return Refused("refusal", "the model would not answer")
    if reply.stop == "loop" or goes_round(reply.text):
        return Refused("loop", "the answer goes round in circles")
    if reply.stop == "length":
        return Refused("length", "the answer was cut off")
    try:
        value, spans = read_json(_unfenced(reply.text))
    except ValueError as problem:
        return Refused("invalid", f"the answer is no JSON: {problem}")
    return _judged(reply, value, spans, wire, blank=blank)


def _judged(reply: Reply, value: Any, spans: Mapping[str, Span], wire: Json, *, blank: bool) -> Outcome:
    if any(_circling(node) for node in _nodes(value)):
        return Refused("loop", "the answer says the same row or text again and again")
    faults = dict(misfits(value, wire))
    answer = Answer(tuple(_leaves(reply, value, spans, faults)))
    if faults:
        path, what = next(iter(faults.items()))
        usable = isinstance(value, dict) and "" not in faults
        return Refused("invalid", f"{path or 'the answer'}: {what}", faults if usable else {}, answer if usable else Answer(()))
    if not answer.leaves and not blank:
        return Refused("empty", "the model found nothing on a page that is not blank")
    return answer


def _unfenced(text: str) -> str:
    """Blanks for the fence of a code block round the answer, so that every character keeps its place."""
    found = _FENCED.fullmatch(text)
    return " " * found.start(1) + found[1] + " " * (len(text) - found.end(1)) if found else text


# ---- against the schema ----------------------------------------------------------------------------------------------


def misfits(value: Any, wire: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and fault of everything in which the value does not follow the schema."""
    if "anyOf" in wire:
        if value is not None:
            yield from misfits(value, wire["anyOf"][0], path)
        return
    kinds = wire["type"] if isinstance(wire["type"], list) else [wire["type"]]
    if _kind(value) not in kinds:
        yield path, f"is {_kind(value)}, not {' or '.join(kinds)}"
    elif isinstance(value, dict):
        yield from _misfits_of_object(value, wire, path)
    elif isinstance(value, list):
        yield from _misfits_of_list(value, wire, path)
    elif "enum" in wire and value not in wire["enum"]:
        yield path, "is none of the choices"
    elif isinstance(value, str) and len(value) > wire.get("maxLength", len(value)):
        yield path, f"is longer than {wire['maxLength']} characters"


def _misfits_of_object(value: dict[str, Any], wire: Json, path: str) -> Iterator[tuple[str, str]]:
    if value.keys() - wire["properties"].keys():
        yield path, "has a property that was not asked for"
    for name, child in wire["properties"].items():
        inner = f"{path}.{name}" if path else name
        if name not in value:
            yield inner, "is missing"
        else:
            yield from misfits(value[name], child, inner)


def _misfits_of_list(value: list[Any], wire: Json, path: str) -> Iterator[tuple[str, str]]:
    if len(value) > wire["maxItems"]:
        yield path, f"has more than {wire['maxItems']} rows"
    for row, item in enumerate(value):
        yield from misfits(item, wire["items"], f"{path}[{row}]")


def _kind(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


# ---- loops -----------------------------------------------------------------------------------------------------------


def goes_round(text: str) -> bool:
    """Whether the end of the text says one thing again and again."""
    tail = text.rstrip()[-PERIOD * TURNS :]
    return any(_turns(tail, period) for period in range(1, PERIOD + 1))


def _turns(tail: str, period: int) -> bool:
    length = max(period * TURNS, LEAST_LOOP)
    if len(tail) < length or not _WORD.search(tail[-period:]):
        return False  # lines of dots and the rules of tables are print
    return tail[-length:-period] == tail[-length + period :]


def _nodes(value: Any) -> Iterator[Any]:
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(child)


def _circling(node: Any) -> bool:
    if isinstance(node, str):
        return goes_round(node)
    if not isinstance(node, list):
        return False
    alike = 1
    for one, other in pairwise(node):
        alike = alike + 1 if one == other else 1
        if alike >= ALIKE_ROWS:
            return True
    return False


# ---- leaves ----------------------------------------------------------------------------------------------------------


def _leaves(reply: Reply, value: Any, spans: Mapping[str, Span], faults: Mapping[str, str]) -> Iterator[Leaf]:
    """Every leaf with something in it and nothing wrong, as the model wrote it."""
    sure = _Tokens(reply)
    for path, leaf in _walk(value, ""):
        if leaf is None or leaf == "" or any(_within(path, fault) for fault in faults):
            continue
        yield Leaf(path, leaf, sure.of(spans[path]))


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _walk(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for row, item in enumerate(value):
            yield from _walk(item, f"{path}[{row}]")
    else:
        yield path, value.strip() if isinstance(value, str) else value


def _within(path: str, fault: str) -> bool:
    return not fault or path == fault or path.startswith((fault + ".", fault + "["))


class _Tokens:
    """The tokens of a reply by their place in its text; none where their sizes do not add up to it."""

    def __init__(self, reply: Reply) -> None:
        self._starts = [0]
        for char in reply.text:
            self._starts.append(self._starts[-1] + len(char.encode("utf-8", "replace")))
        whole = sum(token.size for token in reply.tokens) == self._starts[-1]
        self._tokens: tuple[Token, ...] = reply.tokens if whole else ()

    def of(self, span: Span) -> Sureness | None:
        """How sure the model was of these characters; a token that reaches in from outside counts."""
        start, end = self._starts[span.start], self._starts[span.end]
        found, at = [], 0
        for token in self._tokens:
            if at < end and at + token.size > start:
                found.append(token)
            at += token.size
        if not found:
            return None
        chances = [token.probability for token in found]
        return Sureness(min(chances), sum(chances) / len(chances), max(token.forbidden for token in found))
