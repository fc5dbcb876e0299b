"""What a page is by its picture and its words together: the idea of OSCAR, not OSCAR, of which no maintained code or checkpoint exists.

OSCAR (Li et al. 2020) reads a caption, the names of detected objects as tags, and the features of their regions; the tags, which are words
and yet seen, tie the two others together. Here the tags are the words that are printed on the page, the regions are those of a detector of
transformers, the caption is what a class is called, and a VisualBERT says how well it fits. No VisualBERT was published that knows pages:
one has to be fine-tuned, as `VisualBertForMultipleChoice` on captions of the right and of other classes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from docpipe.backends._hf.errors import typed
from docpipe.backends._hf.library import torch, transformers
from docpipe.backends._hf.pinned import Pinned
from docpipe.classify import NO_OPTIONS, ClassifierOptions, DocumentClass
from docpipe.classify._zero_shot import ZeroShot, best_of_phrases
from docpipe.classify._zero_shot.prompts import options_of, prompts
from docpipe.classify._zero_shot.regions import Detector, Regions
from docpipe.errors import UsageError
from docpipe.records import Box, Word, Words

if TYPE_CHECKING:
    from PIL.Image import Image

DETECTOR = "oscar_detector"
REGIONS = 36  # what VisualBERT was trained with
LONGEST = 256  # tokens of a caption and the tags; more are more of the same page


class OscarClassifier(ZeroShot):
    """The checkpoints are those of DOCPIPE_CHECKPOINTS__OSCAR and DOCPIPE_CHECKPOINTS__OSCAR_DETECTOR."""

    name = "oscar"
    needs_words = True

    def __init__(self, options: ClassifierOptions = NO_OPTIONS) -> None:
        """Raises UsageError where the detector's features are not of the size that the VisualBERT was made for."""
        super().__init__(options)
        self.files = Pinned(options.checkpoint(self.name), takes=frozenset({"visual_bert"}))
        self.detector = Detector(options.checkpoint(DETECTOR))
        if (wanted := self.files.config.visual_embedding_dim) != self.detector.size:
            message = f"{self.detector.files.label} gives {self.detector.size} numbers a region, {self.files.label} takes {wanted}"
            raise UsageError(message, hint="fine-tune the VisualBERT on regions of this detector")
        self._model = self.files.model(transformers().VisualBertForMultipleChoice)
        self._turn = threading.Lock()
        self.check_calibration(f"{self.files.identity}+{self.detector.files.identity}")

    def logits(self, words: Words, image: Image, classes: tuple[DocumentClass, ...]) -> dict[str, float]:
        """An option's is that of its best phrase, in the first template."""
        options = options_of(classes)
        captions = [prompts(phrase)[0] for option in options for phrase in option.phrases]
        regions = self.detector.regions(image, most=REGIONS)
        inputs = self.inputs(captions, tags(words, regions.boxes), regions)
        with self._turn, typed(f"looking with {self.files.label}"), torch().inference_mode():
            return best_of_phrases(options, self._model(**inputs).logits[0].tolist())

    def inputs(self, captions: Sequence[str], tags: str, regions: Regions) -> dict[str, Any]:
        """The choices of one page: each caption with the same tags and regions. Whichever text is longer is cut."""
        limit = min(LONGEST, self.files.config.max_position_embeddings)
        how = {"padding": True, "truncation": "longest_first", "max_length": limit, "return_tensors": "pt"}
        read = self.files.tokenizer(list(captions), [tags] * len(captions), **how)
        seen = regions.features.to(self._model.device).expand(1, len(captions), -1, -1)
        ones = torch().ones(seen.shape[:3], dtype=torch().long, device=seen.device)
        texts = {name: tensor.unsqueeze(0).to(seen.device) for name, tensor in read.items()}
        return {**texts, "visual_embeds": seen, "visual_attention_mask": ones, "visual_token_type_ids": ones}


def tags(words: Words, regions: Sequence[Box]) -> str:
    """The words of the surest region first, then those of the next, and at last those of none; each once, in reading order within."""
    ordered = sorted(words.words, key=lambda word: next(_holding(word, words, regions), len(regions)))
    return " ".join(word.text for word in ordered)


def _holding(word: Word, words: Words, regions: Sequence[Box]) -> Iterator[int]:
    """The regions in which the middle of the word lies."""
    x, y = (word.x0 + word.x1) / 2 / words.width, (word.y0 + word.y1) / 2 / words.height
    return (place for place, (x0, y0, x1, y1) in enumerate(regions) if x0 <= x <= x1 and y0 <= y <= y1)
