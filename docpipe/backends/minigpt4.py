"""MiniGPT-4, put together the way its authors do: the eyes of BLIP-2, one trained projection, and a language model of the LLaMA family.

It has no class in transformers and no checkpoint of its own kind. `model` is a folder with the authors' projection (`*.safetensors` or
`*.pth`) and a `minigpt4.json`: {"vision": BLIP-2's folder or id, "language": the language model's}, and if wanted "vision_revision" and
"language_revision". Folders are relative to that one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from docpipe.backends import Ability, ModelOptions, Question
from docpipe.backends._hf import LocalBackend
from docpipe.backends._hf.caption import one_image
from docpipe.backends._hf.checkpoint import WEIGHTS, Checkpoint
from docpipe.backends._hf.errors import typed
from docpipe.backends._hf.library import torch, transformers
from docpipe.errors import EngineError, UsageError

PARTS = "minigpt4.json"
TURN = "###"
# The words that the projection was trained between.
BEFORE = (
    "Give the following image: <Img>ImageContent</Img>. You will be able to see the image once I provide it to you. "
    "Please answer my questions.###Human: <Img>"
)
AFTER = "</Img> {text}###Assistant:"


class MiniGpt4(LocalBackend):
    """One image a question. What the projection makes of it stands among the words' embeddings."""

    name = "minigpt4"
    takes = frozenset({"llama", "mistral", "qwen2"})

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options)
        self._folder = Path(options.model)
        parts = _parts(self._folder)
        self._files = self._part(parts, "language", self.takes)
        self._eyes = self._part(parts, "vision", {"blip-2"})
        self._look: Any = None

    @property
    def ability(self) -> Ability:
        """Caption grade: it sees 224 x 224 pixels."""
        return Ability(grade="caption")

    @property
    def model_name(self) -> str:
        return f"{self._folder.name}@{self._files.name}+{self._eyes.name}"

    @cached_property
    def processor(self) -> Any:
        """The language model's tokenizer and the tower's image processor."""
        with self._reading, typed("reading the tokenizer"):
            tokenizer = self._files.tokenizer
            tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
            return SimpleNamespace(tokenizer=tokenizer, image_processor=self._eyes.processor.image_processor)

    def image_tokens(self, width: int, height: int) -> int:
        return int(self._eyes.config.num_query_tokens)

    def load(self) -> Any:
        language = self._files.model(transformers().AutoModelForCausalLM)
        eyes = self._eyes.model(_eyes_class())
        projection = _projection(self._folder).to(language.device, language.dtype)
        self._look = lambda pixels: projection(eyes(pixels.to(eyes.dtype)).to(language.dtype))
        return language

    def close(self) -> None:
        super().close()
        self._look = None

    def ends(self, model: Any) -> tuple[int, ...]:
        words = self.processor.tokenizer.get_vocab()
        return (*super().ends(model), *(words[word] for word in (TURN, f"▁{TURN}") if word in words))

    def tidy(self, text: str) -> str:
        return text.partition(TURN)[0].strip()

    def encode(self, questions: Sequence[Question]) -> Any:
        tokenizer, seen = self.processor.tokenizer, self.image_tokens(0, 0)
        before = tokenizer(BEFORE)["input_ids"]
        rows = []
        for question in questions:
            text = self.plain(question.text).replace(TURN, "# # #")
            after = tokenizer(AFTER.format(text=text), add_special_tokens=False)["input_ids"]
            rows.append((before, [tokenizer.pad_token_id] * seen, after))
        lengths = [sum(map(len, row)) for row in rows]
        pad = [max(lengths) - length for length in lengths]
        ids = [[tokenizer.pad_token_id] * more + [*chain(*row)] for more, row in zip(pad, rows, strict=True)]
        images = self.processor.image_processor([one_image(question) for question in questions], return_tensors="pt")
        images["input_ids"] = torch().tensor(ids)
        images["attention_mask"] = torch().tensor([[0] * more + [1] * length for more, length in zip(pad, lengths, strict=True)])
        images["image_starts"] = torch().tensor([more + len(before) for more in pad])
        return images

    def generate(self, model: Any, inputs: Any, **how: Any) -> Any:
        words = model.get_input_embeddings()(inputs["input_ids"])
        for row, start, seen in zip(words, inputs["image_starts"].tolist(), self._look(inputs["pixel_values"]), strict=True):
            row[start : start + len(seen)] = seen
        return model.generate(inputs_embeds=words, attention_mask=inputs["attention_mask"], **how)

    def _part(self, parts: dict[str, str], which: str, takes: Any) -> Checkpoint:
        inside = self._folder / parts[which]
        where = str(inside) if inside.is_dir() else parts[which]
        options = self.options.model_copy(update={"model": where, "revision": parts.get(f"{which}_revision")})
        return Checkpoint(options, takes=takes)


def _parts(folder: Path) -> dict[str, str]:
    try:
        parts = json.loads((folder / PARTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UsageError(f"{folder.name} has no {PARTS} that can be read", hint="docs/models.md says what stands in it") from problem
    if not isinstance(parts, dict) or not {"vision", "language"} <= parts.keys():
        raise UsageError(f"{PARTS} names no vision or no language part", hint="docs/models.md says what stands in it")
    return parts


def _projection(folder: Path) -> Any:
    """The linear layer from what the eyes say to the language model's embeddings, whatever file it came in."""
    file = next((file for pattern in WEIGHTS for file in sorted(folder.glob(pattern))), None)
    if file is None:
        wanted = f"one file of {', '.join(WEIGHTS)} with llama_proj.weight and llama_proj.bias"
        raise EngineError(f"{folder.name} has no projection", hint=wanted)
    with typed(f"reading {file.name}"):
        found = _tensors(file)
        weight, bias = found["llama_proj.weight"], found["llama_proj.bias"]
        layer = torch().nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        return layer


def _tensors(file: Path) -> Any:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    found = torch().load(file, map_location="cpu", weights_only=True)
    return found.get("model", found)


def _eyes_class() -> Any:
    """BLIP-2 without its language model, which is most of it and would be loaded in vain."""
    from transformers.models.blip_2.modeling_blip_2 import Blip2PreTrainedModel, Blip2QFormerModel, Blip2VisionModel

    class Eyes(Blip2PreTrainedModel):  # type: ignore[misc]
        _keys_to_ignore_on_load_unexpected = (r"language_",)

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.vision_model = Blip2VisionModel._from_config(config.vision_config)
            self.query_tokens = torch().nn.Parameter(torch().zeros(1, config.num_query_tokens, config.qformer_config.hidden_size))
            self.qformer = Blip2QFormerModel._from_config(config.qformer_config)
            self.post_init()

        def forward(self, pixel_values: Any) -> Any:
            seen = self.vision_model(pixel_values).last_hidden_state
            asked = self.query_tokens.expand(len(seen), -1, -1)
            return self.qformer(query_embeds=asked, encoder_hidden_states=seen).last_hidden_state

    return Eyes
