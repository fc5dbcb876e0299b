"""A backend without a model: it answers from a file of replies. Ships for tests, and for reading again what was once read.

The file (`ModelOptions.model`) is one JSON object: what the model is able to do, and the answers.

    {"ability": {"grade": "document", "probabilities": true},
     "answers": [{"contains": ["page 2", "invoice_number"], "text": "{...}"},
                 {"sha256": "of a question", "text": "...", "stop": "length"},
                 {"contains": ["page 3"], "busy": 30, "times": 1},
                 {"hang": true}]}

Of the answers that fit a question the first counts that was not given `times` times already. One that nothing fits is an EngineError.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from docpipe.backends import Ability, Backend, ModelOptions, Question, Reply, Stop, Token
from docpipe.errors import BusyError, DeadlineError, EngineError, UsageError
from docpipe.records import Record, Usage

PATCH = 28
PIXELS = 1_003_520  # what the file's model is shown where the options do not say: 1280 patches


class Answer(Record):
    """What is answered to the questions that have all of `contains` in their text, and, where it is given, this hash.

    `stop`, `tokens` and the numbers of tokens are the reply's; `probability` stands for `tokens` of one character each. Instead of
    answering it may be `busy` for so many seconds, `hang` until the time of an answer is over, or `fail` with a message.
    """

    contains: tuple[str, ...] = ()
    sha256: str | None = None
    times: int | None = None
    text: str = ""
    stop: Stop = "end"
    tokens: tuple[Token, ...] = ()
    probability: float | None = None
    prompt_tokens: int = 100
    completion_tokens: int = 20
    busy: float | None = None
    hang: bool = False
    fail: str | None = None


class Recording(Record):
    """A file of answers."""

    ability: Ability = Ability(grade="document", constrained=True, few_shot=True, probabilities=True)
    name: str = "replay"
    answers: tuple[Answer, ...]


class Replay(Backend):
    """Answers from the file."""

    name = "replay"

    def __init__(self, options: ModelOptions) -> None:
        """Reads nothing yet."""
        super().__init__(options)
        self._given: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._loaded: Recording | None = None

    @property
    def ability(self) -> Ability:
        """What the file says. Raises UsageError where it cannot be read."""
        return self._recording().ability

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Whole patches of 28 pixels, as few as the budget asks for."""
        shrink = min(1.0, math.sqrt((self.options.pixels or PIXELS) / (width * height)))
        across, down = (max(1, round(side * shrink / PATCH)) for side in (width, height))
        return across * PATCH, down * PATCH

    def image_tokens(self, width: int, height: int) -> int:
        """One for each patch."""
        return (width // PATCH) * (height // PATCH)

    def ask(self, question: Question) -> Reply:
        """The answer that fits."""
        answer = self._fitting(question)
        if answer.busy is not None:
            raise BusyError("the recorded model is busy", after=answer.busy)
        if answer.hang:
            time.sleep(self.options.seconds)
            raise DeadlineError(f"no answer within {self.options.seconds:g} s", hint="raise DOCPIPE_MODEL__SECONDS")
        if answer.fail is not None:
            raise EngineError(answer.fail)
        tokens = answer.tokens
        if answer.probability is not None:
            tokens = tuple(Token(len(char.encode()), answer.probability) for char in answer.text)
        usage = Usage(calls=1, prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)
        return Reply(text=answer.text, stop=answer.stop, model=self._recording().name, usage=usage, tokens=tokens)

    def _fitting(self, question: Question) -> Answer:
        said = digest(question)
        with self._lock:
            for place, answer in enumerate(self._recording().answers):
                fits = all(part in question.text for part in answer.contains) and answer.sha256 in (None, said)
                if fits and (answer.times is None or self._given[place] < answer.times):
                    self._given[place] += 1
                    return answer
        raise EngineError(f"no recorded answer fits the question {said}", hint="add one to the file that DOCPIPE_MODEL__MODEL names")

    def _recording(self) -> Recording:
        if self._loaded is None:
            self._loaded = _read(self.options.model)
        return self._loaded


def digest(question: Question) -> str:
    """The hash of everything that is asked, pixels included."""
    said: list[Any] = [question.system, question.text, question.schema and dict(question.schema), question.most_tokens]
    said += [[shot.text, shot.answer] for shot in question.shots]
    found = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for image in (*question.images, *(image for shot in question.shots for image in shot.images)):
        found.update(f"{image.size}".encode() + image.tobytes())
    return found.hexdigest()


def _read(name: str) -> Recording:
    if not name:
        raise UsageError("the backend replay needs a file of answers", hint="name it with DOCPIPE_MODEL__MODEL")
    try:
        return Recording.model_validate_json(Path(name).read_bytes())
    except OSError as problem:
        raise UsageError(f"the file of answers cannot be read: {problem.strerror}", file=Path(name).name) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"this is no file of answers: {where}: {first['msg']}", file=Path(name).name) from problem
