"""From MTTR's output to trajectories: temporal segment voting (MTTR, section 3.6).

Axes: e expressions, t frames, q queries, k chosen queries, h w cells.
"""

from functools import partial
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from deixis.models.mttr.output import MttrOutput
from deixis.structures import Trajectories

REFERRED = 0
"""Index of "this is the referent" among the referring logits."""


def vote(output: MttrOutput, voting_frames: Literal["real", "all"] = "real") -> Trajectories:
    """Score every trajectory by the mean over frames of its probability to be the referent.

    With one annotated frame this is the published procedure for A2D-Sentences, too: the frame's own
    probabilities.

    Args:
        output: of the network.
        voting_frames: "real" leaves padding frames out of the mean; "all" counts them, as the published code
            does.
    """
    frame_scores = output.referring_logits[-1].float().softmax(dim=-1)[..., REFERRED]  # e t q
    return Trajectories(
        scores=_mean_over_frames(frame_scores, output, voting_frames),
        frame_scores=frame_scores,
        presence=frame_scores,
        make_mask_logits=partial(output.mask_logits, -1),
    )


def _mean_over_frames(
    frame_scores: Float[Tensor, "e t q"], output: MttrOutput, voting_frames: str
) -> Float[Tensor, "e q"]:
    if voting_frames == "all":
        return frame_scores.mean(dim=1)
    real = (~output.frame_padding).to(frame_scores.dtype)[..., None]  # e t 1
    return (frame_scores * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)
