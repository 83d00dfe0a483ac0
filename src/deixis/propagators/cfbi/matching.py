"""How far each place is from the known places of each object (CFBI; propagation, sections 2.4 and 2.6).

Distances are squashed to (-1, 1), 1 is far. No distance of all places to all places is kept: each known place
belongs to one object, so that objects are compared one after another, some rows at a time.

Axes: n objects with the background first, c channels, h w cells, q cells of the frame, v windows.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn import functional as F

FAR = 5e4
"""Squared distance to an object that is nowhere."""
SCRATCH = 1 << 23
"""Distances that are held at a time."""


def one_hot(labels: Integer[Tensor, "h w"], num_objects: int) -> Bool[Tensor, "n h w"]:
    """Return where each of ``num_objects`` labels is; other labels are nowhere."""
    numbers = torch.arange(num_objects, device=labels.device)
    return labels[None] == numbers[:, None, None]


def squash(distances: Float[Tensor, "n *_s"], biases: Float[Tensor, "n"]) -> Float[Tensor, "n *_s"]:
    """Bring squared distances to (-1, 1), each object by its bias."""
    shape = (-1, *(1,) * (distances.dim() - 1))
    return 2 * torch.sigmoid(distances + biases.view(shape)) - 1


def global_distances(
    query: Float[Tensor, "c h w"],
    references: Sequence[tuple[Float[Tensor, "c h w"], Bool[Tensor, "n h w"]]],
    biases: Float[Tensor, "n"],
    *,
    atrous: int = 1,
    min_pixels: int = 0,
) -> Float[Tensor, "n h w"]:
    """Return the squashed distance to the nearest place of each object in all reference frames.

    Args:
        query: embedding of the current frame.
        references: embedding and objects of each reference frame.
        biases: of each object.
        atrous: only every so many rows and columns of the references are compared.
        min_pixels: where it is not 0, all places of an object in a reference with at most ``min_pixels *
            atrous ** 2`` of them are compared.
    """
    cells = query.flatten(1).T.contiguous()  # q c
    lengths = cells.square().sum(dim=1)
    nearest = []
    for number in range(len(biases)):
        known = torch.cat([_places(*one, number, atrous, min_pixels) for one in references])  # m c
        nearest.append(_nearest(cells, lengths, known))
    distances = torch.stack(nearest).unflatten(1, query.shape[1:])
    found = squash(distances, biases)
    return found if any(bool(objects.any()) for _, objects in references) else torch.ones_like(found)


def _places(
    embedding: Float[Tensor, "c h w"], objects: Bool[Tensor, "n h w"], number: int, atrous: int, minimum: int
) -> Float[Tensor, "m c"]:
    mask = objects[number]
    if atrous > 1 and not (minimum and int(mask.sum()) <= minimum * atrous**2):
        embedding, mask = embedding[:, ::atrous, ::atrous], mask[::atrous, ::atrous]
    return embedding[:, mask].T


def _nearest(
    cells: Float[Tensor, "q c"], lengths: Float[Tensor, "q"], known: Float[Tensor, "m c"]
) -> Float[Tensor, "q"]:
    """Return the squared distance of each cell to the nearest known place."""
    if not len(known):
        return torch.full_like(lengths, FAR)
    offsets, double = known.square().sum(dim=1), -2 * known.T
    step = max(SCRATCH // len(known), 1)
    parts = [torch.addmm(offsets, chunk, double).amin(dim=1) for chunk in cells.split(step)]
    return lengths + torch.cat(parts)


def local_distances(
    query: Float[Tensor, "c h w"],
    previous: Float[Tensor, "c h w"],
    objects: Bool[Tensor, "n h w"],
    biases: Float[Tensor, "n"],
    windows: Sequence[int],
    *,
    is_half_size: bool = True,
    atrous: int = 1,
) -> Float[Tensor, "n v h w"]:
    """Return the squashed distance to the nearest place of each object near by in the previous frame.

    Args:
        query: embedding of the current frame.
        previous: of the frame before.
        objects: in the frame before.
        biases: of each object.
        windows: offsets up to which "near by" reaches, rising; the largest comes first in the result.
        is_half_size: compare maps of half the size.
        atrous: only offsets that are multiples of it are compared.
    """
    size = (int(query.shape[1]), int(query.shape[2]))
    if is_half_size:
        half = (size[0] // 2 + 1, size[1] // 2 + 1)
        both = F.interpolate(torch.stack((query, previous)), half, mode="bilinear", align_corners=True)
        query, previous = both
        objects = F.interpolate(objects[None].float(), half, mode="nearest")[0] > 0.5
    found = squash(_local(query, previous, objects, windows, atrous), biases)
    found = torch.cat((found[:, -1:], found[:, :-1]), dim=1)
    if is_half_size:
        found = F.interpolate(found, size, mode="bilinear", align_corners=True)
    return found


def _local(
    query: Float[Tensor, "c h w"],
    previous: Float[Tensor, "c h w"],
    objects: Bool[Tensor, "n h w"],
    windows: Sequence[int],
    atrous: int,
) -> Float[Tensor, "n v h w"]:
    """Compare row by row: the products of two rows hold all offsets along them as a diagonal band."""
    _, height, width = query.shape
    reach = windows[-1] // atrous * atrous
    wide = width + 2 * reach
    rows = query.permute(1, 2, 0).contiguous()  # h w c
    lengths = rows.square().sum(dim=2)[:, :, None]
    others = F.pad(previous, (reach,) * 4).permute(1, 2, 0).contiguous()  # _ wide c
    other_lengths = others.square().sum(dim=2)
    padded = F.pad(objects, (reach,) * 4)
    offsets = list(range(-reach, reach + 1, atrous))
    nearest = query.new_full((len(objects), len(windows), height, width), FAR)
    for down in offsets:
        there = slice(reach + down, reach + down + height)
        products = torch.bmm(rows, others[there].transpose(1, 2))  # h w wide
        band = products.as_strided((height, width, 2 * reach + 1), (width * wide, wide + 1, 1))
        far = other_lengths[there].unfold(1, 2 * reach + 1, 1)
        distances = (lengths + far - 2 * band)[..., ::atrous]  # h w offsets
        is_there = padded[:, there].unfold(2, 2 * reach + 1, 1)[..., ::atrous]
        for found, mask in zip(nearest, is_there, strict=True):
            if bool(mask.any()):
                _look(found, distances.masked_fill(~mask, FAR), windows, offsets, down)
    return nearest


def _look(
    found: Float[Tensor, "v h w"],
    distances: Float[Tensor, "h w _o"],
    windows: Sequence[int],
    offsets: list[int],
    down: int,
) -> None:
    """Put into ``found`` what is nearer, in each window by what it has more than the one before."""
    nearest, begin, end = None, len(offsets), 0
    for place, window in enumerate(windows):
        inside = [index for index, offset in enumerate(offsets) if abs(offset) <= window]
        first, last = inside[0], inside[-1] + 1
        if nearest is None:
            nearest = distances[..., first:last].amin(dim=2)
        elif (first, last) != (begin, end):
            strips = torch.cat((distances[..., first:begin], distances[..., end:last]), dim=2)
            nearest = torch.minimum(nearest, strips.amin(dim=2))
        begin, end = first, last
        if abs(down) <= window:
            torch.minimum(found[place], nearest, out=found[place])


def of_the_others(distances: Float[Tensor, "n *_s"]) -> Float[Tensor, "n *_s"]:
    """Return for each object the least of all other objects; its own where it is alone."""
    count = len(distances)
    if count == 1:
        return distances
    parts = [torch.cat((distances[:place], distances[place + 1 :])).amin(dim=0) for place in range(count)]
    return torch.stack(parts)


def attention_vectors(
    references: Sequence[tuple[Float[Tensor, "c h w"], Bool[Tensor, "n h w"]]],
    previous: tuple[Float[Tensor, "c h w"], Bool[Tensor, "n h w"]],
) -> Float[Tensor, "n _d"]:
    """Return the mean embedding inside and outside each object, of the references and of the frame before."""
    return torch.cat((*_means(references), *_means([previous])), dim=1)


def _means(
    known: Sequence[tuple[Float[Tensor, "c h w"], Bool[Tensor, "n h w"]]],
) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n c"]]:
    embeddings = torch.cat([embedding.flatten(1) for embedding, _ in known], dim=1)  # c m
    inside = torch.cat([objects.flatten(1) for _, objects in known], dim=1).to(embeddings.dtype)  # n m
    parts = []
    for weights in (inside, 1 - inside):
        parts.append(weights @ embeddings.T / (weights.sum(dim=1, keepdim=True) + 1e-5))
    return parts[0], parts[1]
