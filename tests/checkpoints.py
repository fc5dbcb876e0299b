"""Tiny checkpoints of every family, made on the spot: random weights from a fixed seed, a byte-level tokenizer, a few hundred kilobytes.

They prove the way from a folder to an answer, not that anybody can read.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from docpipe.backends._hf.library import transformers as library
from docpipe.backends._hf.processor import image_only

SEED = 11
SIDE = 56  # pixels that the small towers see
QWEN_MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
QWEN_CHAT = (
    "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{% for part in turn.content %}{% if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN_CHAT = (
    "{% for turn in messages %}{{ turn.role }}: {% for part in turn.content %}{% if part.type == 'image' %}<image>{% else %}"
    "{{ part.text }}{% endif %}{% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)
TEXTS = [
    '{"invoice_number": "INV-1234", "issue_date": "2026-01-31", "line_items": [{"amount": "9.99"}]}',
    "user reads the page and answers",
]
LANGUAGE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
}
TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 14}
SQUARE = {"height": SIDE, "width": SIDE}


def tokenizer(*marks, end="</s>", pad="<pad>", **named):
    """Byte-level BPE with a few merges: any text goes through and back."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, show_progress=False))
    made.add_special_tokens(list(dict.fromkeys((pad, end, *marks))))
    return library().PreTrainedTokenizerFast(tokenizer_object=made, eos_token=end, pad_token=pad, padding_side="left", **named)


def _ids(tokens):
    return {"eos_token_id": tokens.eos_token_id, "pad_token_id": tokens.pad_token_id, "bos_token_id": tokens.bos_token_id}


def _pillow(kind, **how):
    return getattr(library(), f"{kind}Pil")(**how)


def _qwen(family, *, merged):
    tokens = tokenizer(*QWEN_MARKS, end="<|im_end|>", pad="<|endoftext|>")
    number = tokens.convert_tokens_to_ids
    patch = merged // 2
    text = {**LANGUAGE, "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "vocab_size": len(tokens), **_ids(tokens)}
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    tower = {"depth": 2, "num_heads": 2, "patch_size": patch, "spatial_merge_size": 2, "temporal_patch_size": 2}
    wide = {"hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 64}
    if family == "Qwen2VL":
        tower |= {"embed_dim": 32, "hidden_size": 64, "mlp_ratio": 2}
    elif family == "Qwen2_5_VL":
        tower |= {**wide, "window_size": 8 * patch, "fullatt_block_indexes": [1]}
    else:
        text["rope_parameters"]["mrope_interleaved"] = True
        text["head_dim"] = 16
        tower |= {**wide, "num_position_embeddings": 256, "deepstack_visual_indexes": [0]}
    config = getattr(library(), f"{family}Config")(
        text_config=text,
        vision_config=tower,
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )
    pictures = _pillow("Qwen2VLImageProcessor", patch_size=patch, size={"shortest_edge": 56 * 56, "longest_edge": 512 * 512})
    processor = image_only(getattr(library(), f"{family}Processor"))(pictures, tokens, chat_template=QWEN_CHAT)
    return getattr(library(), f"{family}ForConditionalGeneration")(config), processor


def qwen2_vl():
    return _qwen("Qwen2VL", merged=28)


def qwen2_5_vl():
    return _qwen("Qwen2_5_VL", merged=28)


def qwen3_vl():
    return _qwen("Qwen3VL", merged=32)


MAKERS = {maker.__name__: maker for maker in (qwen2_vl, qwen2_5_vl, qwen3_vl)}
BACKENDS = {"qwen2_vl": "qwen_vl", "qwen2_5_vl": "qwen_vl", "qwen3_vl": "qwen_vl"}


@functools.cache
def _home():
    folder = tempfile.mkdtemp(prefix="docpipe-checkpoints-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def checkpoint(name, *, seed=SEED):
    """The folder of a checkpoint of this family; made once per process."""
    folder = Path(_home(), f"{name}-{seed}")
    import torch

    torch.manual_seed(seed)
    model, processor = MAKERS[name]()
    model.eval()
    tokens = processor.tokenizer
    model.generation_config = library().GenerationConfig(**_ids(tokens))
    with torch.no_grad():
        for weights in model.parameters():  # wider than a library starts with: else every answer is one token over and over
            if weights.dim() > 1:
                weights.normal_(0, 0.2)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
