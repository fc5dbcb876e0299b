"""Trains the reader in `checkpoint/`: about a quarter of an hour of one core, from random weights, with the vlm engine's own question.

    cd tests && OMP_NUM_THREADS=1 ../.venv/bin/python -m digits.train

It learns pages of `pages.py` and nothing else. What makes it learn at all is the order: first every digit has a square of the model's to
itself, and only as far as it reads these the digits move freely. Each line of the question is one token, so that a change of the question's
words is a change that the reader has to be trained for again.
"""

import argparse
import copy
import logging
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import QWEN_CHAT, QWEN_MARKS

from digits.pages import HEIGHT, SQUARE, WIDTH, Drawn, Slip, as_stored, draw
from docpipe.backends import ModelOptions, Question, load_backend
from docpipe.backends._hf.library import transformers as library
from docpipe.backends._hf.processor import image_only
from docpipe.extract.vlm.prompt import SYSTEM, ask_for
from docpipe.extract.vlm.wire import compile_wire

log = logging.getLogger(__name__)
CHECKPOINT = Path(__file__).with_name("checkpoint")
# How an answer begins and ends, as tokens. The grammar takes the beginning in one piece only as far as no null can follow.
BEFORE, BEHIND = '{"number":', '"}'
SEED = 0
ROUNDS = (1600, 800)  # steps; each begins and ends slowly
BATCH = 32
RATE, WARM_UP, LAST_RATE = 2e-3, 100, 0.02
FREER_BELOW, FREER_BY = 0.35, 0.05  # with a running loss below the first, the pages become freer by the second
PATCH = SQUARE // 2
WIDE, DEEP = 96, 2  # the language model
SPREAD = 0.08  # of the first weights; 0.02 learns more slowly
THETA = 100.0  # with the usual 1e6 a head of 24 numbers sees no difference between neighbouring squares


def question(image: Any) -> Question:
    """What the vlm engine asks about the first page."""
    wire = compile_wire(Slip)
    return Question(images=(image,), text=ask_for(wire, number=1), system=SYSTEM, schema=wire.schema)


def answer(number: str) -> str:
    """The right one, without blanks, as the grammar has it."""
    return f'{BEFORE}"{number}{BEHIND}'


def tokenizer() -> Any:
    """A token for each byte, and one for each line of the question and for whatever else is always the same."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={char: place for place, char in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(QWEN_MARKS))
    asked = f"{SYSTEM}\n{ask_for(compile_wire(Slip), number=1)}"
    same = [*filter(None, asked.splitlines()), "system", "user", "assistant", BEFORE, BEHIND]
    made.add_tokens([AddedToken(text, normalized=False) for text in dict.fromkeys(same)])
    return library().PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left")


def untrained() -> tuple[Any, Any]:
    """Model and processor."""
    tokens = tokenizer()
    number = tokens.convert_tokens_to_ids
    ids = {"eos_token_id": tokens.eos_token_id, "pad_token_id": tokens.pad_token_id, "bos_token_id": None}
    text = {
        "hidden_size": WIDE,
        "intermediate_size": 2 * WIDE,
        "num_hidden_layers": DEEP,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
    }
    text |= {"head_dim": WIDE // 4, "vocab_size": len(tokens), "max_position_embeddings": 8192, "initializer_range": SPREAD, **ids}
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": THETA, "mrope_section": [4, 4, 4], "mrope_interleaved": True}
    text["tie_word_embeddings"] = True
    tower = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": WIDE, "patch_size": PATCH}
    tower |= {"spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": (WIDTH // PATCH) ** 2}
    config = library().Qwen3VLConfig(
        text_config=text,
        vision_config={**tower, "deepstack_visual_indexes": [0], "initializer_range": SPREAD},
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    size = {"shortest_edge": WIDTH * HEIGHT, "longest_edge": WIDTH * HEIGHT}
    paper = {"image_mean": [1.0] * 3, "image_std": [0.5] * 3}  # white is 0
    pictures = library().Qwen2VLImageProcessorPil(patch_size=PATCH, size=size, **paper)
    processor = image_only(library().Qwen3VLProcessor)(pictures, tokens, chat_template=QWEN_CHAT)
    model = library().Qwen3VLForConditionalGeneration(config)
    model.generation_config = library().GenerationConfig(**ids)
    return model, processor


class Trainer:
    """The model as it learns: how free its pages are, and how it has done on the last ones."""

    def __init__(self, folder: Path, *, steps: int, first: bool = True) -> None:
        """In the first round an untrained model lies in `folder` from here on, so that the backend itself makes the inputs; in later ones
        the model that lies there learns on, with pages that are free at once."""
        torch.manual_seed(SEED)
        self.chance = random.Random(SEED if first else SEED + 1)
        if first:
            made, processor = untrained()
            made.save_pretrained(folder)
            processor.save_pretrained(folder)
        self.backend = load_backend("qwen_vl", ModelOptions(model=str(folder)))
        self.model = made if first else self.backend.load()
        self.freedom, self.loss = 0.0 if first else 1.0, math.inf
        self._steps, self._done = steps, 0
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01)

    def step(self) -> float:
        """Learn from one batch; its loss."""
        self.model.train()
        for group in self._optimizer.param_groups:
            group["lr"] = _rate(self._done, self._steps)
        freedom = self.freedom if self.chance.random() < 0.7 else self.chance.uniform(0, self.freedom)
        loss = self.model(**self._inputs([draw(self.chance, freedom=freedom) for _ in range(BATCH)])).loss
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        self._done += 1
        self._note(loss.item())
        return loss.item()

    def save(self, folder: Path) -> None:
        """Half precision: a megabyte."""
        copy.deepcopy(self.model).half().save_pretrained(folder)

    def _inputs(self, pages: list[Drawn]) -> dict[str, Any]:
        """The questions, each with its answer behind it; only the answer counts."""
        asked = self.backend.encode([question(as_stored(page.image)) for page in pages])
        tokens = self.backend.processor.tokenizer
        said = torch.tensor([tokens(answer(page.number))["input_ids"] + [tokens.eos_token_id] for page in pages])
        ids = torch.cat([asked["input_ids"], said], 1)
        nothing = torch.zeros_like(said)
        return {
            **asked,
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "mm_token_type_ids": torch.cat([asked["mm_token_type_ids"], nothing], 1),
            "labels": torch.cat([torch.full_like(asked["input_ids"], -100), said], 1),
        }

    def _note(self, loss: float) -> None:
        self.loss = loss if self._done == 1 else 0.9 * self.loss + 0.1 * loss
        if self.loss < FREER_BELOW and self.freedom < 1:
            self.freedom = min(1.0, self.freedom + FREER_BY)
            self.loss += 0.1


def _rate(done: int, steps: int) -> float:
    return RATE * min(1.0, (done + 1) / WARM_UP) * ((1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done / steps)) + LAST_RATE)


def train(folder: Path, *, rounds: Sequence[int] = ROUNDS) -> list[float]:
    """Leaves the checkpoint in `folder`; the losses of all steps, those of each round in turn."""
    return [loss for number, steps in enumerate(rounds) for loss in _round(folder, steps, first=number == 0)]


def _round(folder: Path, steps: int, *, first: bool) -> list[float]:
    trainer = Trainer(folder, steps=steps, first=first)
    losses = []
    for done in range(1, steps + 1):
        losses.append(trainer.step())
        if done % 50 == 0 or done == steps:
            trainer.save(folder)
            log.info("step %d  loss %.4f  freedom %.2f  %.0f s", done, trainer.loss, trainer.freedom, time.process_time())
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description="train the tiny reader")
    parser.add_argument("--out", type=Path, default=CHECKPOINT)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)  # more of them do not learn faster
    train(given.out)


if __name__ == "__main__":
    main()
