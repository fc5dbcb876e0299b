"""BLIP-2: a frozen tower and a frozen language model, with a small transformer between them that asks the tower 32 questions."""

from __future__ import annotations

from docpipe.backends._hf import CaptionBackend


class Blip2(CaptionBackend):
    """Asked in the form it was trained on; without a text it says what it sees."""

    name = "blip2"
    takes = frozenset({"blip-2"})

    def prompt(self, text: str) -> str | None:
        return f"Question: {text} Answer:" if text else ""
