"""A checkpoint's processor, for images only. Knows no model.

transformers builds the processor of a family that also takes videos with a video processor, and that needs torchvision. docpipe shows
images: the same processor class without its video part works wherever torchvision is absent, broken or present. Images always go through
Pillow, since torchvision resizes to other pixels.
"""

from __future__ import annotations

import inspect
from typing import Any

from docpipe.backends._hf.library import transformers


def load_processor(where: str, config: Any, **how: Any) -> Any:
    """The processor of the checkpoint at `where`, whose configuration is `config`; `how` are keywords of `from_pretrained`."""
    library = transformers()
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    kind = PROCESSOR_MAPPING.get(type(config), None)
    processor = (image_only(kind) if kind else library.AutoProcessor).from_pretrained(where, backend="pil", **how)
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is not None:
        tokenizer.padding_side = "left"  # an answer is appended: padding on the right would stand between it and its question
    return processor


def image_only(kind: Any) -> Any:
    """The processor class without its video part, under the same name. `__init__` stays the class's own: transformers reads its argument
    names off its code, and drops the chat template where a wrapper hides them."""
    parts = [name for name in kind.get_attributes() if name != "video_processor"]
    video = inspect.signature(kind.__init__).parameters.get("video_processor")
    needs_video = video is not None and video.default is inspect.Parameter.empty

    def from_args_and_dict(cls: Any, /, args: Any, settings: dict[str, Any], **how: Any) -> Any:
        return super(narrowed, cls).from_args_and_dict(args, settings | ({"video_processor": None} if needs_video else {}), **how)

    narrowed: Any = type(
        kind.__name__,
        (kind,),
        {
            "__module__": kind.__module__,
            "video_processor": None,
            "get_attributes": classmethod(lambda cls: parts),
            "from_args_and_dict": classmethod(from_args_and_dict),
        },
    )
    return narrowed
