"""A text encoder of two small layers with random weights and MiniLM's tokenizer: another one, made in no time."""

import shutil
from pathlib import Path

from models import pretrained

DIMENSION, LAYERS = 32, 2
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def write_tiny_encoder(folder: Path, *, seed: int = 0, vocabulary: int = 30_522) -> Path:
    """Leave it in `folder`, as transformers saves one."""
    import torch
    from transformers import BertConfig, BertModel

    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = BertModel(
            BertConfig(
                vocab_size=vocabulary, hidden_size=DIMENSION, num_hidden_layers=LAYERS, num_attention_heads=2,
                intermediate_size=64, initializer_range=0.2,
            )
        )  # fmt: skip
        network.save_pretrained(folder)
    for file in TOKENIZER:
        shutil.copyfile(pretrained.locate("minilm") / file, folder / file)
    return folder
