"""Published parameter names that systems built on Deformable DETR share, as patterns beside ours."""


def deformable_pairs(published: str, ours: str) -> list[tuple[str, str]]:
    """Return the names of a deformable attention."""
    names = {
        "sampling_offsets": "offsets",
        "attention_weights": "weights",
        "value_proj": "value_projection",
        "output_proj": "out_projection",
    }
    return [(f"{published}.{theirs}.*", f"{ours}.{mine}.*") for theirs, mine in names.items()]


def attention_pairs(published: str, ours: str) -> list[tuple[str, str]]:
    """Return the names of PyTorch's attention."""
    return [
        (f"{published}.in_proj_*", f"{ours}.in_projection.*"),
        (f"{published}.out_proj.*", f"{ours}.out_projection.*"),
    ]


def layer_pairs(published: str, ours: str, *norms: str) -> list[tuple[str, str]]:
    """Return the names of a layer's feed-forward and norms, ours in the order of their numbers."""
    pairs = [(f"{published}.norm{index}.*", f"{ours}.{norm}.*") for index, norm in enumerate(norms, start=1)]
    pairs.append((f"{published}.linear1.*", f"{ours}.feedforward.expand.*"))
    pairs.append((f"{published}.linear2.*", f"{ours}.feedforward.reduce.*"))
    return pairs


def swin_pairs(published: str) -> list[tuple[str, str]]:
    """Return the names of a Swin as backbone, but for its merges of cells."""
    block, ours = f"{published}.layers.*.blocks.*", "backbone.stages.*.blocks.*"
    return [
        (f"{published}.patch_embed.proj.*", "backbone.patch_embed.projection.*"),
        (f"{published}.patch_embed.norm.*", "backbone.patch_embed.norm.*"),
        (f"{block}.norm1.*", f"{ours}.norm1.*"),
        (f"{block}.norm2.*", f"{ours}.norm2.*"),
        (f"{block}.attn.qkv.*", f"{ours}.attention.qkv.*"),
        (f"{block}.attn.proj.*", f"{ours}.attention.projection.*"),
        (f"{block}.attn.relative_position_bias_table", f"{ours}.attention.relative_position_bias_table"),
        (f"{block}.mlp.fc1.*", f"{ours}.mlp.linear1.*"),
        (f"{block}.mlp.fc2.*", f"{ours}.mlp.linear2.*"),
        *((f"{published}.norm{stage}.*", f"backbone.norms.{stage}.*") for stage in range(4)),
    ]


def swin_merge_pair(published: str) -> tuple[str, str]:
    """Return the names of the merges of cells of a Swin for images."""
    return (f"{published}.layers.*.downsample.**", "backbone.merges.*.**")
