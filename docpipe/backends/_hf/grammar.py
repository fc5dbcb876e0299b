"""A JSON Schema -> which tokens may come next, and the way to the end of the document. Knows no model."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from docpipe.backends._hf.library import optional
from docpipe.errors import EngineError

# The last byte -> what is tried next, best first. Inside a string all of these may stand, so a quotation mark is first wherever it can end
# one.
_AFTER_OBJECT_BEGAN = (b"}", b'"')
_AFTER_VALUE = (b'"', b"}", b"]", b",", b".", b"1", b"0")
_BEFORE_VALUE = (b"]", b"n", b'"', b"[", b"1", b"f")  # null is short and claims nothing
_NEXT = {b"{": _AFTER_OBJECT_BEGAN, **dict.fromkeys((b":", b"[", b","), _BEFORE_VALUE)}


class Vocabulary:
    """A tokenizer as bytes: what each token adds to a text. Made once per model; takes seconds with a large vocabulary."""

    def __init__(self, tokenizer: Any, *, size: int, ends: Sequence[int]) -> None:
        """`size` is the width of the model's scores, which may be more than the tokenizer has; `ends` are the tokens that end an answer."""
        self.size = size
        self.end = ends[0]
        self.tokenizer = optional("llguidance.hf").from_tokenizer(tokenizer, n_vocab=size, eos_token=list(ends))

    def text(self, token: int) -> bytes:
        """What the token adds to the text: nothing where it is a special one."""
        return b"" if self.tokenizer.is_special_token(token) else bytes(self.tokenizer.decode_bytes([token]))

    @functools.cached_property
    def singles(self) -> dict[bytes, int]:
        """One-byte text -> its token."""
        found: dict[bytes, int] = {}
        for token in range(self.size):
            text = self.text(token)
            if len(text) == 1:
                found.setdefault(text, token)
        return found


class Grammar:
    """A place in a document that follows the schema."""

    def __init__(self, vocabulary: Vocabulary, matcher: Any, last: bytes = b"") -> None:
        self._vocabulary = vocabulary
        self._matcher = matcher
        self._last = last

    @classmethod
    def start(cls, vocabulary: Vocabulary, schema: Mapping[str, Any]) -> Grammar:
        """The beginning. Raises EngineError where the schema asks for what cannot be enforced."""
        library = optional("llguidance").LLMatcher
        # White space between the parts would be a place to loop in.
        text = library.grammar_from_json_schema(json.dumps(schema), overrides={"whitespace_flexible": False})
        if problem := library.validate_grammar(text, vocabulary.tokenizer):
            raise EngineError(f"the schema cannot be enforced: {problem}", hint="ask for less: a bounded string, an enum, a list")
        return cls(vocabulary, library(vocabulary.tokenizer, text, log_level=0))

    def mask(self) -> bytes:
        """One bit per token, lowest bit first: whether it may come next."""
        return bytes(self._matcher.compute_bitmask())

    def after(self, token: int) -> Grammar:
        """The place one token on; this one stays where it is."""
        copy = Grammar(self._vocabulary, self._matcher.deep_copy(), self._last)
        copy.accept(token)
        return copy

    def accept(self, token: int) -> None:
        """Go on by one token. Raises EngineError where it may not come next."""
        if not self._matcher.consume_token(token):
            raise EngineError(f"the grammar stopped: {self._matcher.get_error()}")
        self._last = self._vocabulary.text(token)[-1:] or self._last

    def allows(self, way: Sequence[int]) -> bool:
        """Whether all these tokens may follow, one after the other."""
        return bool(self._matcher.validate_tokens(list(way)) == len(way))

    def way_out(self, most: int) -> list[int] | None:
        """A short way to the end of the document and of the answer: strings, lists and objects are closed, and what must still be said is
        null where it may be. None where it takes more than `most` tokens, not counting the one that ends the answer."""
        here = Grammar(self._vocabulary, self._matcher.deep_copy(), self._last)
        way: list[int] = []
        while not here._may_end():
            if len(way) == most:
                return None
            way.append(here._shortest())
            here.accept(way[-1])
        return [*way, self._vocabulary.end]

    def _may_end(self) -> bool:
        return bool(self._matcher.is_stopped() or self._matcher.is_accepting())

    def _shortest(self) -> int:
        mask = self.mask()
        for text in _NEXT.get(self._last, _AFTER_VALUE):
            token = self._vocabulary.singles.get(text)
            if token is not None and mask[token >> 3] >> (token & 7) & 1:
                return token
        return next(at * 8 + (byte & -byte).bit_length() - 1 for at, byte in enumerate(mask) if byte)
