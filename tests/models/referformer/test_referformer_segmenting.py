"""ReferFormer in the runner: windows, padding of the input, and both ways from logits to masks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_referformer_model import TINY

from deixis.inference.segmenter import Segmenter
from deixis.models.inputs import InputSpec
from deixis.models.referformer.model import ReferFormer
from deixis.text.words import train_tokenizer


@pytest.mark.parametrize("mask_resize", ["cropped", "stretched"])
def test_a_video_of_several_windows(mask_resize):
    inputs = InputSpec(
        short_side=40,
        long_side=80,
        window_length=4,
        window_overlap=1,
        pad_multiple=32 if mask_resize == "cropped" else 1,
        mask_resize=mask_resize,
    )
    torch.manual_seed(0)
    model = ReferFormer(replace(TINY, inputs=inputs), train_tokenizer(["a red square"])).eval()
    frames = np.random.default_rng(0).integers(0, 255, (7, 50, 70, 3), dtype=np.uint8)
    sizes: list[tuple[int, ...]] = []
    model.backbone.register_forward_hook(lambda _module, args, _output: sizes.append(args[0].shape[-2:]))
    results = list(Segmenter(model, device="cpu")(frames, ["the red square", "a square"]))
    assert [result.masks.shape for result in results] == [(2, 50, 70)] * 7
    assert set(sizes) == {(64, 64) if mask_resize == "cropped" else (40, 56)}
    assert all(np.isfinite(result.scores).all() for result in results)
