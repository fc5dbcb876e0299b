"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL and the Qwen models after them that see: images at any size, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, ClassVar

from docpipe.backends import Ability, ModelOptions, Question
from docpipe.backends._families import QWEN, Family
from docpipe.backends._hf import ChatBackend
from docpipe.errors import EngineError, UsageError

FIRST = "Qwen/Qwen-VL"  # of 2023: its code comes with its weights


class QwenVl(ChatBackend):
    """Sees an image in squares of `Family.factor` pixels, one token each. docpipe resizes; the processor no more."""

    name = "qwen_vl"
    takes = frozenset(QWEN)
    image_options: ClassVar[dict[str, Any]] = {"do_resize": False}

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options)
        if options.model.removesuffix("-Chat") == FIRST:
            raise EngineError(
                f"{options.model} needs code that comes with it, which is never run", hint="its successor is Qwen/Qwen3-VL-8B-Instruct"
            )

    @property
    def ability(self) -> Ability:
        """Document grade, whatever the size: the families see small print at its own resolution."""
        self.config  # noqa: B018 (raises where something else lies there)
        return Ability(grade="document", constrained=True, few_shot=True, probabilities=True)

    @property
    def family(self) -> Family:
        """The family's rules, with the bounds that this checkpoint sets, and those of the options."""
        images = self.processor.image_processor
        least, most = images.size["shortest_edge"], images.size["longest_edge"]
        return replace(
            QWEN[self.config.model_type],
            factor=images.patch_size * images.merge_size,
            least=least,
            most=min(most, self.options.pixels or most),
        )

    def fit(self, width: int, height: int) -> tuple[int, int]:
        return self.family.fit(width, height)

    def image_tokens(self, width: int, height: int) -> int:
        return self.family.tokens(width, height)

    def encode(self, questions: Sequence[Question]) -> Any:
        factor = self.family.factor
        for question in questions:
            for image in (*question.images, *chain(*(shot.images for shot in question.shots))):
                if image.width % factor or image.height % factor:
                    size = f"{image.width} x {image.height}"
                    raise UsageError(f"an image of {size} is not in whole squares of {factor}", hint="hand it over as fit says")
        return super().encode(questions)
