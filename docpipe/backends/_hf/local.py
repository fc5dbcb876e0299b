"""What every backend with a model in this process shares: loading on the first question, batches, decoding, replies. A family says which
model types it takes, how a batch of questions becomes the model's inputs, and at which size it sees images."""

from __future__ import annotations

import codecs
import re
import threading
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from docpipe.backends import Backend, ModelOptions, Question, Reply, Token
from docpipe.backends._hf.checkpoint import Checkpoint
from docpipe.backends._hf.decoding import Decoder, Row
from docpipe.backends._hf.engine import Answer, Engine, Outcome
from docpipe.backends._hf.grammar import Grammar, Vocabulary
from docpipe.backends._hf.library import torch, transformers
from docpipe.errors import DeadlineError, EngineError
from docpipe.records import Usage

LETTERS_PER_TOKEN = 3  # roughly, and only to sort a batch by length


class LocalBackend(Backend):
    """A model of one of the families `takes`, run by transformers."""

    takes: ClassVar[frozenset[str]]

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options)
        self._files = Checkpoint(options, takes=self.takes)
        self._reading = threading.Lock()
        self._vocabulary: Vocabulary | None = None
        self._engine = Engine(
            self._load,
            weigh=self._weigh,
            batch=options.batch,
            window=options.window,
            seconds=options.seconds,
            loading=options.loading,
            hang=lambda: self.on_hang(),
        )

    def ask(self, question: Question) -> Reply:
        return self._engine.ask(question)

    def close(self) -> None:
        self._engine.close()

    @property
    def config(self) -> Any:
        """The model's configuration. Raises EngineError, MissingError, OutboundError."""
        with self._reading:
            return self._files.config

    @property
    def processor(self) -> Any:
        """The model's processor. Raises EngineError, MissingError, OutboundError."""
        with self._reading:
            return self._files.processor

    @property
    def model_name(self) -> str:
        """The model's name and which one it is."""
        return self._files.name

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """A square, unless the family sees more. The whole page is squeezed into it: the middle that a processor would cut out lacks the
        rest."""
        images = self.processor.image_processor
        size = getattr(images, "crop_size", None) or images.size
        return size["width"], size["height"]

    @abstractmethod
    def encode(self, questions: Sequence[Question]) -> Any:
        """The model's inputs for a batch, padded on the left, on the CPU."""

    def load(self) -> Any:
        """The model."""
        return self._files.model()

    def generate(self, model: Any, inputs: Any, **how: Any) -> Any:
        """Let the model write; what it wrote is in the rows of the decoder that `how` brings."""
        return model.generate(**inputs, **how)

    def ends(self, model: Any) -> tuple[int, ...]:
        """The tokens that end an answer."""
        found = model.generation_config.eos_token_id
        if found is None:
            found = self.processor.tokenizer.eos_token_id
        return tuple(found) if isinstance(found, list | tuple) else (found,)

    def tidy(self, text: str) -> str:
        """The answer without what the family puts around it; asked only where replies have no tokens."""
        return text.strip()

    def plain(self, text: str) -> str:
        """The text with every control token in it broken up: what stands in a document is never more than text."""
        return _control(tuple(_control_tokens(self.processor))).sub(lambda found: f"{found[0][:1]} {found[0][1:]}", text)

    # ---- the engine's thread ----

    def _load(self) -> Answer:
        model = self.load()
        _only_greedy(model, ends=self.ends(model), pad=self.processor.tokenizer.pad_token_id)
        if self.ability.probabilities:
            text = self.config.get_text_config()
            size = max(len(self.processor.tokenizer), text.vocab_size + getattr(text, "additional_vocab_size", 0))
            self._vocabulary = Vocabulary(self.processor.tokenizer, size=size, ends=self.ends(model))
        return lambda questions: self._answer(model, questions)

    def _answer(self, model: Any, questions: Sequence[Question]) -> Sequence[Outcome]:
        inputs = self.encode(questions)
        sizes = [int(size) for size in inputs["attention_mask"].sum(-1)] if "attention_mask" in inputs else [0] * len(questions)
        rows = [self._row(model, question, size) for question, size in zip(questions, sizes, strict=True)]
        decoder = Decoder(rows, deadline=time.monotonic() + self.options.seconds)
        inputs = inputs.to(model.device, dtype=model.dtype)
        with torch().inference_mode():
            self.generate(model, inputs, do_sample=False, max_new_tokens=max(row.most for row in rows) + 1, logits_processor=[decoder])
        return [self._outcome(row, size, expired=decoder.expired) for row, size in zip(rows, sizes, strict=True)]

    def _row(self, model: Any, question: Question, size: int) -> Row:
        """An answer to a question of so many tokens, no longer than the model's positions reach: one is kept for its end, one for its
        begin."""
        positions = getattr(self.config.get_text_config(), "max_position_embeddings", None) or size + question.most_tokens + 2
        if positions - size - 2 < 1:
            raise EngineError(
                f"a question of {size} tokens leaves no room for an answer: the model has {positions} positions",
                hint="fewer pixels (DOCPIPE_MODEL__PIXELS), or fewer examples",
            )
        most = min(question.most_tokens, positions - size - 2)
        return Row(most=most, ends=self.ends(model), grammar=self._grammar(question))

    def _grammar(self, question: Question) -> Grammar | None:
        if question.schema is None or self._vocabulary is None or not self.ability.constrained:
            return None
        return Grammar.start(self._vocabulary, question.schema)

    def _outcome(self, row: Row, size: int, *, expired: bool) -> Outcome:
        if not row.stop or (expired and not row.done):
            return DeadlineError(
                f"the model had not ended its answer after {self.options.seconds:g} s",
                hint="raise DOCPIPE_MODEL__SECONDS, or use a faster device",
            )
        usage = Usage(calls=1, prompt_tokens=size, completion_tokens=len(row.tokens))
        if self._vocabulary is None:
            text = self.tidy(self.processor.tokenizer.decode(row.tokens, skip_special_tokens=True))
            return Reply(text=text, stop=row.stop, model=self.model_name, usage=usage)
        pieces = _pieces([self._vocabulary.text(token) for token in row.tokens])
        sized = zip(pieces, row.probabilities, strict=True)
        tokens = tuple(Token(len(piece.encode()), probability, forbidden) for piece, (probability, forbidden) in sized)
        return Reply(text="".join(pieces), stop=row.stop, model=self.model_name, usage=usage, tokens=tokens)

    def _weigh(self, question: Question) -> int:
        images = [*question.images, *(image for shot in question.shots for image in shot.images)]
        letters = len(question.text) + len(question.system) + sum(len(shot.text) + len(shot.answer) for shot in question.shots)
        return sum(self.image_tokens(*image.size) for image in images) + letters // LETTERS_PER_TOKEN


def _only_greedy(model: Any, *, ends: Sequence[int], pad: int | None) -> None:
    """A checkpoint says how it is to be sampled, with penalties and forbidden words. Here scores are the model's own, and the best is
    taken."""
    for part in model.modules():
        if said := getattr(part, "generation_config", None):
            begin = {"bos_token_id": said.bos_token_id, "decoder_start_token_id": said.decoder_start_token_id}
            pad_token = ends[0] if pad is None else pad
            part.generation_config = transformers().GenerationConfig(eos_token_id=list(ends), pad_token_id=pad_token, **begin)


def _pieces(parts: Sequence[bytes]) -> list[str]:
    """What each token adds to the text. A letter whose bytes come with several tokens belongs to the last of them, and the space that a
    tokenizer puts before the first word to none."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces = [decoder.decode(part, final=at == len(parts)) for at, part in enumerate(parts, 1)]
    for at, piece in enumerate(pieces):
        pieces[at] = piece.lstrip(" ")
        if pieces[at]:
            break
    return pieces


def _control_tokens(processor: Any) -> list[str]:
    added = processor.tokenizer.added_tokens_decoder.values()
    return sorted({token.content for token in added if len(token.content) > 1 and (token.special or token.content.startswith("<"))})


def _control(tokens: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)) or r"(?!)")
