"""Mixes of data sets, for a recipe's ``data``: which, in which shares, sampled by which rule. No torch here.

UniRef trains on one task at a time: the clips of a process are of one data set, two of them
(``Recipe.run_length`` 2), drawn in proportion to the weights.
"""

from deixis.training.recipe import DataSource


def _uniref(name: str, weight: float, sampling: str) -> DataSource:
    return DataSource(name=name, weight=weight, sampling=sampling)


_REFCOCO = ("refcoco", "refcoco+", "refcocog")

_VOS = (
    _uniref("coco", 0.40, "uniref-vos-pseudo-video"),
    _uniref("youtube-vos-2019", 0.30, "uniref-vos"),
    _uniref("lvos", 0.20, "uniref-vos"),
    _uniref("ovis", 0.10, "uniref-vos"),
)
_RVOS = (
    # 0.45 for the three, which are as large as one another (42,404, 42,278 and 42,226 objects).
    *(_uniref(name, 0.15, "uniref-pseudo-video") for name in _REFCOCO),
    _uniref("ref-youtube-vos", 0.55, "uniref-video"),
)
_IMAGES_CODE = (
    _uniref("coco", 1.0, "uniref-detection"),
    *(_uniref(name, 1 / 3, "uniref-image") for name in _REFCOCO),
)

MIXES: dict[str, tuple[DataSource, ...]] = {
    "uniref-boxes": (_uniref("visual-genome", 1.0, "uniref-boxes"),),
    "uniref-images": tuple(_uniref(name, 1.0, "uniref-image") for name in _REFCOCO),
    "uniref-images-code": _IMAGES_CODE,
    "uniref-images-fss-code": (*_IMAGES_CODE, _uniref("fss-1000", 0.05, "uniref-examples")),
    "uniref-videos": (*_VOS, *_RVOS),
    "uniref-videos-code": (
        _uniref("coco", 0.8, "uniref-vos-pseudo-video-small"),
        _uniref("youtube-vos-2019", 0.6, "uniref-vos"),
        _uniref("lvos", 0.4, "uniref-vos"),
        _uniref("ovis", 0.2, "uniref-vos"),
        *(_uniref(name, 1 / 3, "uniref-pseudo-video") for name in _REFCOCO),
        _uniref("ref-youtube-vos", 1.0, "uniref-video"),
    ),
}
"""Name -> sources. "uniref-boxes", "uniref-images", "uniref-videos": stages I, II and III of the supplement's
table 1; half of the clips of stage III have expressions. "-code": weights and sizes of the published code,
which finds all objects of COCO's images besides; "-fss" is its second stage on images, with examples."""
