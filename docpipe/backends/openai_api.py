"""Models behind an OpenAI-compatible server: OpenAI, Azure OpenAI, vLLM, SGLang, Ollama, LM Studio, OpenRouter, `transformers serve`.

The page's image leaves this machine for the host that the settings name, and for no other. See docs/api.md.
"""

from __future__ import annotations

from itertools import chain
from pathlib import PurePosixPath
from typing import ClassVar, Literal

from docpipe.backends import Ability, Backend, ModelOptions, Question, Reply
from docpipe.backends._api.answer import BYTES, FRAME, Answer
from docpipe.backends._api.client import Server
from docpipe.backends._api.cost import image_tokens
from docpipe.backends._api.errors import Complained
from docpipe.backends._api.request import THINKING, fit, request, thinks
from docpipe.errors import OutboundError, UsageError
from docpipe.records import Usage

LETTERS_PER_TOKEN = 3  # roughly, and only where a server does not count


class OpenAiApi(Backend):
    """Asks for one chat completion a question, listens to it as it comes, and hangs up on one that goes round in circles."""

    name: ClassVar[str] = "openai_api"
    lane: ClassVar[Literal["gpu", "api"]] = "api"

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options)
        if not options.model:
            raise UsageError("no model is named", hint="DOCPIPE_MODEL__MODEL is the server's name for it; on Azure, the deployment's")
        self._server = Server(options.api)

    @property
    def ability(self) -> Ability:
        """What is asked of the server; whether it keeps to it, `_api.probe` finds out."""
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
        square = self.options.api.square
        if square:
            return (width // square) * (height // square)
        return image_tokens(width, height, model=self.options.model, detail=self.options.api.detail)

    def ask(self, question: Question) -> Reply:
        """The answer. Raises SchemaError, BusyError with the seconds that the server asks to wait, AnswerError for what it will not take,
        EngineError where the question is too long, DeadlineError, OutboundError and MissingError."""
        api, host = self.options.api, self._server.host
        asked = request(question, model=self.options.model, options=api, openai=self._server.is_openai)
        room = question.most_tokens + (THINKING if thinks(api) else 0)
        answer = Answer(most=question.most_tokens, host=host)
        try:
            with self._server.ask(asked, seconds=self.options.seconds, largest=FRAME + BYTES * room) as pieces:
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
        prompt, completion = answer.counted or (self._estimate(question), answer.taken)
        return Reply(
            text=answer.text,
            stop=answer.stop,
            model=f"{_label(answer.model or self.options.model)}@{answer.host}",
            usage=Usage(calls=1, prompt_tokens=prompt, completion_tokens=completion),
            tokens=answer.tokens if self.ability.probabilities else (),
        )

    def _estimate(self, question: Question) -> int:
        """The question's tokens where the server does not count them, as for an answer that was cut off."""
        images = chain(question.images, *(shot.images for shot in question.shots))
        texts = [question.system, question.text, *(text for shot in question.shots for text in (shot.text, shot.answer))]
        return sum(self.image_tokens(*image.size) for image in images) + sum(map(len, texts)) // LETTERS_PER_TOKEN


def _label(model: str) -> str:
    """The model's name without any folder of the server's machine."""
    return PurePosixPath(model).name if model.startswith("/") else model
