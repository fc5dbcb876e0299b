"""What a page is by what CLIP sees in its picture."""

from __future__ import annotations

from docpipe.classify._zero_shot import Contrastive
from docpipe.looks.clip import Clip


class ClipClassifier(Contrastive):
    """The checkpoint is that of DOCPIPE_CHECKPOINTS__CLIP."""

    name = "clip"
    embedder = Clip
