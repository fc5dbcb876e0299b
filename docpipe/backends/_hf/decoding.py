"""Greedy decoding, one row per question: what the schema allows, how sure the model was, and when to stop. Knows no model and no image.

A `Decoder` is handed to `generate` as its only processor of scores. It chooses each row's token itself and leaves no other, so that it
knows what the model wanted before the schema forbade anything, and can end a row for any reason.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from docpipe.backends import Stop
from docpipe.backends._hf.grammar import Grammar
from docpipe.backends._hf.library import torch
from docpipe.backends._loops import TOKENS, loops
from docpipe.errors import EngineError

# From here on a token is only taken if the document can still be ended after it: this many tokens, and three times the shortest document.
NEAR_THE_END = 256


class Row:
    """One answer as it grows. With a grammar it ends as a whole document: where the tokens run out or the model goes round in circles, it
    leaves by a short way that it keeps ready."""

    def __init__(self, *, most: int, ends: Sequence[int], grammar: Grammar | None = None) -> None:
        """`most` bounds the tokens without the one that ends the answer, which is one of `ends`. Raises EngineError where no document that
        follows the grammar is that short."""
        self.tokens: list[int] = []
        self.probabilities: list[tuple[float, float]] = []
        self.stop: Stop | None = None
        self.done = False
        self.end = ends[0]
        self._grammar = grammar
        self.most = most
        self._ends = ends
        self._way: list[int] | None = None
        self._near = NEAR_THE_END + 3 * len(_shortest(grammar, most)) if grammar else 0

    def choose(self, wanted: int) -> int:
        """The token that comes next, where the model wants `wanted` among those that are allowed. Once the row is done, one that ends
        it."""
        if not self.stop and len(self.tokens) % TOKENS.every == 0 and loops(self.tokens):
            self._leave("loop")
        token = self._constrained(self._grammar, wanted) if self._grammar else self._free(wanted)
        if token in self._ends:
            self.stop, self.done = self.stop or "end", True
        return token

    def take(self, token: int, *, probability: float, forbidden: float) -> None:
        """Go on by the token that `choose` gave."""
        self.tokens.append(token)
        self.probabilities.append((probability, forbidden))
        if self._grammar:
            self._grammar.accept(token)

    def mask(self) -> bytes | None:
        """Which tokens may come next, one bit each; None where all may."""
        return self._grammar.mask() if self._grammar and not self.done else None

    def _free(self, wanted: int) -> int:
        if not self.stop and wanted not in self._ends and len(self.tokens) >= self.most:
            self._leave("length")
        return self.end if self.stop else wanted

    def _constrained(self, grammar: Grammar, wanted: int) -> int:
        left = self.most - len(self.tokens)
        if not self.stop and wanted not in self._ends and left <= self._near and not self._can_end_after(grammar, wanted, left - 1):
            self._leave("length")
        if not self.stop:
            return wanted
        return self._way.pop(0) if self._way else self.end

    def _can_end_after(self, grammar: Grammar, token: int, left: int) -> bool:
        """Keeps the way out that leads on from there. Mostly the one at hand still does, which needs no search."""
        way = self._way
        if way and way[0] == token:
            self._way = way[1:]
            return True
        after = grammar.after(token)
        found = way if way and len(way) <= left + 1 and after.allows(way) else after.way_out(left)
        if found is not None:
            self._way = found
        return found is not None

    def _leave(self, why: Stop) -> None:
        self.stop = why
        if self._grammar and not self._way:
            self._way = self._grammar.way_out(self.most - len(self.tokens))


class Decoder:
    """Scores -> the one token of each row."""

    def __init__(self, rows: Sequence[Row], *, deadline: float) -> None:
        """`deadline` is on the monotonic clock; rows that are not done by then are ended as they are, and `expired` says so."""
        self.rows = rows
        self.expired = False
        self._deadline = deadline

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """What `generate` calls each step: as many rows as it was made with, each with a score per token."""
        self.expired = self.expired or time.monotonic() > self._deadline
        if self.expired:
            return self._only(scores, [row.end for row in self.rows])
        probabilities = scores.float().softmax(-1)
        allowed = self._allowed(scores)
        wanted = (scores if allowed is None else scores.masked_fill(~allowed, float("-inf"))).argmax(-1).tolist()
        chosen = [row.choose(token) for row, token in zip(self.rows, wanted, strict=True)]
        sure = probabilities.gather(-1, torch().tensor(chosen, device=scores.device).unsqueeze(-1)).squeeze(-1).tolist()
        kept = [1.0] * len(sure) if allowed is None else (probabilities * allowed).sum(-1).tolist()
        for row, token, probability, share in zip(self.rows, chosen, sure, kept, strict=True):
            if not row.done:
                row.take(token, probability=probability, forbidden=min(1.0, max(0.0, 1.0 - share)))
        return self._only(scores, chosen)

    def _allowed(self, scores: Any) -> Any:
        """Whether each token may come next in each row; None where no row forbids any."""
        masks = [row.mask() for row in self.rows]
        if not any(masks):
            return None
        library = torch()
        allowed = library.ones(scores.shape, dtype=library.bool)
        bits = library.arange(8, dtype=library.uint8)
        for row, mask in zip(allowed, masks, strict=True):
            if mask:
                flags = (library.frombuffer(bytearray(mask), dtype=library.uint8).unsqueeze(-1) >> bits & 1).reshape(-1).bool()
                row[: len(flags)] = flags[: len(row)]
                row[len(flags) :] = False
        return allowed.to(scores.device)

    @staticmethod
    def _only(scores: Any, chosen: Sequence[int]) -> Any:
        alone = torch().full_like(scores, float("-inf"))
        return alone.scatter_(-1, torch().tensor(chosen, device=scores.device).unsqueeze(-1), 0.0)


def _shortest(grammar: Grammar, most: int) -> list[int]:
    way = grammar.way_out(most)
    if way is None:
        raise EngineError(f"no answer of {most} tokens can follow the schema", hint="allow more tokens, or ask for fewer fields")
    return way
