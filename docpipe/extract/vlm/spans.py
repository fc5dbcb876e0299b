"""JSON text -> its value and where each leaf of it stands in the text. Knows JSON only; a key twice or a half character is an error."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

DEEPEST = 40
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_BARE = re.compile(r"(true|false|null)|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")


class Span(NamedTuple):
    """Where a leaf stands in the text, in characters; of a string what is between the quotes."""

    start: int
    end: int


def read_json(text: str) -> tuple[Any, dict[str, Span]]:
    """The value, and path -> span of every leaf; paths are written as `rows[3].amount`. Raises ValueError where it is no JSON."""
    reader = _Reader(text)
    value, end = reader.value(reader.skip(0), "", 0)
    if reader.skip(end) != len(text):
        raise ValueError("something follows the JSON")
    return value, reader.spans


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[str, Span] = {}

    def skip(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, path: str, depth: int) -> tuple[Any, int]:
        if depth > DEEPEST:
            raise ValueError("nested too deep")
        char = self.text[at : at + 1]
        if char == "{":
            return self._object(at + 1, path, depth)
        if char == "[":
            return self._list(at + 1, path, depth)
        return self._leaf(at, path, char)

    def _leaf(self, at: int, path: str, char: str) -> tuple[Any, int]:
        if char == '"':
            value, end = self._string(at)
            self.spans[path] = Span(at + 1, end - 1)
            return value, end
        found = _BARE.match(self.text, at)
        if found is None:
            raise ValueError(f"no JSON at character {at}")
        self.spans[path] = Span(at, found.end())
        return json.loads(found[0]), found.end()

    def _string(self, at: int) -> tuple[str, int]:
        value, end = _DECODER.raw_decode(self.text, at)
        value.encode()  # half of a surrogate pair is a UnicodeEncodeError, which is a ValueError
        return value, end

    def _object(self, at: int, path: str, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = self.skip(at)
        while self.text[at : at + 1] != "}":
            at = self._comma(at, found)
            if self.text[at : at + 1] != '"':
                raise ValueError(f"no key at character {at}")
            key, at = self._string(at)
            at = self.skip(at)
            if key in found or self.text[at : at + 1] != ":":
                raise ValueError(f"the key {key[:40]!r} is there twice or has no value")
            found[key], at = self.value(self.skip(at + 1), f"{path}.{key}" if path else key, depth + 1)
            at = self.skip(at)
        return found, at + 1

    def _list(self, at: int, path: str, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = self.skip(at)
        while self.text[at : at + 1] != "]":
            at = self._comma(at, found)
            item, at = self.value(at, f"{path}[{len(found)}]", depth + 1)
            found.append(item)
            at = self.skip(at)
        return found, at + 1

    def _comma(self, at: int, found: dict[str, Any] | list[Any]) -> int:
        """Past the comma that has to stand before all but the first."""
        if not found:
            return at
        if self.text[at : at + 1] != ",":
            raise ValueError(f"no comma at character {at}")
        return self.skip(at + 1)
