"""BLIP: a caption of a picture, or a word or two in answer to a question, by which of the two checkpoints it is."""

from __future__ import annotations

from typing import Any

from docpipe.backends import ModelOptions
from docpipe.backends._hf import CaptionBackend
from docpipe.backends._hf.library import transformers

ANSWERS = "BlipForQuestionAnswering"


class Blip(CaptionBackend):
    """One question at a time: BLIP counts its positions from the first token, padding included."""

    name = "blip"
    takes = frozenset({"blip"})

    def __init__(self, options: ModelOptions) -> None:
        super().__init__(options.model_copy(update={"batch": 1}))

    def prompt(self, text: str) -> str | None:
        return text if self._answers else None

    def load(self) -> Any:
        return self._files.model(getattr(transformers(), ANSWERS) if self._answers else None)

    def ends(self, model: Any) -> tuple[int, ...]:
        return (model.config.text_config.sep_token_id,)

    @property
    def _answers(self) -> bool:
        return ANSWERS in (self.config.architectures or ())
