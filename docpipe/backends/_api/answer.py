"""An answer as it comes in, piece by piece: its text, how sure each token is, why it ended, what it cost. Knows the shape of chat
completions; no connection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from docpipe.backends import Stop, Token
from docpipe.backends._api.errors import Complained, complaint
from docpipe.backends._loops import CHARACTERS, loops, reach
from docpipe.errors import AnswerError, OutboundError

LETTERS = 16  # characters of a token, at the most, over a whole answer: long ones are blanks and rows of dots
BYTES = 2048  # of a token on the wire: with its probability, and what some servers say of each piece
FRAME = 256 * 1024  # bytes beside the tokens
_STOPS: dict[str, Stop] = {
    "stop": "end",
    "eos": "end",
    "end_turn": "end",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "refusal",
}


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Logprob(_Said):
    token: str = ""
    logprob: float
    bytes: list[int] | None = None


class _Logprobs(_Said):
    content: list[_Logprob] | None = None


class _Delta(_Said):
    """`reasoning` is what a model thinks before it answers, by either of its names."""

    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class _Choice(_Said):
    """`delta` in an answer that comes in pieces, `message` in a whole one."""

    delta: _Delta | None = None
    message: _Delta | None = None
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Cost(_Said):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Piece(_Said):
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Cost | None = None
    error: Any = None


@dataclass
class Answer:
    """What has come so far. `stop` is None as long as it may go on; `counted` are prompt and answer in tokens, where the server says."""

    most: int
    host: str
    model: str = ""
    stop: Stop | None = None
    counted: tuple[int, int] | None = None
    cut: bool = False
    parts: list[str] = field(default_factory=list)
    odds: list[Token] = field(default_factory=list)
    _heard: list[str] = field(default_factory=list)
    _letters: int = 0
    _unheeded: int = 0

    def add(self, text: bytes) -> None:
        """Take the next piece. Where it makes the answer a loop, or longer than it may be, `cut` says that no more is wanted.

        Raises Complained where the piece is an error, OutboundError where it is broken off, AnswerError where it is no piece of an answer.
        """
        piece = self._read(text)
        if piece.error:
            raise Complained(complaint(piece.error if isinstance(piece.error, dict) else {"message": str(piece.error)}))
        self.model = piece.model or self.model
        if piece.usage is not None:
            self.counted = piece.usage.prompt_tokens or 0, piece.usage.completion_tokens or 0
        if piece.choices:
            self._take(piece.choices[0])

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """One for each token of the text, without those that only end the answer; none where the server's do not make up the text."""
        found = list(self.odds)
        over = sum(token.size for token in found) - len(self.text.encode("utf-8", "replace"))
        while found and over > 0:
            over -= found.pop().size
        return tuple(found) if over == 0 else ()

    @property
    def taken(self) -> int:
        """The tokens of the answer as far as can be told without the server's word: at least one a piece."""
        return max(len(self.odds), len(self._heard))

    def _read(self, text: bytes) -> _Piece:
        try:
            return _Piece.model_validate_json(text)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise OutboundError(f"{self.host}: the answer broke off within a piece")
        where = ".".join(map(str, first["loc"]))
        raise AnswerError(f"{self.host}: this is no chat completion: {where}: {first['msg']}", hint="look at DOCPIPE_MODEL__API__URL")

    def _take(self, choice: _Choice) -> None:
        said = choice.delta or choice.message or _Delta()
        if choice.logprobs is not None:
            self.odds += [_token(one) for one in choice.logprobs.content or ()]
        if said.content:
            self.parts.append(said.content)
            self._letters += len(said.content)
        for heard in filter(None, (said.reasoning or said.reasoning_content, said.content)):
            self._heard.append(heard)
            self._unheeded += len(heard)
        if said.refusal:
            self.stop = "refusal"
        if choice.finish_reason:
            self.stop = self.stop or self._why(choice.finish_reason)
        if self.stop is None:
            self._look()

    def _why(self, reason: str) -> Stop:
        if reason == "error":
            raise OutboundError(f"{self.host}: the model failed while it answered")
        if reason not in _STOPS:
            raise AnswerError(f"{self.host}: the answer ended for a reason that is not known: {reason[:40]}", hint="look at the server")
        return _STOPS[reason]

    def _look(self) -> None:
        """Whether to listen any longer."""
        if self._letters > self.most * LETTERS:
            self.stop, self.cut = "length", True
        elif self._unheeded >= CHARACTERS.every:
            self._unheeded, last = 0, reach(CHARACTERS)
            if loops("".join(self._heard[-last:])[-last:], CHARACTERS):
                self.stop, self.cut = "loop", True


def _token(said: _Logprob) -> Token:
    size = len(said.token.encode("utf-8", "replace")) if said.bytes is None else len(said.bytes)
    return Token(size, min(1.0, math.exp(min(0.0, said.logprob))))
