"""hinet-tiny: a small network finds what moves by itself; the sentence chooses among the things found.

    flow both ways ─► seed ─► colours of what moved so far ─┐
          └─────────► cues ─────────────────────────────────┼─► network ─► GrabCut ─► things
    frame ──────────────────────────────────────────────────┘                           │
                                                         colours, motion, silhouettes ◄─┤
    sentence ─► what it asks for: category, colours, place, direction, ... ──┴──────────┴─► masks

Motion looks the same in rendered and in real video, so a network trained on rendered clips alone works on
real ones. Nothing before the last step depends on the sentence.

Axes: b clips, e expressions, t frames, n frames of all clips, k categories, h w network pixels, H W pixels of
the input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.flow.cuts import is_cut
from deixis.models.base import FrameMasks, ReferringModel
from deixis.models.hinet_tiny.augment import disturb_colours, disturb_flow
from deixis.models.hinet_tiny.choice import answer
from deixis.models.hinet_tiny.config import HinetTinyConfig
from deixis.models.hinet_tiny.criterion import mover_losses, silhouette_loss
from deixis.models.hinet_tiny.cues import NUM_CHANNELS, motion_cues
from deixis.models.hinet_tiny.network import MoverNet
from deixis.models.hinet_tiny.request import Request
from deixis.models.hinet_tiny.sentence import read_sentence
from deixis.models.hinet_tiny.silhouettes import SilhouetteNet, cut_out
from deixis.models.hinet_tiny.spelling import make_tokenizer
from deixis.models.hinet_tiny.things import Memory, empty_memory, find_things
from deixis.models.motion.colour import add_colours, empty_histograms, place_edge
from deixis.models.motion.seed import LIMIT, seed_logits
from deixis.ops.lexicon import CATEGORIES
from deixis.ops.padding import unpadded_sizes
from deixis.structures import Clip, Target, TextFeatures, Tokens, Trajectories, VideoFeatures, check_pairing
from deixis.text.tokenizer import Tokenizer

_SENTENCES = ("words", "padding")
"""Names in the state that are of the expressions; all others are of the video."""


@dataclass(frozen=True)
class SeenFrames(VideoFeatures):
    """Flow as the only map, and the frames.

    Attributes:
        pixels: ``uint8 [b, t, H, W, 3]``.
        chosen: indices of the frames to answer for.
    """

    pixels: UInt8[Tensor, "b t H W 3"]
    chosen: tuple[int, ...]


@dataclass(frozen=True)
class Movers:
    """What the network says of the frames of ``b`` clips, before any sentence.

    Attributes:
        logits: of belonging to something that moves, at the network's size.
        sizes: height and width of each clip's frames without padding, in pixels of the input.
        video: what was seen.
        requests: what each expression asks for.
        video_index: the clip of each expression.
    """

    logits: Float[Tensor, "b t h w"]
    sizes: tuple[tuple[int, int], ...]
    video: SeenFrames
    requests: tuple[Request, ...]
    video_index: tuple[int, ...]


class HinetTiny(ReferringModel):
    """The model of :class:`HinetTinyConfig`; frame by frame, or over clips."""

    config_class = HinetTinyConfig

    def __init__(self, config: HinetTinyConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build with random weights."""
        super().__init__()
        self.config = config
        self.tokenizer: Tokenizer | None = tokenizer or make_tokenizer()
        self.network = MoverNet(NUM_CHANNELS, config.widths)
        self.silhouettes = SilhouetteNet(len(CATEGORIES))

    def encode_video(self, clip: Clip) -> SeenFrames:
        """Keep frames and flow; without flow nothing moves. All the rest depends on the frames before."""
        b, t, _, height, width = clip.frames.shape
        flow = clip.flow
        if flow is None:
            flow = clip.frames.new_zeros(b, t, 4, height, width)
        pixels = (clip.frames.float() * 255).round_().clamp_(0, 255).to(torch.uint8)
        chosen = tuple(range(t)) if clip.annotated_frames is None else tuple(clip.annotated_frames)
        return SeenFrames(
            (flow.float(),), (clip.padding_mask,), pixels=pixels.permute(0, 1, 3, 4, 2), chosen=chosen
        )

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Hand the letters on: the sentence is read by rules."""
        return TextFeatures(tokens.ids[..., None].float(), tokens.padding_mask)

    def forward(
        self, video: SeenFrames, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> Movers:
        """Find what moves in every chosen frame of every clip (arguments: see the contract)."""
        e, b = len(text.words), len(video.pixels)
        check_pairing(video_index, b, e)
        places = [0] * e if video_index is None and b == 1 else range(e)
        index = tuple(places) if video_index is None else tuple(video_index.tolist())
        sizes = _sizes(video.padding_masks[0])
        chosen = list(video.chosen)
        if self.training and not _is_trained(self.network):
            # What the silhouettes learn from is in the targets.
            logits = video.maps[0].new_zeros(b * len(chosen), 1, 1)
        else:
            last = max(chosen)
            answers = torch.stack([self._weight_free(video, clip, sizes[clip], last) for clip in range(b)])
            known = answers.to(video.maps[0].device)  # b t H W
            shown = (part[:, chosen].flatten(0, 1) for part in (video.pixels, video.maps[0], known))
            logits = self._find(*shown)
        return Movers(
            logits.unflatten(0, (b, len(chosen))),
            sizes,
            video,
            self._requests(text),
            index,
        )

    def criterion(
        self, output: Movers, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the loss terms of what moves, which is what the expressions of training denote.

        Every expression of training is "everything that moves"; the categories of the annotated objects,
        moving or not, are its targets' labels. ``num_masks`` has no say.
        """
        first = {clip: place for place, clip in reversed(list(enumerate(output.video_index)))}
        chosen = [targets[first[clip]] for clip in range(len(output.logits))]
        frames = list(output.video.chosen)
        terms: dict[str, Tensor] = {}
        if _is_trained(self.network):
            flow = output.video.maps[0][:, frames]
            terms |= mover_losses(output.logits, flow, chosen, output.sizes)
        if _is_trained(self.silhouettes):
            pixels, found = output.video.pixels[:, frames], self._found(output)
            terms["loss_silhouette"] = silhouette_loss(self.silhouettes, pixels, chosen, found)
        return terms

    @torch.no_grad()
    def _found(self, output: Movers) -> Bool[Tensor, "b t H W"]:
        """Return what moves in the middle frame of each clip, as inference finds it."""
        video, middle = output.video, len(output.video.chosen) // 2
        frame = video.chosen[middle]
        found = torch.zeros(*video.pixels[:, video.chosen].shape[:-1], dtype=torch.bool)
        is_training = self.training
        self.eval()
        for clip, (height, width) in enumerate(output.sizes):
            pixels, flow = (part[clip, frame, None] for part in (video.pixels, video.maps[0]))
            known = self._weight_free(video, clip, (height, width), frame)[frame, None].to(flow.device)
            image = np.ascontiguousarray(pixels[0, :height, :width].cpu().numpy())
            whole = (int(flow.shape[-2]), int(flow.shape[-1]))
            mask, _ = self._edged(self._find(pixels, flow, known)[0], whole, image, empty_histograms())
            found[clip, middle, :height, :width] = torch.from_numpy(mask)
        self.train(is_training)
        return found

    def postprocess(self, output: Movers) -> Trajectories:
        """Let each expression choose, frame after frame, as :meth:`step` does."""
        b, t = output.logits.shape[:2]
        height, width = output.video.pixels.shape[2:4]
        e = len(output.requests)
        masks = torch.full((e, t, height, width), -LIMIT)
        scores = torch.zeros(e, t)
        padding = output.video.padding_masks[0][:, list(output.video.chosen)]
        real = ~padding.flatten(2).all(dim=-1).cpu()  # b t
        for clip in range(b):
            asked = [place for place, of in enumerate(output.video_index) if of == clip]
            if not asked:
                continue
            h, w = output.sizes[clip]
            memory = _fresh_memory()
            for time, frame in enumerate(output.video.chosen):
                if not real[clip, time]:
                    continue
                pixels = output.video.pixels[clip, frame, :h, :w]
                memory, found, score = self._choose(
                    pixels,
                    output.video.maps[0][clip, frame, :, :h, :w],
                    (output.logits[clip, time], (height, width)),
                    [output.requests[place] for place in asked],
                    _recall(memory, pixels),
                )
                masks[asked, time, :h, :w] = found
                scores[asked, time] = score
        device = output.logits.device
        counts = real[list(output.video_index)].sum(dim=1, keepdim=True).clamp(min=1)  # e 1
        whole = (scores.sum(dim=1, keepdim=True) / counts).to(device)
        masks, scores = masks.to(device), scores.to(device)

        def make_mask_logits(queries: Int[Tensor, "e k"]) -> Float[Tensor, "e t k H W"]:
            return masks[:, :, None].expand(-1, -1, queries.shape[1], -1, -1)

        return Trajectories(whole, scores[..., None], scores[..., None], make_mask_logits)

    def start(self, text: TextFeatures, *, size: tuple[int, int] | None = None) -> dict[str, Any]:
        """Return the state before the first frame: the letters of the expressions, no colours, no things."""
        return {"words": text.words, "padding": text.padding_mask, **_fresh_memory()}

    def step(self, frame: SeenFrames, state: Mapping[str, Any]) -> tuple[FrameMasks, dict[str, Any]]:
        """Find what moves in one frame, once for all expressions, and let each choose."""
        ((h, w),) = _sizes(frame.padding_masks[0])
        requests = self._requests(TextFeatures(state["words"], state["padding"]))
        pixels, flow = frame.pixels[0, 0], frame.maps[0][0, 0]
        known_so_far = {name: value for name, value in state.items() if name not in _SENTENCES}
        memory = _recall(known_so_far, pixels[:h, :w])
        known, memory["colours"] = self._colours(pixels[:h, :w], flow[:, :h, :w], memory["colours"])
        whole = F.pad(known, (0, pixels.shape[1] - w, 0, pixels.shape[0] - h), value=-LIMIT)
        logits = self._find(pixels[None], flow[None], whole[None].to(flow.device))
        movers = (logits[0], (int(pixels.shape[0]), int(pixels.shape[1])))
        memory, found, scores = self._choose(pixels[:h, :w], flow[:, :h, :w], movers, requests, memory)
        masks = F.pad(found, (0, pixels.shape[1] - w, 0, pixels.shape[0] - h), value=-LIMIT)
        device = flow.device
        answers = FrameMasks(masks.to(device), scores.to(device), scores.to(device))
        return answers, {**state, **memory}

    def _requests(self, text: TextFeatures) -> tuple[Request, ...]:
        assert self.tokenizer is not None
        rows = zip(text.words[..., 0].long().tolist(), text.padding_mask.tolist(), strict=True)
        letters = [[one for one, padded in zip(*row, strict=True) if not padded] for row in rows]
        return tuple(_read(self.tokenizer.decode(row)) for row in letters)

    def _weight_free(
        self, video: SeenFrames, clip: int, size: tuple[int, int], last: int
    ) -> Float[Tensor, "t H W"]:
        """Return the answer of motion and colours alone in one clip; nothing behind the ``last`` frame."""
        h, w = size
        flow = video.maps[0][clip]
        found = torch.full((flow.shape[0], *flow.shape[2:]), -LIMIT)
        memory = _fresh_memory()
        for time in range(last + 1):
            if not video.padding_masks[0][clip, time, 0, 0]:
                pixels = video.pixels[clip, time, :h, :w]
                memory = {**_recall(memory, pixels), "frame": pixels.cpu()}
                found[time, :h, :w], memory["colours"] = self._colours(
                    pixels, flow[time, :, :h, :w], memory["colours"]
                )
        return found

    def _colours(
        self, pixels: UInt8[Tensor, "H W 3"], flow: Float[Tensor, "4 H W"], colours: Tensor
    ) -> tuple[Float[Tensor, "H W"], Tensor]:
        """Return the weight-free answer in one frame, and the colours with its own."""
        seed = seed_logits(flow.cpu().numpy())
        image = np.ascontiguousarray(pixels.cpu().numpy())
        logits, learned = add_colours(seed, image, colours.cpu().numpy(), self.config.memory)
        return torch.from_numpy(logits).clamp_(-LIMIT, LIMIT), torch.from_numpy(learned)

    def _find(
        self,
        pixels: UInt8[Tensor, "n H W 3"],
        flow: Float[Tensor, "n 4 H W"],
        known: Float[Tensor, "n H W"],
    ) -> Float[Tensor, "n h w"]:
        """Run the network: logits of what moves."""
        height, width = flow.shape[-2:]
        rows = self.config.training_rows if self.training else self.config.network_rows
        size = (height, width) if height <= rows else (rows, max(round(width * rows / height), 1))
        scale = flow.new_tensor([size[1] / width, size[0] / height] * 2)
        vectors = F.adaptive_avg_pool2d(flow, size) * scale[:, None, None]
        colours = F.adaptive_avg_pool2d(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1, size)
        if self.training:
            vectors = disturb_flow(vectors, self.config.flow_noise)
            colours = disturb_colours(colours, self.config.blank_rate)
        answer = F.adaptive_avg_pool2d(known[:, None] / LIMIT, size)
        x = torch.cat((colours, motion_cues(vectors), answer), dim=1)
        weight = self.network.stem.convolution.weight
        return self.network(x.to(weight.dtype).contiguous(memory_format=torch.channels_last))

    def _edged(
        self,
        logits: Float[Tensor, "h w"],
        padded_size: tuple[int, int],
        image: UInt8[np.ndarray, "H W 3"],
        looks: Float[np.ndarray, "r s n"],
    ) -> tuple[Bool[np.ndarray, "H W"], Float[np.ndarray, "r s n"]]:
        """Return what moves at the size of the frame, and the colours of what was found so far."""
        large = F.interpolate(
            logits[None, None].float(), size=padded_size, mode="bilinear", align_corners=False
        )
        found = large[0, 0, : image.shape[0], : image.shape[1]].cpu().numpy()
        if self.config.has_cut:
            return place_edge(found, image), looks
        # Once more by colours: those of what the network found, where before there was only a seed.
        found, looks = add_colours(found, image, looks, self.config.memory)
        return found > 0, looks

    def _name(
        self, image: UInt8[np.ndarray, "H W 3"], masks: Sequence[Bool[np.ndarray, "H W"]]
    ) -> Float[np.ndarray, "n k"]:
        """Return how likely each thing is of each category, by its outline and its mirror image."""
        weight = self.silhouettes.head.weight
        cutouts = torch.from_numpy(np.stack([cut_out(image, mask) for mask in masks])).to(weight)
        logits = self.silhouettes(torch.cat((cutouts, cutouts.flip(-1)))).float()  # 2n k
        return logits.softmax(dim=1).unflatten(0, (2, -1)).mean(dim=0).detach().cpu().numpy()

    def _choose(
        self,
        pixels: UInt8[Tensor, "H W 3"],
        flow: Float[Tensor, "4 H W"],
        movers: tuple[Float[Tensor, "h w"], tuple[int, int]],
        requests: Sequence[Request],
        memory: Memory,
    ) -> tuple[Memory, Float[Tensor, "e H W"], Float[Tensor, "e"]]:
        """Follow the things in one frame and let every request choose among them.

        ``movers`` are the logits of what moves in the padded frame, and its size.
        """
        image = np.ascontiguousarray(pixels.cpu().numpy())
        mask, looks = self._edged(*movers, image, memory["looks"].numpy())
        seen, things = find_things(image, flow.cpu().numpy(), mask, self._name, memory)
        masks, scores = answer(seen, requests)
        answers = torch.where(torch.from_numpy(masks), LIMIT, -LIMIT)
        kept = {**memory, **things, "looks": torch.from_numpy(looks), "frame": torch.from_numpy(image)}
        return kept, answers, torch.from_numpy(scores)


MODEL = HinetTiny


def _fresh_memory() -> Memory:
    """Return what is known of a video before its first frame.

    ``colours`` of what moves by the seed, ``looks`` of what the network found, the last ``frame uint8 [H, W,
    3]``, and what is known of the things.
    """
    return {
        "colours": torch.from_numpy(empty_histograms()),
        "looks": torch.from_numpy(empty_histograms()),
        "frame": torch.zeros(0, 0, 3, dtype=torch.uint8),
        **empty_memory(),
    }


def _recall(memory: Memory, pixels: UInt8[Tensor, "H W 3"]) -> Memory:
    """Return what of ``memory`` is true of the scene that ``pixels`` show: after a cut, nothing."""
    before = memory["frame"]
    if before.numel() and is_cut(before.numpy(), np.ascontiguousarray(pixels.cpu().numpy())):
        return _fresh_memory()
    return dict(memory)


def _is_trained(part: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in part.parameters())


@lru_cache(maxsize=256)
def _read(sentence: str) -> Request:
    return read_sentence(sentence)


def _sizes(padding_mask: Bool[Tensor, "b t H W"]) -> tuple[tuple[int, int], ...]:
    """Return height and width of each clip's frames without padding, at least 1."""
    return tuple((max(int(h), 1), max(int(w), 1)) for w, h in unpadded_sizes(padding_mask).tolist())
