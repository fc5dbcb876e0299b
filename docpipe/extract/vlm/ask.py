"""Asking about one page until there is an answer, or it is clear that there will be none. Knows why replies are refused; judges no value.

invalid     one more question, for the fields at fault alone, with the part of the page where they should stand; what was right stays
empty       one more question
length      the image in two halves, each asked about by itself; what was cut off is never sent again
loop        the same
refusal     the end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from docpipe.backends import Backend, Question, Reply, Shot
from docpipe.errors import EngineError
from docpipe.extract.vlm.ground import PagePrint, around
from docpipe.extract.vlm.image import Part, closer, cut, fitted
from docpipe.extract.vlm.parse import Answer, Refused, judge
from docpipe.extract.vlm.prompt import SYSTEM, ask_again, ask_for
from docpipe.extract.vlm.wire import Wire, compile_wire
from docpipe.fields import pattern
from docpipe.records import NOBODY, Account, Issue, Usage, Words

MOST_TOKENS = 4096
MOST_TEXT_TOKENS = 8192  # where the page's whole text is asked for
DEEPEST = 2  # times that a page is halved


@dataclass
class Inquiry:
    """One page's questions: what they are about and what they have cost."""

    backend: Backend
    schema: type[BaseModel]
    words: Words
    dpi: float
    hint: Words | None = None
    shots: tuple[Shot, ...] = ()
    account: Account = NOBODY
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

    def read(self, parts: Sequence[Part]) -> list[Answer]:
        """What the parts of the page say, from top to bottom. Raises EngineError where one gives no answer, and what the backend raises."""
        answers = [answer for part in parts for answer in self._read(part, 0, whole=len(parts) == 1)]
        if self.words.words and not any(answer.leaves for answer in answers):
            raise EngineError("the model found nothing on a page that is not blank", page=self.words.page)
        return answers

    def _read(self, part: Part, depth: int, *, whole: bool) -> list[Answer]:
        wire = compile_wire(self.schema)
        reply = self._ask([part], self._question(wire, whole=whole), wire)
        outcome = judge(reply, wire.schema, blank=self._may_be_empty(whole))
        if isinstance(outcome, Refused) and outcome.why in ("invalid", "empty"):
            outcome = self._again(part, outcome, whole=whole)
        if isinstance(outcome, Answer):
            return [outcome]
        halves = cut(part) if outcome.why in ("length", "loop") and depth < DEEPEST else None
        if halves is None:
            raise EngineError(outcome.message, page=self.words.page)
        return [answer for half in halves for answer in self._read(half, depth + 1, whole=False)]

    def _again(self, part: Part, refused: Refused, *, whole: bool) -> Answer | Refused:
        """One more question, for the fields at fault, or for all where nothing of the answer could be used."""
        wire = compile_wire(self.schema)
        if refused.faults:
            wire = compile_wire(self.schema, frozenset(path for path in wire.specs if any(_is_in(path, fault) for fault in refused.faults)))
        detail = self._detail(part, refused, wire)
        question = ask_again(self._question(wire, whole=whole), refused.faults or {"": refused.message}, closer=detail is not None)
        reply = self._ask([part, detail] if detail else [part], question, wire)
        kept = tuple(leaf for leaf in refused.rest.leaves if pattern(leaf.path) not in wire.specs)
        outcome = judge(reply, wire.schema, blank=self._may_be_empty(whole) or bool(kept))
        if isinstance(outcome, Answer):
            return Answer((*kept, *outcome.leaves))
        together = (*kept, *outcome.rest.leaves)
        if outcome.why != "invalid" or not together:
            return outcome
        self.issues += [_given_up(self.words.page, path, what) for path, what in (outcome.faults or refused.faults).items()]
        return Answer(together)

    def _detail(self, part: Part, refused: Refused, wire: Wire) -> Part | None:
        """The band of the page where the fields at fault should stand: at their labels, and beside what is right of the same row or object.
        None where the page does not say, or the model sees one image at a time."""
        if not refused.faults or not self.backend.ability.few_shot:
            return None
        page, parents = PagePrint(self.words), {fault.rpartition(".")[0] for fault in refused.faults}
        beside = [leaf.value for leaf in refused.rest.leaves if leaf.path.rpartition(".")[0] in parents - {""}]
        texts = [*(spec.names for spec in wire.specs.values()), *((value,) for value in beside if isinstance(value, str))]
        region = around([place for some in texts if (place := page.only(some))])
        return closer(part, region, self.dpi) if region else None

    def _question(self, wire: Wire, *, whole: bool) -> str:
        return ask_for(wire, number=self.words.page, part=not whole, hint=self.hint)

    def _may_be_empty(self, whole: bool) -> bool:
        return not (whole and self.words.words)

    def _ask(self, parts: Sequence[Part], text: str, wire: Wire) -> Reply:
        whole_text = any(spec.kind == "page_text" for spec in wire.specs.values())
        reply = self.backend.ask(
            Question(
                images=tuple(fitted(part.image, self.backend) for part in parts),
                text=text,
                system=SYSTEM,
                shots=self.shots,
                schema=wire.schema,
                most_tokens=MOST_TEXT_TOKENS if whole_text else MOST_TOKENS,
                account=self.account,
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
