"""SAM 3: segment anything with concepts (2025), through ``transformers``: a peer, not a model of ours.

    frame ─► processor ─► vision encoder ─┬─► detector ─► instances ──┐
                                          │      ▲                    ├─► tracks ─► the best of an expression
    phrase ─► text encoder ───────────────│──────┘                    │
                                          └─► tracker, by its memory ─┘

SAM 3 is asked by a short noun phrase and finds every instance of it; it does not read relations, places or
actions. Of the tracks of an expression the one whose detection had the highest score is the referent, the
earlier one on ties; a better one that comes later takes its place from then on. Nothing of the network is
here. Ours are that choice, the state between frames (``tracks``), and the bound on the number of tracks.

Not done: the processor of ``transformers`` takes pixels from a track that a better one of the same phrase
covers; the referent keeps them. Frames are answered at once, none are held back.

Axes: b clips, e expressions, t frames, s tokens, c channels, h w cells of the masks, H W pixels, S the side
of the network's square input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.errors import TrainingError
from deixis.models.base import FrameMasks, ReferringModel
from deixis.structures import Clip, Target, TextFeatures, Tokens, Trajectories, VideoFeatures, check_pairing
from deixis.text.tokenizer import Tokenizer

from .config import Sam3Config
from .tracks import close_session, first_state, open_session

NOTHING = -10.0
"""Logit of a mask where there is no track, as in ``transformers``."""


@dataclass(frozen=True)
class Sam3Features(VideoFeatures):
    """Frames as the network takes them, ``float [b, t, 3, S, S]``, as the only map.

    Features are computed in the step, once a frame for all expressions: the network has no other way.
    """


@dataclass(frozen=True)
class Sam3Output:
    """The referent of each expression in each frame; ``is_real`` is False on padding frames."""

    mask_logits: Float[Tensor, "e t H W"]
    scores: Float[Tensor, "e t"]
    presence: Float[Tensor, "e t"]
    is_real: Bool[Tensor, "e t"]


class Sam3(ReferringModel):
    """The network of :class:`Sam3Config`; frame by frame, or over clips."""

    config_class = Sam3Config
    note = "SAM 3 finds every instance of a noun phrase; the answer is the one of the highest score"

    def __init__(
        self, config: Sam3Config, tokenizer: Tokenizer | None = None, network: nn.Module | None = None
    ) -> None:
        """Take ``network``, or build with random weights; ``tokenizer`` may come later."""
        super().__init__()
        import transformers

        if network is None:
            network = transformers.Sam3VideoModel(
                transformers.Sam3VideoConfig.from_dict(dict(config.network))
            )
        self.config = config
        self.tokenizer = tokenizer
        self.network: Any = network
        self.network.max_num_objects = config.max_tracks
        side = self.network.config.image_size
        height, width = (side, side) if isinstance(side, int) else side
        self._processor = transformers.Sam3ImageProcessor(size={"height": height, "width": width})

    def encode_video(self, clip: Clip) -> Sam3Features:
        """Bring the annotated frames to the network's square input, as its processor does."""
        kept = slice(None) if clip.annotated_frames is None else list(clip.annotated_frames)
        padding = clip.padding_mask[:, kept]
        pixels = ((clip.frames[:, kept].float() / 2 + 0.5) * 255).round().clamp(0, 255).to(torch.uint8)
        prepared = torch.stack(
            [
                torch.stack([self._prepare(frame, hidden) for frame, hidden in zip(*pair, strict=True)])
                for pair in zip(pixels, padding, strict=True)
            ]
        )
        return Sam3Features((prepared,), (padding,))

    def _prepare(self, frame: UInt8[Tensor, "3 H W"], padding: Bool[Tensor, "H W"]) -> Float[Tensor, "3 S S"]:
        height, width = _valid_size(padding)
        if not height or not width:
            height, width = frame.shape[-2:]
        prepared = self._processor(
            images=frame[:, :height, :width], return_tensors="pt", device=str(frame.device)
        )
        return prepared["pixel_values"][0].to(self.network.dtype)

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Encode the phrases, cut to the number of tokens that the network takes."""
        ids, padding = (values[:, : self.config.max_tokens] for values in (tokens.ids, tokens.padding_mask))
        found = self.network.detector_model.get_text_features(
            input_ids=ids, attention_mask=(~padding).long(), return_dict=True
        )
        return TextFeatures(found.pooler_output, padding)

    def forward(
        self, video: Sam3Features, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> Sam3Output:
        """Follow each expression through its clip, frame after frame (arguments: see the contract)."""
        prepared, padding = video.maps[0], video.padding_masks[0]
        e, b = len(text.words), len(prepared)
        check_pairing(video_index, b, e)
        if video_index is None:
            video_index = torch.arange(e) if b == e else torch.zeros(e, dtype=torch.int64)
        found: dict[int, list[Tensor]] = {}
        for clip in sorted(set(video_index.tolist())):
            asked = (video_index == clip).nonzero()[:, 0].tolist()
            answers = self._follow(prepared[clip], padding[clip], text[asked])
            found |= {place: [value[row] for value in answers] for row, place in enumerate(asked)}
        return Sam3Output(
            *(torch.stack(values) for values in zip(*(found[i] for i in range(e)), strict=True))
        )

    def _follow(
        self, frames: Float[Tensor, "t 3 S S"], padding: Bool[Tensor, "t H W"], text: TextFeatures
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Go through the frames of one clip; return the fields of :class:`Sam3Output`."""
        e, (t, height, width) = len(text.words), padding.shape
        logits = frames.new_full((e, t, height, width), NOTHING)
        scores, presence = frames.new_zeros(2, e, t)
        is_real = ~padding.flatten(1).all(dim=1)
        state = self.start(text)
        for time in is_real.nonzero()[:, 0].tolist():
            one = Sam3Features((frames[None, time, None],), (padding[None, time, None],))
            found, state = self.step(one, state)
            logits[:, time] = found.mask_logits
            scores[:, time], presence[:, time] = found.scores, found.presence
        return logits, scores, presence, is_real.expand(e, -1)

    def criterion(
        self, output: Sam3Output, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Refuse: SAM 3 is a peer.

        Raises:
            TrainingError: always.
        """
        raise TrainingError("SAM 3 is not trained here; use its published weights")

    def postprocess(self, output: Sam3Output) -> Trajectories:
        """Return the referent as the one candidate of each expression."""
        real = output.is_real.to(output.scores.dtype)

        def make_mask_logits(queries: Int[Tensor, "e k"]) -> Float[Tensor, "e t k H W"]:
            return output.mask_logits[:, :, None].expand(-1, -1, queries.shape[1], -1, -1)

        return Trajectories(
            scores=((output.scores * real).sum(dim=1) / real.sum(dim=1).clamp(min=1))[:, None],
            frame_scores=output.scores[..., None],
            presence=output.presence[..., None],
            make_mask_logits=make_mask_logits,
        )

    def start(self, text: TextFeatures, *, size: tuple[int, int] | None = None) -> dict[str, Any]:
        """Return the state before the first frame: the encoded phrases, and no track."""
        return first_state(text.words, text.padding_mask)

    @torch.inference_mode()
    def step(self, frame: Sam3Features, state: Mapping[str, Any]) -> tuple[FrameMasks, dict[str, Any]]:
        """Find and follow the instances of all phrases in one frame; return the best of each."""
        session = open_session(self.network, state)
        output = self.network(inference_session=session, frame=frame.maps[0][0, 0], frame_idx=state["index"])
        state = close_session(self.network, session, state)
        found = [self._choose(output, state["tracks"], place) for place in range(len(state["words"]))]
        masks, scores, presence = (torch.stack(values) for values in zip(*found, strict=True))
        padding = frame.padding_masks[0][0, 0]
        height, width = _valid_size(padding)
        inner = F.interpolate(masks[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0]
        missing = (0, padding.shape[1] - width, 0, padding.shape[0] - height)
        return FrameMasks(F.pad(inner, missing, value=NOTHING), scores, presence), state

    def _choose(
        self, output: Any, tracks: Mapping[int, Mapping[str, Any]], expression: int
    ) -> tuple[Float[Tensor, "h w"], Float[Tensor, ""], Float[Tensor, ""]]:
        """Return mask, score and presence of the best track of one expression, or those of nothing."""
        device, side = self.network.device, self.network.low_res_mask_size
        own = [number for number, track in tracks.items() if track["expression"] == expression]
        if not own:
            nothing = torch.zeros(2, device=device)
            return torch.full((side, side), NOTHING, device=device), nothing[0], nothing[1]
        best = max(own, key=lambda number: (tracks[number]["score"], -number))
        mask = output.obj_id_to_mask[best][0].float()
        visible = output.obj_id_to_tracker_score.get(best, 0.0) if bool((mask > 0).any()) else 0.0
        return mask, torch.tensor(tracks[best]["score"], device=device), torch.tensor(visible, device=device)


MODEL = Sam3


def _valid_size(padding: Bool[Tensor, "H W"]) -> tuple[int, int]:
    """Return height and width of the part of a frame that is not padding."""
    valid = ~padding
    return int(valid.any(dim=1).sum()), int(valid.any(dim=0).sum())
