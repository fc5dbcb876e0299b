"""What a page is by what SigLIP 2 sees in its picture: each class has odds of its own, so a page may be none."""

from __future__ import annotations

from docpipe.classify._zero_shot import Contrastive
from docpipe.looks.siglip2 import Siglip2


class Siglip2Classifier(Contrastive):
    """The checkpoint is that of DOCPIPE_CHECKPOINTS__SIGLIP2."""

    name = "siglip2"
    embedder = Siglip2
