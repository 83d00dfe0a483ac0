"""Cross-entropy of two score maps, pixel by pixel, and its means (RefVOS; HINet, supplement, section 1).

Axes: n frames, H W pixels.
"""

from collections.abc import Sequence

from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

IGNORED = 255
"""Label of pixels that do not count."""


def pixel_losses(
    scores: Float[Tensor, "n 2 H W"],
    labels: Integer[Tensor, "n H W"],
    class_weights: Sequence[float] = (1.0, 1.0),
) -> Float[Tensor, "n H W"]:
    """Return ``class_weights[label]`` times the cross-entropy of every pixel, 0 where it is ignored.

    Args:
        scores: of background and object.
        labels: 0 background, 1 object, 255 ignored.
        class_weights: of background and object.
    """
    weights = scores.new_tensor(class_weights).float()
    return F.cross_entropy(
        scores.float(), labels.long(), weight=weights, ignore_index=IGNORED, reduction="none"
    )


def mean_of_valid(
    losses: Float[Tensor, "n H W"],
    labels: Integer[Tensor, "n H W"],
    class_weights: Sequence[float] = (1.0, 1.0),
) -> Float[Tensor, ""]:
    """Return the mean over all pixels that are not ignored, each counted as its class weighs."""
    background, referent = (labels == 0).sum(), (labels == 1).sum()
    total = class_weights[0] * background + class_weights[1] * referent
    return losses.sum() / total.clamp(min=1)


def hardest_mean(losses: Float[Tensor, "n H W"], share: float) -> Float[Tensor, "n"]:
    """Return for each frame the mean over the ``share`` of its pixels with the largest losses.

    All pixels of the frame are counted, ignored ones too: ``k = int(share * H * W)``, 1 at least (CFBI, which
    HINet cites).
    """
    flat = losses.flatten(1)
    return flat.topk(max(int(share * flat.shape[1]), 1), dim=1).values.mean(dim=1)
