"""Choices of STCN and the names under which it is asked for. No torch here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class StcnConfig:
    """How STCN sees frames and what it remembers; every default is that of the published evaluation.

    Attributes:
        short_side: to which frames are resized; None leaves them as they are.
        memory_every: a frame enters the memory bank when it is so many after the last one that did.
        include_last: frames between those enter it, too, until the next one does.
        max_frames: memory frames that are kept besides those whose masks were given, the newest ones; None
            keeps all, and so the memory grows with the video.
        top_k: elements of the memory bank that a cell reads; fewer where the bank has fewer.
        object_batch: objects that are decoded together, which bounds the memory that many of them take.
    """

    short_side: int | None = 480
    memory_every: int = 5
    include_last: bool = False
    max_frames: int | None = None
    top_k: int = 20
    object_batch: int = 8

    def __post_init__(self) -> None:
        numbers = ("short_side", "memory_every", "max_frames", "top_k", "object_batch")
        for name in numbers:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")


@dataclass(frozen=True, kw_only=True)
class StcnShape:
    """How large the network is; every default is the published one.

    Attributes:
        strides: of the three maps; from (4, 8, 16) on a pooling follows the first convolution.
        key_encoder: "resnet-50" of bottlenecks, or "basic": the value encoder's blocks, ``key_widths`` wide.
        key_widths, value_widths: channels of the two encoders at the three strides.
        key_blocks, value_blocks: blocks of basic encoders at each stride.
        key: channels that are compared.
        value: channels of a value and of what joins it in the decoder.
        joined: channels of the decoder at the two finer strides.
        has_frozen_norms: batch norms keep their statistics in training, as they do where the encoders begin
            with published weights.
    """

    strides: tuple[int, int, int] = (4, 8, 16)
    key_encoder: Literal["resnet-50", "basic"] = "resnet-50"
    key_widths: tuple[int, int, int] = (256, 512, 1024)
    key_blocks: tuple[int, int, int] = (3, 4, 6)
    value_widths: tuple[int, int, int] = (64, 128, 256)
    value_blocks: tuple[int, int, int] = (2, 2, 2)
    key: int = 64
    value: int = 512
    joined: int = 256
    has_frozen_norms: bool = True

    def __post_init__(self) -> None:
        if self.strides not in ((2, 4, 8), (4, 8, 16)):
            raise ValueError(f"strides must be (2, 4, 8) or (4, 8, 16), got {self.strides}")
        if self.key_encoder not in ("resnet-50", "basic"):
            raise ValueError(f"key_encoder must be resnet-50 or basic, got {self.key_encoder!r}")


TINY = StcnShape(
    strides=(2, 4, 8),
    key_encoder="basic",
    key_widths=(16, 32, 64),
    key_blocks=(1, 1, 2),
    value_widths=(16, 24, 48),
    value_blocks=(1, 1, 1),
    key=32,
    value=64,
    joined=24,
    has_frozen_norms=False,
)

VARIANTS: dict[str, StcnConfig] = {
    "stcn": StcnConfig(),
    "stcn-bounded": StcnConfig(max_frames=9),
    "stcn-tiny-synthetic": StcnConfig(short_side=240),
    "stcn-tiny-synthetic-bounded": StcnConfig(short_side=240, max_frames=9),
}
"""Names of ``deixis.propagators``: as published, and with the given frame and the newest 9 alone; the same
two with a small network for small frames."""

SHAPES: dict[str, StcnShape] = {
    "stcn": StcnShape(),
    "stcn-bounded": StcnShape(),
    "stcn-tiny-synthetic": TINY,
    "stcn-tiny-synthetic-bounded": TINY,
}
"""The network of each variant."""
