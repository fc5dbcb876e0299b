"""What a model is shown of a page: its image and, as a hint, its words; less what must not leave this machine. Knows no question."""

from __future__ import annotations

from dataclasses import dataclass

from PIL.Image import Image

from docpipe.backends import Backend
from docpipe.errors import EngineError
from docpipe.extract.vlm.image import page_image
from docpipe.records import Page, Sent, Words
from docpipe.redact import blacked_out, load_redactor, without
from docpipe.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """The image, the words that go along, and where both go: None where they stay on this machine."""

    image: Image
    hint: Words | None = None
    sent: Sent | None = None


def shown(page: Page, words: Words, backend: Backend, *, dpi: float, hint: bool, redact: str, space: Workspace) -> Shown:
    """What the backend gets of the page. Raises PageError where it has no image, UsageError for a redactor that does not exist, and
    EngineError where what is private cannot be told because nothing of the page could be read."""
    image, said = page_image(page, space), words if hint else None
    if backend.host is None:
        return Shown(image, said)
    if redact:
        redactor = load_redactor(redact)
        if not words.words:
            message = "no word of the page was read, so nothing can be blacked out and nothing is sent"
            raise EngineError(message, page=page.number, hint="leave out --redact, or read it with a local model")
        boxes = list(redactor.boxes(words))
        image, said = blacked_out(image, boxes, dpi=dpi), said and without(said, boxes)
    return Shown(image, said, Sent(host=backend.host, pages=(page.number,), words=hint, redacted=bool(redact)))
