"""Tiny checkpoints of every family, made on the spot: random weights from a fixed seed, a byte-level tokenizer, a few hundred kilobytes.

They prove the way from a folder to an answer, not that anybody can read.
"""

import atexit
import functools
import json
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


def _llama(tokens):
    return {"model_type": "llama", "vocab_size": len(tokens), **LANGUAGE, **_ids(tokens)}


def _opt(tokens):
    small = {"hidden_size": 32, "ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "word_embed_proj_dim": 32}
    return {"model_type": "opt", "vocab_size": len(tokens), "max_position_embeddings": 1024, **small, **_ids(tokens)}


def _llava(tokens):
    return {
        "vision_config": {"model_type": "clip_vision_model", "projection_dim": 16, **TOWER},
        "text_config": _llama(tokens),
        "image_token_id": tokens.convert_tokens_to_ids("<image>"),
        "vision_feature_layer": -1,
    }


def llava():
    tokens = tokenizer("<image>")
    config = library().LlavaConfig(**_llava(tokens))
    pictures = _pillow("CLIPImageProcessor", size={"shortest_edge": SIDE}, crop_size=SQUARE)
    processor = library().LlavaProcessor(
        pictures, tokens, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1, chat_template=PLAIN_CHAT
    )
    return library().LlavaForConditionalGeneration(config), processor


CANVASES = [[56, 56], [56, 112], [112, 56], [112, 112]]


def llava_next():
    tokens = tokenizer("<image>")
    config = library().LlavaNextConfig(
        **_llava(tokens),
        image_grid_pinpoints=CANVASES,
    )
    pictures = _pillow("LlavaNextImageProcessor", size={"shortest_edge": SIDE}, crop_size=SQUARE, image_grid_pinpoints=CANVASES)
    processor = library().LlavaNextProcessor(
        pictures, tokens, patch_size=14, vision_feature_select_strategy="default", num_additional_image_tokens=1, chat_template=PLAIN_CHAT
    )
    return library().LlavaNextForConditionalGeneration(config), processor


def llava_onevision():
    tokens = tokenizer("<image>", "<video>")
    canvases = [*CANVASES, [1120, 1120]]
    config = library().LlavaOnevisionConfig(
        vision_config={"model_type": "siglip_vision_model", "vision_use_head": False, **TOWER},
        text_config={"model_type": "qwen2", "vocab_size": len(tokens), **LANGUAGE, **_ids(tokens)},
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        video_token_id=tokens.convert_tokens_to_ids("<video>"),
        vision_feature_layer=-1,
        image_grid_pinpoints=canvases,
    )
    pictures = _pillow("LlavaOnevisionImageProcessor", size=SQUARE, image_grid_pinpoints=canvases)
    processor = image_only(library().LlavaOnevisionProcessor)(
        pictures, tokens, num_image_tokens=16, vision_feature_select_strategy="full", chat_template=PLAIN_CHAT
    )
    return library().LlavaOnevisionForConditionalGeneration(config), processor


def idefics():
    tokens = tokenizer("<s>", "<image>", "<fake_token_around_image>", "<end_of_utterance>", bos_token="<s>")
    small = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    tower = {"embed_dim": 32, "image_size": SIDE, "patch_size": 14, **small}
    config = library().IdeficsConfig(
        vocab_size=len(tokens) - 2,
        additional_vocab_size=2,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        cross_layer_interval=1,
        qk_layer_norms=False,
        use_resampler=False,
        vision_config=tower,
        alpha_initializer="ones",
        **_ids(tokens),
    )
    processor = library().IdeficsProcessor(_pillow("IdeficsImageProcessor", image_size=SIDE), tokens, image_size=SIDE)
    return library().IdeficsForVisionText2Text(config), processor


def idefics3():
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 4) for column in range(1, 4)]
    tokens = tokenizer("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *rows)
    config = library().Idefics3Config(
        vision_config=dict(TOWER),
        text_config=_llama(tokens),
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokens.pad_token_id,
    )
    pictures = _pillow("Idefics3ImageProcessor", size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE})
    processor = library().Idefics3Processor(pictures, tokens, image_seq_len=4, chat_template=PLAIN_CHAT)
    return library().Idefics3ForConditionalGeneration(config), processor


def _blip(kind):
    tokens = tokenizer("[CLS]", "[SEP]", "[DEC]")
    number = tokens.convert_tokens_to_ids
    small = {key: value for key, value in LANGUAGE.items() if key != "num_key_value_heads"} | {"max_position_embeddings": 512}
    ends = {"bos_token_id": number("[DEC]"), "sep_token_id": number("[SEP]"), "eos_token_id": number("[SEP]")}
    config = library().BlipConfig(
        vision_config={**TOWER, "projection_dim": 16},
        text_config={"vocab_size": len(tokens), "encoder_hidden_size": 32, "pad_token_id": tokens.pad_token_id, **small, **ends},
        projection_dim=16,
    )
    return getattr(library(), kind)(config), library().BlipProcessor(_pillow("BlipImageProcessor", size=SQUARE), tokens)


def blip():
    return _blip("BlipForConditionalGeneration")


def blip_vqa():
    return _blip("BlipForQuestionAnswering")


def _former():
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return {**small, "encoder_hidden_size": 32, "vocab_size": 400}


def blip2():
    tokens = tokenizer("<image>")
    config = library().Blip2Config(
        vision_config=TOWER,
        qformer_config=_former(),
        text_config=_opt(tokens),
        num_query_tokens=8,
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
    )
    processor = library().Blip2Processor(_pillow("BlipImageProcessor", size=SQUARE), tokens, num_query_tokens=8)
    return library().Blip2ForConditionalGeneration(config), processor


def instruct_blip():
    tokens, asking = tokenizer("<image>"), tokenizer()
    config = library().InstructBlipConfig(
        vision_config=TOWER,
        qformer_config=_former(),
        text_config=_opt(tokens),
        num_query_tokens=8,
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
    )
    processor = library().InstructBlipProcessor(_pillow("BlipImageProcessor", size=SQUARE), tokens, asking, num_query_tokens=8)
    return library().InstructBlipForConditionalGeneration(config), processor


def language():
    """What MiniGPT-4 writes with."""
    tokens = tokenizer("###")
    return library().LlamaForCausalLM(library().LlamaConfig(**_llama(tokens))), tokens


def _minigpt4(folder):
    """The folder that puts the parts together."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    parts = {"vision": str(checkpoint("blip2")), "language": str(checkpoint("language"))}
    (folder / "minigpt4.json").write_text(json.dumps(parts), encoding="utf-8")
    torch.manual_seed(SEED)
    save_file({"llama_proj.weight": torch.randn(32, 32), "llama_proj.bias": torch.randn(32)}, folder / "projection.safetensors")
    return folder


MAKERS = (qwen2_vl, qwen2_5_vl, qwen3_vl, llava, llava_next, llava_onevision, idefics, idefics3)
MAKERS = {maker.__name__: maker for maker in (*MAKERS, blip, blip_vqa, blip2, instruct_blip, language)}
BACKENDS = {name: name for name in ("llava", "idefics", "blip", "blip2", "instruct_blip", "minigpt4")}
BACKENDS |= dict.fromkeys(("qwen2_vl", "qwen2_5_vl", "qwen3_vl"), "qwen_vl") | dict.fromkeys(("llava_next", "llava_onevision"), "llava")
BACKENDS |= {"idefics3": "idefics", "blip_vqa": "blip"}


@functools.cache
def _home():
    folder = tempfile.mkdtemp(prefix="docpipe-checkpoints-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def checkpoint(name, *, spread=0.2):
    """The folder of a checkpoint of this family, made once per process. With little `spread` of its weights a model says one thing over and
    over."""
    folder = Path(_home(), f"{name}-{spread}")
    if name == "minigpt4":
        return _minigpt4(folder)
    import torch

    torch.manual_seed(SEED)
    model, processor = MAKERS[name]()
    model.eval()
    tokens = getattr(processor, "tokenizer", processor)
    model.generation_config = library().GenerationConfig(**_ids(tokens))
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                weights.normal_(0, spread)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
