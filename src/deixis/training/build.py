"""The model of a recipe, before its first step."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from deixis.backbones import resnet, swin
from deixis.backbones.video_swin import kinetics_state_dict
from deixis.data.records import VideoRecord
from deixis.errors import RecipeError, UnknownNameError
from deixis.models.base import ReferringModel
from deixis.models.loading import start
from deixis.models.registry import family_part, find_variant
from deixis.ops.weights import fit_weights, read_weights
from deixis.text.bert import BertEncoder, bert_state_dict
from deixis.text.tokenizer import Tokenizer

from .following import TrainedPropagator, build_propagator, is_propagator
from .recipe import Recipe
from .sources import ClipSource

TOKENIZER = "tokenizer.json"
PAD_TOKEN = "<pad>"
NUM_VOCABULARY_VIDEOS = 1000
"""Videos of each source whose expressions make the vocabulary of a tokenizer trained here."""


def check_model(recipe: Recipe) -> tuple[str, Any]:
    """Return the family and config of the recipe's model.

    Raises:
        RecipeError: there is no such variant; the closest names are offered.
    """
    try:
        return find_variant(recipe.model)
    except UnknownNameError as error:
        raise RecipeError(f"recipe {recipe.name}: {error}") from error


def build_model(
    recipe: Recipe, sources: Sequence[ClipSource], out: Path | None
) -> ReferringModel | TrainedPropagator:
    """Build the recipe's model with its weights and its tokenizer; of a propagator, its network.

    A tokenizer that is trained here is kept in the folder of the run, so that going on takes the same one.

    Args:
        recipe: names the variant.
        sources: their expressions make the vocabulary of an encoder that starts from nothing.
        out: folder of the run to go on with; None: a new run.

    Raises:
        RecipeError: there is no such variant or part, or nothing to make its tokenizer from.
        CheckpointError: initial weights that are broken, unsafe, or do not fit.
    """
    if is_propagator(recipe.model):
        propagator = build_propagator(recipe)
        for part, path in recipe.init_parts.items():
            load_part(propagator.network, part, Path(path))
        return propagator
    family, config = check_model(recipe)
    if recipe.init_from:
        model = start(
            recipe.model, recipe.init_from, fresh=recipe.init_fresh, tokenizer=recipe.tokenizer or None
        )
    else:
        model = family_part(family, "model").MODEL(config)
    for part, path in recipe.init_parts.items():
        load_part(model, part, Path(path))
    if model.tokenizer is None:
        model.tokenizer = find_tokenizer(recipe, sources, out, getattr(config, "text_encoder", ""))
    return model


def load_part(model: nn.Module, part: str, path: Path) -> None:
    """Load pretrained weights into one part of ``model``.

    Args:
        model: has the part as an attribute.
        part: "backbone" (a Kinetics-400 file of Video Swin, an ImageNet file of Swin or ResNet),
            "text_encoder" (a file of RoBERTa or BERT), "text_pooler" (of RoBERTa), or any part with a file
            of its own names.
        path: the file.

    Raises:
        RecipeError: the model has no such part.
        CheckpointError: the file is broken, unsafe, or does not fit.
    """
    module = getattr(model, part, None)
    if not isinstance(module, nn.Module):
        parts = [name for name, _ in model.named_children()]
        raise RecipeError(str(UnknownNameError("init_parts: part of the model", part, parts)))
    tensors = read_weights(path)
    if any(name.startswith("backbone.patch_embed.") for name in tensors):
        tensors = kinetics_state_dict(tensors, len(getattr(module, "channels", ())))
    elif "layers.0.blocks.0.attn.qkv.weight" in tensors:
        tensors = swin.imagenet_state_dict(tensors)
    elif "layer1.0.conv1.weight" in tensors:
        tensors = resnet.imagenet_state_dict(tensors)
        stages = {name for name, _ in module.named_children()}  # perhaps the first of them alone
        tensors = {name: value for name, value in tensors.items() if name.split(".")[0] in stages}
    elif isinstance(module, BertEncoder):
        tensors = bert_state_dict(tensors, module.state_dict())
    elif any("embeddings.word_embeddings" in name for name in tensors):
        tensors = pooler_state_dict(tensors) if part == "text_pooler" else roberta_state_dict(tensors)
    fit_weights(module, tensors, str(path), [])


def roberta_state_dict(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn a file of RoBERTa, with or without its language head, into our encoder's names."""
    bare = {name.removeprefix("roberta."): value for name, value in published.items()}
    return {
        f"encoder.{name}": value
        for name, value in bare.items()
        if name.startswith(("embeddings.", "encoder.")) and not name.endswith("position_ids")
    }


def pooler_state_dict(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take the pooler of a file of RoBERTa, in our pooler's names."""
    prefix = "pooler.dense."
    bare = {name.removeprefix("roberta."): value for name, value in published.items()}
    return {name.replace(prefix, "linear."): value for name, value in bare.items() if name.startswith(prefix)}


def find_tokenizer(
    recipe: Recipe, sources: Sequence[ClipSource], out: Path | None, text_encoder: str
) -> Tokenizer:
    """Read the recipe's tokenizer, or train one for an encoder that starts from nothing.

    Raises:
        RecipeError: the text encoder is a pretrained one, and the recipe names no tokenizer file for it.
    """
    if recipe.tokenizer:
        path = Path(recipe.tokenizer)
        if not path.is_file():
            raise RecipeError(f"there is no tokenizer file {path}; set the recipe field tokenizer")
        return Tokenizer.from_file(path)
    if not text_encoder.startswith("words"):
        raise RecipeError(
            f"the text encoder {text_encoder} needs its own tokenizer; set the recipe field tokenizer to its "
            "tokenizer.json"
        )
    from deixis.text.words import MAX_TOKENS, train_tokenizer

    if out is not None and (out / TOKENIZER).is_file():
        return Tokenizer.from_file(out / TOKENIZER, pad_token=PAD_TOKEN, max_tokens=MAX_TOKENS)
    return train_tokenizer(expression for source in sources for expression in _expressions(source.records))


def _expressions(records: Sequence[VideoRecord]) -> Iterator[str]:
    for index in range(min(len(records), NUM_VOCABULARY_VIDEOS)):
        for expression in records[index].expressions:
            yield expression.text
