"""Families that talk in turns, each turn with images: their processor's chat template writes the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from docpipe.backends import Ability, Question
from docpipe.backends._hf.local import LocalBackend
from docpipe.errors import EngineError

if TYPE_CHECKING:
    from PIL.Image import Image


# A4 at 100 dpi has 967,000 pixels; with fewer, letters of 8 points are less than 6 pixels high.
DOCUMENT_PIXELS = 900_000


class ChatBackend(LocalBackend):
    """System, examples and question become the turns of a talk; images stand before the text of their turn."""

    image_options: ClassVar[dict[str, Any]] = {}
    few_shot_types: ClassVar[frozenset[str]] = frozenset()

    @property
    def ability(self) -> Ability:
        """Document grade where an image is seen with at least DOCUMENT_PIXELS; examples for the types that were trained on many images."""
        return Ability(
            grade="document" if self.most_pixels() >= DOCUMENT_PIXELS else "caption",
            constrained=True,
            few_shot=self.config.model_type in self.few_shot_types,
            probabilities=True,
        )

    def most_pixels(self) -> int:
        """The pixels of the largest image that the model sees without shrinking it."""
        width, height = self.fit(1, 1)
        return width * height

    def encode(self, questions: Sequence[Question]) -> Any:
        processor = self.processor
        template = processor.chat_template or processor.tokenizer.chat_template
        if not template:
            raise EngineError(f"{self.model_name} has no chat template", hint="take the checkpoint that was tuned to follow instructions")
        return processor.apply_chat_template(
            [list(self._turns(question)) for question in questions],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True, **self.image_options},
            **({"enable_thinking": False} if "enable_thinking" in str(template) else {}),  # an answer, not the way to it
        )

    def image_tokens(self, width: int, height: int) -> int:
        return int(self.processor._get_num_multimodal_tokens(image_sizes=[(height, width)])["num_image_tokens"][0])

    def _turns(self, question: Question) -> Iterator[dict[str, Any]]:
        if question.system:
            yield self._turn("system", question.system)
        for shot in question.shots:
            yield self._turn("user", shot.text, shot.images)
            yield self._turn("assistant", shot.answer)
        yield self._turn("user", question.text, question.images)

    def _turn(self, role: str, text: str, images: Sequence[Image] = ()) -> dict[str, Any]:
        shown = [{"type": "image", "image": image} for image in images]
        return {"role": role, "content": [*shown, {"type": "text", "text": self.plain(text)}]}
