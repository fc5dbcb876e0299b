"""Tiny checkpoints of the image-text families and of a detector: random weights from a fixed seed, made once per process.

They prove the way from a folder to a vector or a verdict, not that anybody sees anything; `tests/looks` trains one that does.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from checkpoints import SEED, SIDE, TOWER

from docpipe.backends._hf.library import transformers as library

SQUARE = {"height": SIDE, "width": SIDE}
REGION = 32  # numbers of a region
SPREAD = 0.2  # of the weights
BERT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_dropout_prob": 0.0}
CALM = {"attention_probs_dropout_prob": 0.0, "max_position_embeddings": 64}
TEXTS = ["a scan of an invoice, a receipt and a letter", "0123456789.,:-/"]


def tokenizer(texts=TEXTS, *, size=400, pad="[PAD]", whole=()):
    """Byte-level BPE between BERT's marks: any text goes through. `whole` are words that are one token each."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [pad, "[UNK]", "[CLS]", "[SEP]"]  # an end whose number is 2 has a meaning of its own to CLIP
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, special_tokens=special, show_progress=False)
    )
    made.add_tokens([AddedToken(word, single_word=True, normalized=False) for word in whole])
    marks = [(mark, made.token_to_id(mark)) for mark in ("[CLS]", "[SEP]")]
    pair = "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair=pair, special_tokens=marks)
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": pad, "bos_token": "[CLS]", "eos_token": "[SEP]"}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return library().PreTrainedTokenizerFast(tokenizer_object=made, model_input_names=inputs, **names)


def _ids(tokens):
    return {"bos_token_id": tokens.bos_token_id, "eos_token_id": tokens.eos_token_id, "pad_token_id": tokens.pad_token_id}


def _pictures(kind, **how):
    return getattr(library(), f"{kind}Pil")(**how)


def clip(*, side=SIDE, patch=14, wide=32, deep=2, tokens=None, positions=32, projection=16, paper=None):
    tokens = tokens or tokenizer()
    tokens.model_input_names = ["input_ids", "attention_mask"]
    small = {
        "hidden_size": wide,
        "intermediate_size": 2 * wide,
        "num_hidden_layers": deep,
        "num_attention_heads": 2,
        "initializer_range": 0.1,
    }
    text = {**small, "vocab_size": len(tokens), "max_position_embeddings": positions, **_ids(tokens)}
    config = library().CLIPConfig(
        text_config=text, vision_config={**small, "image_size": side, "patch_size": patch}, projection_dim=projection
    )
    square = {"height": side, "width": side}
    pictures = _pictures("CLIPImageProcessor", size={"shortest_edge": side}, crop_size=square, **paper or {})
    return library().CLIPModel(config), pictures, tokens


def align():
    tokens = tokenizer()
    eyes = {"image_size": SIDE, "width_coefficient": 1.0, "depth_coefficient": 0.1, "hidden_dim": 32, "in_channels": [32, 16, 24]}
    eyes |= {"out_channels": [16, 24, 32], "kernel_sizes": [3, 3, 3], "strides": [1, 2, 2], "num_block_repeats": [1, 1, 1]}
    eyes |= {"expand_ratios": [1, 2, 2], "depthwise_padding": []}
    config = library().AlignConfig(
        text_config={"vocab_size": len(tokens), "pad_token_id": tokens.pad_token_id, **BERT, **CALM}, vision_config=eyes, projection_dim=32
    )
    pictures = _pictures("EfficientNetImageProcessor", size={"height": 80, "width": 80}, do_center_crop=True, crop_size=SQUARE)
    return library().AlignModel(config), pictures, tokens


def siglip2():
    vocabulary = [*("<pad>", "<eos>", "<bos>", "<unk>", "<mask>"), *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens = library().Siglip2Tokenizer(vocab={token: place for place, token in enumerate(vocabulary)}, padding_side="right")
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**small, "vocab_size": len(tokens), "max_position_embeddings": 64, "projection_size": 32, **_ids(tokens)}
    config = library().Siglip2Config(text_config=text, vision_config={**small, "patch_size": 14, "num_patches": 16})
    return library().Siglip2Model(config), _pictures("Siglip2ImageProcessor", patch_size=14, max_num_patches=16), tokens


def blip():
    tokens = tokenizer()
    text = {"vocab_size": len(tokens), "encoder_hidden_size": 32, **BERT, **CALM, **_ids(tokens), "sep_token_id": tokens.sep_token_id}
    config = library().BlipConfig(vision_config=TOWER, text_config=text, projection_dim=16, image_text_hidden_size=16)
    return library().BlipForImageTextRetrieval(config), _pictures("BlipImageProcessor", size=SQUARE), tokens


def oscar(*, tokens=None, region=REGION):
    tokens = tokens or tokenizer()
    config = library().VisualBertConfig(
        vocab_size=len(tokens), visual_embedding_dim=region, pad_token_id=tokens.pad_token_id, **BERT, **CALM
    )
    return library().VisualBertForMultipleChoice(config), None, tokens


def yolos(*, region=REGION):
    small = {"hidden_size": region, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = library().YolosConfig(**small, image_size=[SIDE, SIDE], patch_size=14, num_detection_tokens=8, num_labels=3)
    return library().YolosForObjectDetection(config), _pictures("YolosImageProcessor", size={"height": SIDE, "width": SIDE}), None


def rt_detr():
    eyes = {"embedding_size": 16, "hidden_sizes": [16, 16, 32, 32], "depths": [1, 1, 1, 1], "layer_type": "basic"}
    backbone = library().RTDetrResNetConfig(**eyes, out_features=["stage2", "stage3", "stage4"])
    config = library().RTDetrConfig(
        backbone_config=backbone, encoder_in_channels=[16, 32, 32], encoder_hidden_dim=32, encoder_ffn_dim=32, encoder_attention_heads=2,
        d_model=REGION, num_queries=8, decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=1, decoder_attention_heads=2,
        decoder_n_points=2, num_denoising=0, num_labels=3,
    )  # fmt: skip
    return library().RTDetrForObjectDetection(config), _pictures("RTDetrImageProcessor", size={"height": 64, "width": 64}), None


MAKERS = {maker.__name__: maker for maker in (clip, align, siglip2, blip, oscar, yolos, rt_detr)}


@functools.cache
def _home():
    folder = tempfile.mkdtemp(prefix="docpipe-looking-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.cache
def checkpoint(name, **how):
    """The folder of a checkpoint of this family."""
    import torch

    torch.manual_seed(SEED)
    model, *parts = MAKERS[name](**how)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                weights.normal_(0, SPREAD)  # as they come, all texts are about the same to a model
    return save(_home() / "-".join([name, *map(str, how.values())]), model, *parts)


def save(folder, *parts):
    """The model, its image processor and its tokenizer in a folder; what is None is left out."""
    for part in parts:
        if part is not None:
            part.save_pretrained(folder)
    return folder
