"""SAM 3 with its published weights: from a folder of ``transformers``, or from the hub when it is named."""

import json
from dataclasses import replace
from pathlib import Path

from deixis.ops.hub import load_pretrained
from deixis.text.tokenizer import Tokenizer

from .config import Sam3Config
from .model import Sam3

TOKENIZER = "tokenizer.json"
PAD_TOKEN = "<|endoftext|>"
"""Of CLIP's tokenizer, which ends and fills sentences by one token."""


def load(folder: Path, config: Sam3Config) -> Sam3:
    """Build the model that a folder of ``transformers`` holds.

    Args:
        folder: as ``save_pretrained`` writes it.
        config: of the variant; the network is the folder's.

    Raises:
        CheckpointError: weights that are missing, broken or of another network.
    """
    network = load_pretrained(folder, "Sam3VideoModel", ("sam3_video",))
    found = replace(config, network=json.loads(network.config.to_json_string()))
    model = Sam3(found, network=network)
    if (folder / TOKENIZER).is_file():
        model.tokenizer = Tokenizer.from_file(
            folder / TOKENIZER, pad_token=PAD_TOKEN, max_tokens=config.max_tokens
        )
    return model
