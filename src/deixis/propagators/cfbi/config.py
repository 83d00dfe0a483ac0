"""Choices of CFBI and its published variants. No torch here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class CfbiConfig:
    """One CFBI; every default is that of the published evaluation.

    Attributes:
        backbone: of the features.
        long_side: longest side of a frame in the network.
        windows: how far, in cells of 8 pixels, an object may be from where it was; each gives a channel.
        global_atrous: of the reference frames every so many rows and columns are compared.
        object_batch: objects whose maps go through the head together, which bounds their memory.
    """

    backbone: Literal["resnet-101", "mobilenet-v2"] = "resnet-101"
    long_side: int = 1040
    windows: tuple[int, ...] = (2, 4, 6, 8, 10, 12)
    global_atrous: int = 1
    object_batch: int = 8

    def __post_init__(self) -> None:
        for name in ("long_side", "global_atrous", "object_batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.windows or list(self.windows) != sorted(set(self.windows)) or self.windows[0] < 1:
            raise ValueError(f"windows must rise from 1 or more, got {self.windows}")


@dataclass(frozen=True, kw_only=True)
class Level:
    """How CFBI+ compares the maps of one stride.

    Attributes:
        channels: of the embedding, the first ones, that are compared.
        windows: offsets up to which the last frame is looked at; each gives a channel.
        atrous: only rows, columns and offsets that are multiples of it are compared.
    """

    channels: int
    windows: tuple[int, ...]
    atrous: int = 1


@dataclass(frozen=True, kw_only=True)
class CfbiPlusConfig:
    """One CFBI+; every default is that of the published evaluation.

    Attributes:
        levels: of strides 4, 8 and 16.
        long_side, object_batch: as of CFBI.
    """

    levels: tuple[Level, Level, Level] = (
        Level(channels=32, windows=(4, 8, 12, 16, 20, 24), atrous=2),
        Level(channels=64, windows=(2, 4, 6, 8, 10, 12)),
        Level(channels=128, windows=(2, 4, 6, 8, 10)),
    )
    long_side: int = 1040
    object_batch: int = 8


VARIANTS: dict[str, CfbiConfig | CfbiPlusConfig] = {
    "cfbi": CfbiConfig(),
    "cfbi-mobilenet": CfbiConfig(backbone="mobilenet-v2"),
    "cfbi-plus": CfbiPlusConfig(),
}
"""Names of ``deixis.propagators``: those of the published files ``resnet101_cfbi``, ``mobilenet_cfbi``,
``resnet101_cfbip``."""
