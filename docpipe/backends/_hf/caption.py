"""Families that say in a sentence what one picture shows, or answer a short question about it. They follow no schema and take no
examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docpipe.backends import Ability, Question
from docpipe.backends._hf.local import LocalBackend
from docpipe.errors import UsageError


class CaptionBackend(LocalBackend):
    """One image and one line of text a question, through the family's processor."""

    @property
    def ability(self) -> Ability:
        """Caption grade: the families see a few hundred pixels each way, and were trained on photographs."""
        return Ability(grade="caption")

    def prompt(self, text: str) -> str | None:
        """The text as the family wants to be asked; None where it takes none."""
        return text

    def image_tokens(self, width: int, height: int) -> int:
        return int(getattr(self.processor, "num_query_tokens", 0) or 0)

    def encode(self, questions: Sequence[Question]) -> Any:
        images = [one_image(question) for question in questions]
        texts = [self.prompt(self.plain(question.text)) for question in questions]
        return self.processor(images=images, text=None if None in texts else texts, padding=True, return_tensors="pt")


def one_image(question: Question) -> Any:
    """The question's only image. Raises UsageError where it has none, or several."""
    if len(question.images) != 1:
        raise UsageError(f"a question of {len(question.images)} images; this model takes one")
    return question.images[0]
