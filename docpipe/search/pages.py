"""A page as the index keeps it: its words with their boxes in one blob, and all that it is found by. Knows no database."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from pydantic import TypeAdapter

from docpipe.errors import SearchIndexError
from docpipe.records import Word, Words
from docpipe.search.fields import Facts, filters_of
from docpipe.search.forms import forms_of
from docpipe.search.tokens import Token, lines_of, tokens_of

_STEPS = 65535  # a box is kept as parts of the page's longer side: 0.013 points on A4
_FACTS = TypeAdapter(tuple[Facts, ...])
Lines = Sequence[Sequence[str]]  # the texts of a page's words, line by line


@dataclass(frozen=True)
class PageEntry:
    """One page to be indexed; `look` is its vector, of length 1."""

    words: Words
    look: np.ndarray | None = None


def pack(words: Words) -> bytes:
    """The words, their lines and their boxes; a confidence is not kept."""
    scale = _STEPS / (max(words.width, words.height) or 1.0)
    boxes = np.array([word[1:5] for word in words.words], dtype=np.float64).reshape(-1, 4)
    steps = np.clip(np.rint(boxes * scale), 0, _STEPS).astype("<u2")
    said = json.dumps(lines_in(words.words), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return zlib.compress(len(said).to_bytes(4, "little") + said + steps.T.tobytes())


def unpack(blob: bytes, *, width: float, height: float) -> tuple[Word, ...]:
    """The words again, on a page of that size."""
    lines, rest = _parts(blob)
    boxes = np.frombuffer(rest, "<u2").reshape(4, -1).T * ((max(width, height) or 1.0) / _STEPS)
    texts = [(text, number) for number, line in enumerate(lines) for text in line]
    sides = boxes.round(2).tolist()
    return tuple(Word(text, x0, y0, x1, y1, line=line) for (text, line), (x0, y0, x1, y1) in zip(texts, sides, strict=True))


def unpack_lines(blob: bytes) -> Lines:
    """The words' texts alone."""
    return _parts(blob)[0]


def lines_in(words: Sequence[Word]) -> Lines:
    """The texts of words that stand in one line, line by line."""
    return [[word.text for word in line] for _, line in groupby(words, key=lambda word: word.line)]


def pack_facts(facts: Sequence[Facts]) -> bytes:
    """What a result says, as a blob."""
    return zlib.compress(_FACTS.dump_json(tuple(facts)))


def unpack_facts(blob: bytes) -> tuple[Facts, ...]:
    """What a result says, from its blob."""
    return _FACTS.validate_json(_whole(blob))


def printed(texts: Lines, *, forms: bool = True) -> list[Token]:
    """Everything that the page's text is found by, with its places: as printed and in order, and then, where asked for, in other forms."""
    lines = list(lines_of(texts))
    return [token for read in ((tokens_of, forms_of) if forms else (tokens_of,)) for line in lines for token in read(line)]


def page_tokens(texts: Lines, number: int, facts: Iterable[Facts], more: Iterable[str]) -> list[str]:
    """All that a page is found by: `more`, which holds for the whole document, what results say of the page, and then its text, in
    the order in which it is printed, so that phrases are found."""
    facts = [one for one in facts if one.of_page(number)]
    said = dict.fromkeys([*more, *(token for one in facts for token in filters_of(one, number))])
    return [*said, *(token.text for token in printed(texts if number else lines_in(values_of(facts))))]


def values_of(facts: Iterable[Facts]) -> tuple[Word, ...]:
    """What stands for the words of a document without pages, such as an e-invoice that is XML: the values of its fields, a line each."""
    values = [str(field.value) for one in facts for field in one.fields]
    return tuple(Word(text, 0, 0, 0, 0, line=line) for line, value in enumerate(values) for text in value.split())


def _parts(blob: bytes) -> tuple[Lines, bytes]:
    content = _whole(blob)
    end = 4 + int.from_bytes(content[:4], "little")
    return json.loads(content[4:end].decode("utf-8", "surrogatepass")), content[end:]


def _whole(blob: bytes) -> bytes:
    """Raises SearchIndexError."""
    try:
        return zlib.decompress(blob)
    except zlib.error as problem:
        raise SearchIndexError(f"the index is damaged: {problem}", hint="delete it and index the documents again") from problem
