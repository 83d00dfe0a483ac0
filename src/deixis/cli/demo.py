"""``deixis demo``: a rendered clip, two sentences, and what the embedded model makes of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from deixis.models.registry import DEFAULT

if TYPE_CHECKING:
    from deixis.data.records import VideoRecord


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Render a sample clip and segment it with two sentences: overlay video, masks and JSON."""

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out/demo")
    """Folder to write to."""
    model: str = DEFAULT
    """Name (see `deixis models list`), or a folder of a model."""
    seed: int = 24
    """Of the scene."""
    length: int = 48
    """Frames of the clip."""
    device: str = "auto"
    """auto (a GPU where there is one), cpu, cuda, cuda:1, mps."""
    overwrite: bool = False
    """Write anew what is there already."""

    def run(self) -> None:
        """Render, segment, and say where the results are and how long it took."""
        import time

        from deixis.cli.segment import Segment, check_folder
        from deixis.synthetic.write import render_videos

        begin = time.perf_counter()
        check_folder(self.out)
        record, expressions = sample(self.seed, self.length)
        (video,) = render_videos([record], self.out, overwrite=self.overwrite)
        print(f"{video}: {self.length} frames, rendered")
        Segment(
            source=str(video),
            expressions=expressions,
            model=self.model,
            out=self.out,
            device=self.device,
            overwrite=self.overwrite,
        ).run()
        print(f"look at {self.out / 'overlay.mp4'} ({time.perf_counter() - begin:.1f} s in all)")


def sample(seed: int, length: int) -> "tuple[VideoRecord, tuple[str, str]]":
    """Return a clip in which two things move and two sentences that name them.

    Scenes are drawn from ``seed`` on until one has such sentences.
    """
    from deixis.synthetic.wild.scene import WildSettings
    from deixis.synthetic.wild.world import wild_record

    if length < 1:
        raise ValueError(f"a clip has at least 1 frame, got {length}")
    settings = WildSettings(size=(360, 640), length=length)
    while True:
        record = wild_record(seed, settings, "demo")
        movers = set(record.expressions[0].object_ids)
        chosen: dict[int, str] = {}
        for expression in record.expressions[1:]:
            if len(expression.object_ids) == 1 and set(expression.object_ids) < movers:
                chosen.setdefault(expression.object_ids[0], expression.text)
        if len(chosen) >= 2:
            first, second = list(chosen.values())[:2]
            return record, (first, second)
        seed += 1
