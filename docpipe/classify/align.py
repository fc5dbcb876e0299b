"""What a page is by what ALIGN sees in its picture."""

from __future__ import annotations

from docpipe.classify._zero_shot import Contrastive
from docpipe.looks.align import Align


class AlignClassifier(Contrastive):
    """The checkpoint is that of DOCPIPE_CHECKPOINTS__ALIGN."""

    name = "align"
    embedder = Align
