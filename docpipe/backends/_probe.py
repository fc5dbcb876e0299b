"""What a server really does of what it is asked. A server that does not know a wish mostly ignores it and answers all the same.

Knows backends by what they answer; five short questions are asked, which cost a few thousand tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from PIL import Image, ImageDraw, ImageFont

from docpipe.backends import Backend, Question, Reply
from docpipe.errors import DocpipeError
from docpipe.records import Record

T = TypeVar("T")

NUMBER = "48175"
# A choice that no model comes upon by itself: where it is made, the schema was followed by force.
CHOICES = ("qx7-zk4", "vb2-mw9")
SCHEMA = {
    "type": "object",
    "properties": {"color": {"type": "string", "enum": list(CHOICES)}},
    "required": ["color"],
    "additionalProperties": False,
}
HALF, PAGE = (620, 877), (1240, 1754)  # A4 at 75 and at 150 dpi
WHOLE = 2.5  # times the tokens of half the sides; 4 where nothing is shrunk
_MOST_TOKENS = 64


class Findings(Record):
    """What was found out; None where it could not be. `image_counted`: an image makes the question longer, so it reached the model.
    `image_read`: the number on it was read. `page_whole`: a page of 150 dpi takes about four times the tokens of one of half its sides, so
    it is not shrunk on the way. `schema_followed`: an answer that nobody would give was given. `probabilities`: the reply's
    tokens make up its text. `problems` are what went wrong on the way."""

    model: str | None = None
    image_counted: bool | None = None
    image_read: bool | None = None
    page_whole: bool | None = None
    schema_followed: bool | None = None
    probabilities: bool | None = None
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`image shown: yes, print read: not known, ...`"""
        found = {
            "image shown": self.image_counted,
            "print read": self.image_read,
            "page seen whole": self.page_whole,
            "schema followed": self.schema_followed,
            "probabilities": self.probabilities,
        }
        words = {True: "yes", False: "no", None: "not known"}
        return ", ".join(f"{wish}: {words[done]}" for wish, done in found.items())

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do about it."""
        said = []
        if self.image_counted is False and not self.image_read:
            said.append("the model is shown no image: take one that sees")
        elif self.image_read is False:
            said.append("the model does not read print: take a larger one, or DOCPIPE_MODEL__API__DETAIL=high")
        if self.page_whole is False:
            said.append("pages are shrunk there: with fewer DOCPIPE_MODEL__PIXELS nothing is lost, or look for the server's own bound")
        if self.schema_followed is False:
            said.append("schemas are ignored: DOCPIPE_MODEL__API__STRUCTURED=none, and answers are only checked")
        if self.probabilities is False:
            said.append("no probabilities come: DOCPIPE_MODEL__API__LOGPROBS=false")
        return tuple(said)


def probe(backend: Backend) -> Findings:
    """Ask and look. Raises nothing: what cannot be asked is a problem of the findings."""
    problems: list[str] = []
    plain = _tried(lambda: backend.ask(Question(images=(), text="Say hello.", most_tokens=_MOST_TOKENS)), problems)
    seen = _tried(lambda: backend.ask(_reading(backend)), problems)
    formed = _tried(
        lambda: backend.ask(Question(images=(), text="Name a color, as JSON.", schema=SCHEMA, most_tokens=_MOST_TOKENS)), problems
    )
    half = _tried(lambda: backend.ask(_blank(backend, HALF)), problems)
    page = _tried(lambda: backend.ask(_blank(backend, PAGE)), problems)
    replies = [reply for reply in (plain, seen, formed) if reply is not None]
    return Findings(
        model=replies[0].model if replies else None,
        image_counted=None if plain is None or seen is None else seen.usage.prompt_tokens > plain.usage.prompt_tokens + len(_READ),
        image_read=None if seen is None else NUMBER in seen.text.replace(" ", ""),
        page_whole=None if plain is None or half is None or page is None else _tokens(page, plain) > WHOLE * _tokens(half, plain),
        schema_followed=_follows(formed) if formed is not None and backend.ability.constrained else None,
        probabilities=any(map(_has_tokens, replies)) if replies and backend.ability.probabilities else None,
        problems=tuple(dict.fromkeys(problems)),
    )


_READ = "Which number is printed here? Answer with its digits alone."


def _blank(backend: Backend, size: tuple[int, int]) -> Question:
    return Question(images=(Image.new("RGB", backend.fit(*size), "white"),), text=_READ, most_tokens=1)


def _tokens(reply: Reply, plain: Reply) -> int:
    """What the image took."""
    return reply.usage.prompt_tokens - plain.usage.prompt_tokens


def _reading(backend: Backend) -> Question:
    """Print as large as on a page that is looked at closely."""
    image = Image.new("RGB", (448, 224), "white")
    ImageDraw.Draw(image).text((60, 70), NUMBER, fill="black", font=ImageFont.load_default(72))
    fitted = image.resize(backend.fit(*image.size), Image.Resampling.LANCZOS)
    return Question(images=(fitted,), text=_READ, most_tokens=_MOST_TOKENS)


def _tried(ask: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return ask()
    except DocpipeError as problem:
        problems.append(str(problem))
        return None


def _follows(reply: Reply) -> bool:
    try:
        said = json.loads(reply.text)
    except ValueError:
        return False
    return isinstance(said, dict) and said.keys() == {"color"} and said["color"] in CHOICES


def _has_tokens(reply: Reply) -> bool:
    return bool(reply.tokens) and sum(token.size for token in reply.tokens) == len(reply.text.encode())
