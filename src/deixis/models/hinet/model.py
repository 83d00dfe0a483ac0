"""HINet: hierarchical interaction network for segmentation from referring expressions (BMVC 2021).

Yang, Tang, Bertinetto, Zhao and Torr. Vision and language meet at four levels of the backbone rather than at
the last alone, and what moves says where to look: in the first convolution of the backbone and in gates on
the fused maps.

    frame ──► ResNet-101 (stride 8) ─► reductions, pyramid pooling ─► visual maps ─┐
                ▲ motion stem                                                      │
    motion map ─┤                        sentence ─► BERT ─► first token ──────────┤
                └► motion encoder ─► gates ─────────────────────────────┐          ▼
                                                         score maps ◄─ head ◄─ decoder ◄─ fused maps

No code and no weights were published, and of the paper only the abstract and the supplement were at hand:
what these do not say is chosen here, by the habits of RefVOS (its baseline) and DeepLabv3+. Before training
the full model is the static one, to the bit: motion enters through zeros. With one level and without flow it
is RefVOS.

Axes: b clips, e expressions, t frames, n frames of all clips, s tokens, m motion channels, c channels, h w
cells, H W pixels.
"""

from collections.abc import Sequence
from typing import Any, cast

from jaxtyping import Float, Int
from torch import Tensor, nn

from deixis import backbones
from deixis import text as text_encoders
from deixis.layers.aspp import Aspp
from deixis.layers.convolution import ConvNorm
from deixis.layers.score_head import ScoreHead
from deixis.layers.sentence_fusion import SentenceFusion
from deixis.losses.pixels import hardest_mean, mean_of_valid, pixel_losses
from deixis.models.frame_model import FrameModel, choose_trained
from deixis.models.hinet.config import HinetConfig
from deixis.models.hinet.decoder import Decoder
from deixis.models.hinet.motion import MotionGates
from deixis.models.score_maps import FrameFeatures, ScoreMaps, labels_of, real_frames
from deixis.ops.padding import resize_padding_mask
from deixis.structures import Clip, Target, TextFeatures
from deixis.text.tokenizer import Tokenizer


class Hinet(FrameModel):
    """The network of :class:`HinetConfig`."""

    config_class = HinetConfig

    def __init__(self, config: HinetConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build with random weights; ``tokenizer`` may come later."""
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        backbone: Any = backbones.build(config.backbone)
        text_encoder: Any = text_encoders.build(config.text_encoder)
        lower = config.levels[:-1]
        channels = {**dict.fromkeys(lower, config.reduced_channels), 4: config.channels}
        self.backbone = backbone
        self.flow_stem = self._make_flow_stem(backbone.stem) if config.has_vision_flow else None
        self.reductions = nn.ModuleDict(
            {str(level): ConvNorm(backbone.channels[level - 1], channels[level]) for level in lower}
        )
        self.aspp = Aspp(backbone.channels[-1], config.channels, config.rates, config.dropout)
        self.text_encoder = text_encoder
        self.fusions = nn.ModuleDict(
            {
                str(level): SentenceFusion(
                    text_encoder.channels, channels[level], config.dropout if level == 4 else 0.0
                )
                for level in config.levels
            }
        )
        self.motion_gates = (
            MotionGates(self._num_motion_channels, config.motion_widths, channels)
            if config.has_gate_flow
            else None
        )
        self.decoder = Decoder(config.channels, config.reduced_channels, len(lower))
        self.head = ScoreHead(config.channels)
        choose_trained(text_encoder, config.trained_text)
        self.set_progress(1.0)

    def encode_video(self, clip: Clip) -> FrameFeatures:
        """Compute the visual maps of every annotated frame and the gates on them, each frame by itself.

        A clip without flow passes neither motion stem nor gates; one of zeros reads "nothing moves".
        """
        kept = slice(None) if clip.annotated_frames is None else list(clip.annotated_frames)
        padding = clip.padding_mask[:, kept]
        batch = padding.shape[:2]
        motion = None if clip.flow is None else self._motion_of(clip.flow[:, kept])  # n m H W
        added = None if motion is None or self.flow_stem is None else self.flow_stem(motion)
        stages = self.backbone(clip.frames, keep=clip.annotated_frames, added=added)
        maps = [self.reductions[str(level)](stages[level - 1].flatten(0, 1)) for level in self._lower_levels]
        maps.append(self.aspp(stages[-1].flatten(0, 1)))  # n c h w each
        sizes = [(level.shape[-2], level.shape[-1]) for level in maps]
        gates = [] if motion is None or self.motion_gates is None else self.motion_gates(motion, sizes)
        return FrameFeatures(
            maps=tuple(level.unflatten(0, batch) for level in maps),
            padding_masks=tuple(resize_padding_mask(padding, size) for size in sizes),
            pixel_padding=padding,
            gates=tuple(gate.unflatten(0, batch) for gate in gates),
        )

    def forward(
        self, video: FrameFeatures, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> ScoreMaps:
        """Fuse every level with each sentence, gate, decode and score (arguments: see the contract)."""
        assert text.sentence is not None
        video = video.for_expressions(video_index, len(text.words))
        fused = [
            self.fusions[str(level)](maps, text.sentence)  # e t c h w
            for level, maps in zip(self.config.levels, video.maps, strict=True)
        ]
        if video.gates:
            fused = [maps * gate for maps, gate in zip(fused, video.gates, strict=True)]
        batch = fused[-1].shape[:2]
        *finer, coarsest = (maps.flatten(0, 1) for maps in fused)
        scores = self.head(self.decoder(coarsest, finer))
        return ScoreMaps(scores.unflatten(0, batch), video.pixel_padding)

    def set_progress(self, progress: float) -> None:
        """Let the share of pixels that carry the loss shrink, where the configuration asks for it."""
        last, annealed_over = self.config.hardest_share, self.config.annealed_over
        left = max(1 - progress / annealed_over, 0.0) if annealed_over else 0.0
        self._share = last + (1 - last) * left

    def criterion(
        self, output: ScoreMaps, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the weighted cross-entropy of the hardest pixels of each frame, the mean over frames.

        With ``hardest_share == 1`` it is the mean over all pixels of the batch that are not padding.
        ``num_masks`` has no say: parts of a batch count by their expressions.
        """
        labels = labels_of(targets, output)
        weights = self.config.class_weights
        losses = pixel_losses(output.at_input_size(), labels, weights)
        if self.config.hardest_share == 1:
            return {"loss_cross_entropy": mean_of_valid(losses, labels, weights)}
        return {"loss_hardest": hardest_mean(losses[real_frames(output)], self._share).mean()}

    @property
    def _lower_levels(self) -> tuple[int, ...]:
        return self.config.levels[:-1]

    @property
    def _num_motion_channels(self) -> int:
        assert self.config.inputs.motion is not None
        return self.config.inputs.motion.num_channels

    def _motion_of(self, flow: Float[Tensor, "b t m H W"]) -> Float[Tensor, "n m H W"] | None:
        """Return the motion of all frames, None where the model has no use for it."""
        if self.flow_stem is None and self.motion_gates is None:
            return None
        if flow.shape[2] != self._num_motion_channels:
            raise ValueError(
                f"this model takes {self._num_motion_channels} motion channels, the clip has {flow.shape[2]}"
            )
        return flow.flatten(0, 1)

    def _make_flow_stem(self, stem: nn.Conv2d) -> nn.Conv2d:
        """Build what joins ``stem``, as if it had more input channels; zeros at first."""
        kernel, stride, padding = (
            cast(tuple[int, int], value) for value in (stem.kernel_size, stem.stride, stem.padding)
        )
        joined = nn.Conv2d(self._num_motion_channels, stem.out_channels, kernel, stride, padding, bias=False)
        nn.init.zeros_(joined.weight)
        return joined


MODEL = Hinet
