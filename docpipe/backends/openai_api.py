"""Models behind an OpenAI-compatible server: OpenAI, Azure OpenAI, vLLM, SGLang, Ollama, LM Studio, OpenRouter, `transformers serve`.

The page's image leaves this machine for the host that the settings name, and for no other. See docs/api.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from docpipe.backends import Ability, Backend, Batches, ModelOptions, Question, Reply
from docpipe.backends._api.answer import BYTES, FRAME, Answer
from docpipe.backends._api.batches import OpenAiBatches, open_spool
from docpipe.backends._api.breaker import Breaker
from docpipe.backends._api.client import Server
from docpipe.backends._api.cost import Estimate
from docpipe.backends._api.errors import Complained
from docpipe.backends._api.gate import Gate, shared_store
from docpipe.backends._api.request import fit, most_tokens, request, thinks
from docpipe.backends._api.rows import ASK_AGAIN, HALF, pieces_of, row
from docpipe.backends._api.spool import Spool
from docpipe.errors import AnswerError, BusyError, EngineError, OutboundError, UsageError
from docpipe.records import Usage


class OpenAiApi(Backend):
    """Asks for one chat completion a question, listens to it as it comes, and hangs up on one that goes round in circles."""

    name: ClassVar[str] = "openai_api"
    lane: ClassVar[Literal["gpu", "api"]] = "api"

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options)
        if not options.model:
            raise UsageError("no model is named", hint="DOCPIPE_MODEL__MODEL is the server's name for it; on Azure, the deployment's")
        self._server = Server(options.api)
        self._gate = Gate(options, self._server.host)
        self._spool = open_spool(options)

    @property
    def host(self) -> str:
        return self._server.host

    @classmethod
    def circuit(cls, options: ModelOptions) -> Callable[[], bool]:
        """Whether calls to the host have failed so often that it is left alone, as far as all know who share the limits."""
        api = options.api
        if not api.shared or not (api.url or api.key):
            return super().circuit(options)
        breaker, host = Breaker(shared_store(options.api)), Server(options.api).host

        def is_open() -> bool:
            try:
                return breaker.is_open(host)
            except EngineError:  # where nobody knows, the worker finds out
                return False

        return is_open

    @classmethod
    def batches(cls, options: ModelOptions) -> Batches:
        return OpenAiBatches(options)

    @property
    def ability(self) -> Ability:
        """What is asked of the server; whether it keeps to it, `docpipe doctor --backend` finds out."""
        api = self.options.api
        return Ability(
            grade="document",
            constrained=api.structured == "json_schema",
            few_shot=True,
            probabilities=api.logprobs and not thinks(api),
        )

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Within `ModelOptions.pixels`; without them within what OpenAI looks at for this `detail`: for `high`, 2048 x 2048."""
        return fit(width, height, self.options.api, pixels=self.options.pixels)

    def image_tokens(self, width: int, height: int) -> int:
        return self._gate.image_tokens(width, height)

    def ask(self, question: Question) -> Reply:
        """The answer. Raises SchemaError, BusyError with the seconds that the server or a limit asks to wait, BudgetError, AnswerError for
        what the server will not take, EngineError where the question is too long, DeadlineError, OutboundError and MissingError."""
        if self._spool is not None:
            return self._gate.known(question, partial(self._from_batch, question, self._spool))
        return self._gate.ask(question, lambda: self._prepare(question))

    def expected(self, question: Question) -> Estimate:
        """The tokens that the question takes, and what the call costs at the most. Sends nothing."""
        return self._gate.expected(question)

    def admit(self) -> None:
        if self._spool is None:
            self._gate.look()

    def _prepare(self, question: Question) -> Callable[[], Reply]:
        """The call, with everything in it but the waiting: what is let through should be on its way at once."""
        self._server.get_ready()
        asked = request(question, model=self.options.model, options=self.options.api, openai=self._server.is_openai)
        return lambda: self._ask(question, asked)

    def _ask(self, question: Question, asked: Mapping[str, Any]) -> Reply:
        room = most_tokens(question, self.options.api)
        return self._heard(question, self._server.ask(asked, seconds=self.options.seconds, largest=FRAME + BYTES * room))

    def _from_batch(self, question: Question, spool: Spool, key: str) -> Reply:
        """What a provider's batch answered, at half the price. Raises BusyError until it has, and AnswerError where it never will."""
        said = spool.said(key)
        if said is None:
            spool.put(key, partial(self._row, question, key), job=question.account.job)
            said = spool.said(key)  # what came this moment called nobody
        if said is None:
            raise BusyError(f"{self._server.host}: the question waits for a batch", after=ASK_AGAIN)
        try:
            return self._gate.priced(self._heard(question, pieces_of(said)), share=HALF)
        except (BusyError, OutboundError) as problem:
            raise AnswerError(f"{problem.message} in a batch", hint="another call of docpipe batch asks again") from problem

    def _row(self, question: Question, key: str) -> bytes:
        asked = request(question, model=self.options.model, options=self.options.api, openai=self._server.is_openai)
        return row(key, asked, azure=bool(self.options.api.version))

    def _heard(self, question: Question, said: AbstractContextManager[Iterator[bytes]]) -> Reply:
        host = self._server.host
        answer = Answer(most=question.most_tokens, host=host)
        try:
            with said as pieces:
                for piece in pieces:
                    answer.add(piece)
                    if answer.cut:
                        break
        except Complained as problem:
            if not problem.complaint.declined:
                raise problem.complaint.error(host, secret=self._server.secret) from None
            answer.stop = "refusal"
        return self._reply(question, answer)

    def close(self) -> None:
        self._server.close()

    def _reply(self, question: Question, answer: Answer) -> Reply:
        if answer.stop is None:
            raise OutboundError(f"{answer.host}: the answer broke off")
        prompt, completion = answer.counted or (self._gate.expected(question).prompt_tokens, answer.taken)
        return Reply(
            text=answer.text,
            stop=answer.stop,
            model=f"{_label(answer.model or self.options.model)}@{answer.host}",
            usage=Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion),
            tokens=answer.tokens if self.ability.probabilities else (),
        )


def _label(model: str) -> str:
    """The model's name without any folder of the server's machine."""
    return PurePosixPath(model).name if model.startswith("/") else model
