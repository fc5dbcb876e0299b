"""Asking about one page until there is an answer, or it is clear that there will be none. Knows why replies are refused; no word, no box.

invalid     one more question, for the fields at fault alone; what was right stays
empty       one more question
length      the image in two halves, each asked about by itself; what was cut off is never sent again
loop        the same
refusal     the end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL.Image import Image
from pydantic import BaseModel

from docpipe.backends import Backend, Question, Reply, Shot
from docpipe.errors import EngineError
from docpipe.extract.vlm.image import cut, fitted
from docpipe.extract.vlm.parse import Answer, Refused, judge
from docpipe.extract.vlm.prompt import SYSTEM, ask_again, ask_for
from docpipe.extract.vlm.wire import Wire, compile_wire
from docpipe.fields import pattern
from docpipe.records import Issue, Usage, Words

MOST_TOKENS = 4096
MOST_TEXT_TOKENS = 8192  # where the page's whole text is asked for
DEEPEST = 2  # times that a page is halved


@dataclass
class Inquiry:
    """One page's questions: what they are about and what they have cost."""

    backend: Backend
    schema: type[BaseModel]
    number: int
    blank: bool
    hint: Words | None = None
    shots: tuple[Shot, ...] = ()
    model: str | None = None
    spent: list[Usage] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        """All calls together, the refused ones too."""
        costs = [one.cost_usd for one in self.spent if one.cost_usd is not None]
        return Usage(
            calls=sum(one.calls for one in self.spent),
            prompt_tokens=sum(one.prompt_tokens for one in self.spent),
            completion_tokens=sum(one.completion_tokens for one in self.spent),
            cost_usd=sum(costs) if costs else None,
        )

    def read(self, images: Sequence[Image]) -> list[Answer]:
        """What the parts of the page say, from top to bottom. Raises EngineError where one gives no answer, and what the backend raises."""
        answers = [answer for image in images for answer in self._read(image, 0, part=len(images) > 1)]
        if not self.blank and not any(answer.leaves for answer in answers):
            raise EngineError("the model found nothing on a page that is not blank", page=self.number)
        return answers

    def _read(self, image: Image, depth: int, *, part: bool) -> list[Answer]:
        wire = compile_wire(self.schema)
        question = ask_for(wire, number=self.number, part=part, hint=self.hint)
        outcome = judge(self._ask(image, question, wire), wire.schema, blank=self.blank or part)
        if isinstance(outcome, Refused) and outcome.why in ("invalid", "empty"):
            outcome = self._again(image, outcome, part=part)
        if isinstance(outcome, Answer):
            return [outcome]
        halves = cut(image) if outcome.why in ("length", "loop") and depth < DEEPEST else None
        if halves is None:
            raise EngineError(outcome.message, page=self.number)
        return [answer for half in halves for answer in self._read(half, depth + 1, part=True)]

    def _again(self, image: Image, refused: Refused, *, part: bool) -> Answer | Refused:
        """One more question, for the fields at fault, or for all where nothing of the answer could be used."""
        wire = compile_wire(self.schema)
        if refused.faults:
            wire = compile_wire(self.schema, frozenset(path for path in wire.specs if any(_is_in(path, fault) for fault in refused.faults)))
        question = ask_for(wire, number=self.number, part=part, hint=self.hint)
        reply = self._ask(image, ask_again(question, refused.faults or {"": refused.message}), wire)
        kept = tuple(leaf for leaf in refused.rest.leaves if pattern(leaf.path) not in wire.specs)
        outcome = judge(reply, wire.schema, blank=self.blank or part or bool(kept))
        if isinstance(outcome, Answer):
            return Answer((*kept, *outcome.leaves))
        together = (*kept, *outcome.rest.leaves)
        if outcome.why != "invalid" or not together:
            return outcome
        self.issues += [_given_up(self.number, path, what) for path, what in (outcome.faults or refused.faults).items()]
        return Answer(together)

    def _ask(self, image: Image, text: str, wire: Wire) -> Reply:
        whole_text = any(spec.kind == "page_text" for spec in wire.specs.values())
        reply = self.backend.ask(
            Question(
                images=(fitted(image, self.backend),),
                text=text,
                system=SYSTEM,
                shots=self.shots,
                schema=wire.schema,
                most_tokens=MOST_TEXT_TOKENS if whole_text else MOST_TOKENS,
            )
        )
        self.model = reply.model
        self.spent.append(reply.usage)
        return reply


def _is_in(path: str, fault: str) -> bool:
    """The field is the one at fault, or a part of it."""
    place = pattern(fault)
    return path == place or path.startswith((place + ".", place + "["))


def _given_up(page: int, path: str, what: str) -> Issue:
    """What was asked for twice in vain may be on the page all the same."""
    return Issue(code="answer_unusable", severity="error", path=path, page=page, message=f"the model's answer {what}")
