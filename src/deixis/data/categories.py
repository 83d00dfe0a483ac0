"""Lists of kinds of objects, in the order in which class-discriminative heads number them. No torch here."""

from deixis.errors import DatasetError, UnknownNameError

from .records import VideoRecord

YOUTUBE_VOS = (
    *("airplane", "ape", "bear", "bike", "bird", "boat", "bucket", "bus", "camel", "cat", "cow", "crocodile"),
    *("deer", "dog", "dolphin", "duck", "eagle", "earless_seal", "elephant", "fish", "fox", "frisbee"),
    *("frog", "giant_panda", "giraffe", "hand", "hat", "hedgehog", "horse", "knife", "leopard", "lion"),
    *("lizard", "monkey", "motorbike", "mouse", "others", "owl", "paddle", "parachute", "parrot", "penguin"),
    *("person", "plant", "rabbit", "raccoon", "sedan", "shark", "sheep", "sign", "skateboard", "snail"),
    *("snake", "snowboard", "squirrel", "surfboard", "tennis_racket", "tiger", "toilet", "train", "truck"),
    *("turtle", "umbrella", "whale", "zebra"),
)
"""The 65 training categories of YouTube-VOS and Ref-YouTube-VOS (ReferFormer, section 10.3)."""

TABLES = ("youtube-vos", "shapes", "things")
"""Names that :func:`class_names` takes."""


def class_names(table: str) -> tuple[str, ...]:
    """Return the classes of ``table``: "youtube-vos", or "shapes" or kinds of "things" of a rendered world.

    Raises:
        UnknownNameError: there is no such table.
    """
    if table == "youtube-vos":
        return YOUTUBE_VOS
    if table == "shapes":
        from deixis.synthetic.shapes import SHAPES

        return tuple(SHAPES)
    if table == "things":
        from deixis.ops.lexicon import CATEGORIES

        return CATEGORIES
    raise UnknownNameError("table of classes", table, TABLES)


def label_of(record: VideoRecord, identity: int, table: str) -> int:
    """Return the class of an object of ``record``, as a number into ``class_names(table)``.

    Raises:
        DatasetError: the record does not say what the object is, or the table does not have it.
    """
    category = next((one.category for one in record.objects if one.id == identity), "")
    names = class_names(table)
    if category not in names:
        raise DatasetError(
            f"object {identity} of video {record.name!r} has the category {category!r}, which is none of the "
            f"{len(names)} classes {table!r}; take a data set that names them, or leave clip.classes empty"
        )
    return names.index(category)
