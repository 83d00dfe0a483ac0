"""RefVOS: a closer look at referring expressions for video object segmentation (Bellver et al., 2020).

One frame and one sentence give two score maps, background and object. There is no temporal side: a video is a
set of frames, several objects are several independent runs.

    frame ────► ResNet-101 (stride 8) ─► pyramid pooling ─► visual map ─┐
                                                                        ├─► fusion ─► head ─► score maps
    sentence ─► BERT ─► first token ────────────────────────────────────┘

Kept of the published code: batch padding is pixels like any others; a sentence that is too long loses its end
token. Changed without effect on results: a frame is encoded once for all sentences, a sentence once for all
frames. Not here: fusion by addition or concatenation, which the published code cannot reach, and its
LSTM baseline, of which no weights were published.

Axes: b clips, e expressions, t frames, s tokens, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Int
from torch import Tensor

from deixis import backbones
from deixis import text as text_encoders
from deixis.layers.aspp import Aspp
from deixis.layers.score_head import ScoreHead
from deixis.layers.sentence_fusion import SentenceFusion
from deixis.losses.pixels import mean_of_valid, pixel_losses
from deixis.models.frame_model import FrameModel, choose_trained
from deixis.models.refvos.config import RefVosConfig
from deixis.models.score_maps import FrameFeatures, ScoreMaps, labels_of
from deixis.ops.padding import resize_padding_mask
from deixis.structures import Clip, Target, TextFeatures
from deixis.text.tokenizer import Tokenizer


class RefVos(FrameModel):
    """The network of :class:`RefVosConfig`."""

    config_class = RefVosConfig

    def __init__(self, config: RefVosConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build with random weights; ``tokenizer`` may come later."""
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        backbone: Any = backbones.build(config.backbone)
        text_encoder: Any = text_encoders.build(config.text_encoder)
        self.backbone = backbone
        self.aspp = Aspp(backbone.channels[-1], config.channels, config.rates, config.dropout)
        self.text_encoder = text_encoder
        self.fusion = SentenceFusion(text_encoder.channels, config.channels, config.dropout)
        self.head = ScoreHead(config.channels)
        choose_trained(text_encoder, config.trained_text)

    def encode_video(self, clip: Clip) -> FrameFeatures:
        """Compute the visual map of every annotated frame, each by itself."""
        coarsest = self.backbone(clip.frames, keep=clip.annotated_frames)[-1]
        visual = self.aspp(coarsest.flatten(0, 1)).unflatten(0, coarsest.shape[:2])  # b t c h w
        kept = slice(None) if clip.annotated_frames is None else list(clip.annotated_frames)
        padding = clip.padding_mask[:, kept]
        return FrameFeatures((visual,), (resize_padding_mask(padding, visual.shape[-2:]),), padding)

    def forward(
        self, video: FrameFeatures, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> ScoreMaps:
        """Fuse the visual map with each sentence and score every cell (arguments: see the contract)."""
        assert text.sentence is not None
        video = video.for_expressions(video_index, len(text.words))
        fused = self.fusion(video.maps[0], text.sentence)  # e t c h w
        scores = self.head(fused.flatten(0, 1)).unflatten(0, fused.shape[:2])
        return ScoreMaps(scores, video.pixel_padding)

    def criterion(
        self, output: ScoreMaps, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the cross-entropy, the mean over the pixels of the batch that are not padding.

        ``num_masks`` has no say: parts of a batch count by their expressions.
        """
        labels = labels_of(targets, output)
        losses = pixel_losses(output.at_input_size(), labels)
        return {"loss_cross_entropy": mean_of_valid(losses, labels)}


MODEL = RefVos
