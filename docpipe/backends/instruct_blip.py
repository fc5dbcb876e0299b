"""InstructBLIP: BLIP-2 whose 32 questions to the picture depend on what it was told to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docpipe.backends import Question
from docpipe.backends._hf import CaptionBackend


class InstructBlip(CaptionBackend):
    """Takes the instruction as it is."""

    name = "instruct_blip"
    takes = frozenset({"instructblip"})

    def encode(self, questions: Sequence[Question]) -> Any:
        """The instruction goes to two readers. The one that asks the picture counts positions from the first token, so that it must be
        padded on the right, while the processor pads both alike."""
        inputs = super().encode(questions)
        texts = [self.plain(question.text) for question in questions]
        asked = self.processor.qformer_tokenizer(texts, padding=True, padding_side="right", return_tensors="pt")
        inputs["qformer_input_ids"], inputs["qformer_attention_mask"] = asked["input_ids"], asked["attention_mask"]
        return inputs
