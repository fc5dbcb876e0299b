"""InstructBLIP: BLIP-2 whose 32 questions to the picture depend on what it was told to do."""

from __future__ import annotations

from docpipe.backends._hf import CaptionBackend


class InstructBlip(CaptionBackend):
    """Takes the instruction as it is."""

    name = "instruct_blip"
    takes = frozenset({"instructblip"})
