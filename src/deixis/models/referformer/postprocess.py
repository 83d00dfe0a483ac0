"""From ReferFormer's output to trajectories (sections 3.5 and 4.1).

Axes: e expressions, t frames, q queries, k classes.
"""

from functools import partial

from deixis.models.referformer.output import ReferFormerOutput
from deixis.structures import Trajectories


def score(output: ReferFormerOutput) -> Trajectories:
    """Score every trajectory: the mean over frames of its class probabilities, the largest of all classes.

    With one annotated frame (A2D-Sentences) or an image (RefCOCO) it is that frame's own probability.
    """
    probabilities = output.class_logits[-1].float().sigmoid()  # e t q k
    real = (~output.frame_padding).float()[:, :, None, None]
    means = (probabilities * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)  # e q k
    scores, classes = means.max(dim=-1)  # e q
    index = classes[:, None, :, None].expand(-1, probabilities.shape[1], -1, 1)
    frame_scores = probabilities.gather(3, index)[..., 0]  # e t q
    return Trajectories(
        scores=scores,
        frame_scores=frame_scores,
        presence=frame_scores,
        make_mask_logits=partial(output.mask_logits, -1),
        boxes=output.boxes[-1],
    )
