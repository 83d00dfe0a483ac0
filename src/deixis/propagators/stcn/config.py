"""Choices of STCN and the names under which it is asked for. No torch here."""

from dataclasses import dataclass


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


VARIANTS: dict[str, StcnConfig] = {"stcn": StcnConfig(), "stcn-bounded": StcnConfig(max_frames=9)}
"""Names of ``deixis.propagators``: as published; with the given frame and the newest 9 alone."""
