"""The motion baseline: everything that moves by itself is the answer, whatever the sentence.

    flow forward ─┐                        ┌─ (colours of what moved so far) ─ (GrabCut) ─┐
                  ├─► smaller magnitude ─► threshold ─────────────────────────────────────┴─► one mask for all
    flow backward ┘

No weights, no training, no language: the floor that a trained model must beat on real clips, and a way to a
mask where there is none. It fails where the object stands still or the background moves (water, foliage), and
where several things move.

Axes: b clips, e expressions, t frames, m motion channels, k chosen candidates, H W pixels of the input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from deixis.errors import TrainingError
from deixis.flow.cuts import is_cut
from deixis.models.base import FrameMasks, ReferringModel
from deixis.structures import Clip, Target, TextFeatures, Tokens, Trajectories, VideoFeatures, check_pairing
from deixis.text.tokenizer import Tokenizer
from deixis.text.words import train_tokenizer

from .colour import add_colours, empty_histograms, place_edge
from .config import MotionBaselineConfig
from .seed import LIMIT, seed_logits

NO_OPINION = 0.5
"""The score of every answer: how well it fits the sentence is not known."""


@dataclass(frozen=True)
class MotionFeatures(VideoFeatures):
    """The seeds of every frame as the only map, and the frames.

    Attributes:
        pixels: ``uint8 [b, t, 3, H, W]``.
        chosen: indices of the frames to answer for; None: all.
    """

    pixels: UInt8[Tensor, "b t 3 H W"]
    chosen: tuple[int, ...] | None = None


class MotionBaseline(ReferringModel):
    """The baseline of :class:`MotionBaselineConfig`; frame by frame, or over clips."""

    config_class = MotionBaselineConfig
    note = "the sentences are ignored: whatever moves is masked"

    def __init__(self, config: MotionBaselineConfig) -> None:
        """Build; there is nothing to load."""
        super().__init__()
        self.config = config
        self.tokenizer: Tokenizer | None = train_tokenizer([])  # checks sentences, knows no word

    def encode_video(self, clip: Clip) -> MotionFeatures:
        """Find what moves by itself; without flow, nothing does."""
        b, t, _, height, width = clip.frames.shape
        seeds = torch.full((b, t, 1, height, width), -LIMIT)
        sizes = _valid_sizes(clip.padding_mask)
        if clip.flow is not None:
            flow = clip.flow.float().cpu().numpy()
            for place in np.ndindex(b, t):
                h, w = sizes[place]
                if h and w:
                    seeds[place][0, :h, :w] = torch.from_numpy(seed_logits(flow[place][:, :h, :w]))
        pixels = (clip.frames.float() * 255).round_().clamp_(0, 255).to(torch.uint8)
        device = clip.frames.device
        return MotionFeatures(
            (seeds.to(device),), (clip.padding_mask,), pixels=pixels, chosen=clip.annotated_frames
        )

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Return features that say nothing."""
        words = torch.zeros(*tokens.ids.shape, 1, device=tokens.ids.device)
        return TextFeatures(words, tokens.padding_mask)

    def forward(
        self, video: MotionFeatures, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> Float[Tensor, "e t H W"]:
        """Return the mask logits of each expression's clip, frame after frame (arguments: the contract)."""
        e, b = len(text.words), len(video.pixels)
        check_pairing(video_index, b, e)
        clips = torch.stack([self._follow(video, index) for index in range(b)])  # b t H W
        if video_index is None:
            return clips.expand(e, -1, -1, -1)
        return clips[video_index]

    def criterion(
        self, output: Any, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Refuse: there is nothing to train.

        Raises:
            TrainingError: always.
        """
        raise TrainingError("the motion baseline has no weights to train; choose another model")

    def postprocess(self, output: Float[Tensor, "e t H W"]) -> Trajectories:
        """Return the one mask there is, with a score that has no opinion."""
        scores = torch.full((len(output), 1), NO_OPINION, device=output.device)
        frame_scores = scores[:, None].expand(-1, output.shape[1], -1)
        presence = _presence(output)[..., None]  # e t 1

        def make_mask_logits(queries: Int[Tensor, "e k"]) -> Float[Tensor, "e t k H W"]:
            return output[:, :, None].expand(-1, -1, queries.shape[1], -1, -1)

        return Trajectories(scores, frame_scores, presence, make_mask_logits)

    def start(self, text: TextFeatures, *, size: tuple[int, int] | None = None) -> dict[str, Any]:
        """Return the state before the first frame: how many expressions there are, and no colours."""
        return {"num_expressions": len(text.words), **self._no_memory()._asdict()}

    def step(self, frame: MotionFeatures, state: Mapping[str, Any]) -> tuple[FrameMasks, dict[str, Any]]:
        """Mask what moves in one frame, once for all expressions."""
        logits, memory = self._refine(frame, (0, 0), _Memory(state["colours"], state["frame"]))
        answers = logits.expand(state["num_expressions"], -1, -1)
        scores = torch.full((len(answers),), NO_OPINION, device=answers.device)
        return FrameMasks(answers, scores, _presence(answers)), {**state, **memory._asdict()}

    def _no_memory(self) -> "_Memory":
        return _Memory(torch.from_numpy(empty_histograms()) if self.config.has_colour else None, None)

    def _follow(self, video: MotionFeatures, index: int) -> Float[Tensor, "t H W"]:
        """Go through the frames of one clip."""
        logits, memory = [], self._no_memory()
        for time in range(video.pixels.shape[1]):
            found, memory = self._refine(video, (index, time), memory)
            logits.append(found)
        kept = range(len(logits)) if video.chosen is None else video.chosen
        return torch.stack([logits[time] for time in kept])

    def _refine(
        self, video: MotionFeatures, place: tuple[int, int], memory: "_Memory"
    ) -> tuple[Float[Tensor, "H W"], "_Memory"]:
        """Complete the seed of the frame at ``place`` by its colours, if the configuration wants them."""
        seed = video.maps[0][place][0]
        h, w = _valid_sizes(video.padding_masks[0][place][None, None])[0, 0]
        if memory.colours is None or not (h and w):
            return seed, memory
        image = np.ascontiguousarray(video.pixels[place][:, :h, :w].permute(1, 2, 0).cpu().numpy())
        valid = np.ascontiguousarray(seed[:h, :w].cpu().numpy())
        known = memory.colours.cpu().numpy()
        if memory.frame is not None and is_cut(memory.frame.cpu().numpy(), image):
            known = empty_histograms()  # another scene has other colours
        logits, learned = add_colours(valid, image, known, self.config.memory)
        if self.config.has_cut:
            logits = np.where(place_edge(logits, image), LIMIT, -LIMIT).astype(np.float32)
        whole = torch.full_like(seed, -LIMIT)
        whole[:h, :w] = torch.from_numpy(logits)
        return whole, _Memory(torch.from_numpy(learned), torch.from_numpy(image))


class _Memory(NamedTuple):
    """What a frame leaves to the next: ``colours float [r, k, n]`` and itself, ``uint8 [h, w, 3]``.

    No colours: the configuration wants none. No frame: there was none before.
    """

    colours: Tensor | None
    frame: Tensor | None


MODEL = MotionBaseline


def _valid_sizes(padding_mask: Bool[Tensor, "b t H W"]) -> Int[np.ndarray, "b t 2"]:
    """Return height and width of the part of each frame that is not padding."""
    valid = ~padding_mask
    sizes = torch.stack((valid.any(dim=3).sum(dim=2), valid.any(dim=2).sum(dim=2)), dim=-1)
    return sizes.cpu().numpy()


def _presence(logits: Float[Tensor, "*e H W"]) -> Float[Tensor, "*e"]:
    """Return 1 where a frame has a mask, 0 where it has none."""
    return (logits > 0).flatten(-2).any(dim=-1).float()
