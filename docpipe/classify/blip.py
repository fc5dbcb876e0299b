"""What a page is by BLIP's head for matching, which looks at the picture and a text together: a pass for each text, and no vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docpipe.classify import NO_OPTIONS, ClassifierOptions, DocumentClass
from docpipe.classify._zero_shot import ZeroShot, best_of_phrases
from docpipe.classify._zero_shot.prompts import options_of, prompts
from docpipe.looks.blip import Blip
from docpipe.records import Words

if TYPE_CHECKING:
    from PIL.Image import Image


class BlipClassifier(ZeroShot):
    """The checkpoint is that of DOCPIPE_CHECKPOINTS__BLIP."""

    name = "blip"
    alone = True

    def __init__(self, options: ClassifierOptions = NO_OPTIONS) -> None:
        super().__init__(options)
        self.looks = Blip(options.checkpoint(self.name))
        self.check_calibration(self.looks.identity)

    def logits(self, words: Words, image: Image, classes: tuple[DocumentClass, ...]) -> dict[str, float]:
        """An option's is that of its best phrase, in the first template."""
        options = options_of(classes)
        return best_of_phrases(options, self.looks.matches(image, [prompts(phrase)[0] for option in options for phrase in option.phrases]))
