"""Idefics, the open Flamingo, which reads texts with images strewn in; and Idefics3, which talks in turns and sees a page in tiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from docpipe.backends import Question
from docpipe.backends._hf import ChatBackend

END_OF_TURN = "<end_of_utterance>"


class Idefics(ChatBackend):
    """Both were trained on texts with many images, so examples help them."""

    name = "idefics"
    takes = frozenset({"idefics", "idefics3"})
    few_shot_types = takes

    def fit(self, width: int, height: int) -> tuple[int, int]:
        images = self.processor.image_processor
        if self._is_flamingo:
            return images.image_size, images.image_size
        tile, most = images.max_image_size["longest_edge"], images.size["longest_edge"]
        longest = max(tile, most // tile * tile)
        scale = longest / max(width, height)
        return _tiles(width * scale, tile, longest), _tiles(height * scale, tile, longest)

    def image_tokens(self, width: int, height: int) -> int:
        return 1 if self._is_flamingo else super().image_tokens(width, height)  # the first is looked at from within, beside the text

    def ends(self, model: Any) -> tuple[int, ...]:
        tokenizer = self.processor.tokenizer
        ended = tokenizer.convert_tokens_to_ids(END_OF_TURN) if END_OF_TURN in tokenizer.get_vocab() else None
        return tuple(dict.fromkeys(token for token in (*super().ends(model), ended) if token is not None))

    def encode(self, questions: Sequence[Question]) -> Any:
        if not self._is_flamingo:
            return super().encode(questions)
        return self.processor(text=[list(self._strewn(question)) for question in questions], padding=True, return_tensors="pt")

    @property
    def _is_flamingo(self) -> bool:
        return bool(self.config.model_type == "idefics")

    def _strewn(self, question: Question) -> Iterator[Any]:
        """Texts and images by turns. The processor fetches what looks like an address: no text of a question stands alone, and each has a
        space in it, so that none ever does."""
        end = END_OF_TURN if END_OF_TURN in self.processor.tokenizer.get_vocab() else ""
        for shot in question.shots:
            yield from ("User:", *shot.images, f"{self.plain(shot.text)} {end}\nAssistant: {self.plain(shot.answer)} {end}\n")
        text = f"{question.system}\n{question.text}" if question.system else question.text
        yield from ("User:", *question.images, f"{self.plain(text)} {end}\nAssistant:")


def _tiles(side: float, tile: int, longest: int) -> int:
    return min(longest, max(1, math.ceil(round(side) / tile)) * tile)
