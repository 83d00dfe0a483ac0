"""What a map of alignment says to queries (ours; not in the paper).

Axes: e expressions, t frames, n tokens of a frame, h w cells of the map, which is that of the last level but
one.
"""

from jaxtyping import Float
from torch import Tensor

from deixis.models.referformer.output import ReferFormerVideoFeatures


def centre_of(alignment: Float[Tensor, "e t h w"], video: ReferFormerVideoFeatures) -> Float[Tensor, "e t 2"]:
    """Return where in each frame without padding the map says that the referent is: x, y in [0, 1]."""
    last = video.sizes[-1][0] * video.sizes[-1][1]
    cells = slice(-last - alignment[0, 0].numel(), -last)
    places = video.references[:, :, cells, -2] / video.ratios[:, :, None, -2].clamp(min=1e-3)  # b t n 2
    return (alignment.flatten(2).softmax(dim=2)[..., None] * places).sum(dim=2)
