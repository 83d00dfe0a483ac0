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
    seed: int = 0
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
    """Return a scene and two sentences that name two different objects by how they look.

    Scenes are drawn from ``seed`` on until one has such sentences.
    """
    from deixis.synthetic.scene import SceneSettings
    from deixis.synthetic.world import scene_record

    if length < 1:
        raise ValueError(f"a clip has at least 1 frame, got {length}")
    settings = SceneSettings(size=(256, 384), length=length, min_objects=3, moving_camera=0)
    while True:
        record = scene_record(seed, settings, "demo")
        chosen: dict[int, str] = {}
        for expression in record.expressions:
            if len(expression.object_ids) == 1 and expression.kinds == ("appearance",):
                chosen.setdefault(expression.object_ids[0], expression.text)
        if len(chosen) >= 2:
            first, second = list(chosen.values())[:2]
            return record, (first, second)
        seed += 1
