"""Which of the things in a frame each sentence means.

Axes: H W pixels of the frame, e expressions, n things.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from deixis.models.hinet_tiny.matching import Thing, companions, match, presence
from deixis.models.hinet_tiny.request import Request
from deixis.models.hinet_tiny.things import Seen

MARGIN = 0.7
"""Things whose scores are at most this below the best are meant, too: an object may fall into parts."""
PROMINENCE = 0.5
"""Of the log of a thing's area in the choice: what is small beside another is rarely what is spoken of."""


def answer(
    seen: Seen, requests: Sequence[Request]
) -> tuple[Bool[np.ndarray, "e H W"], Float[np.ndarray, "e"]]:
    """Return the mask of each request, and how sure it is that something answers it, in [0, 1].

    The mask is that of the best match also where it is unlikely to be meant; where nothing moves it is empty.
    """
    masks = np.zeros((len(requests), *seen.labels.shape), bool)
    scores = np.zeros(len(requests), np.float32)
    if not seen.things:
        return masks, scores
    for index, request in enumerate(requests):
        chosen, scores[index] = pick(request, seen.things)
        masks[index] = np.isin(seen.labels, np.flatnonzero(chosen) + 1)
    return masks, scores


def pick(request: Request, things: Sequence[Thing]) -> tuple[Bool[np.ndarray, "n"], float]:
    """Return which things are meant, and how likely the best of them is; all, if nothing was understood."""
    if request.is_empty:
        return np.ones(len(things), bool), 1.0
    scores = match(request, things)
    areas = np.array([thing.area for thing in things])
    sizes = np.log(np.maximum(areas, 1e-6) / areas.max())
    # A request for a size or an order says itself which areas it means.
    says_size = bool(request.size) or request.order is not None
    ranked = scores + (0.0 if says_size else PROMINENCE) * sizes
    best = int(ranked.argmax())
    chosen = ranked >= ranked[best] - MARGIN
    chosen[list(companions(request, things, scores))] = True
    return chosen, presence(scores[best : best + 1])
