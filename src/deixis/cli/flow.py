"""``deixis data flow``: optical flow made ahead."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deixis.flow.config import MotionSpec
    from deixis.flow.precompute import Frames


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Estimate the optical flow of a video or of a data set ahead.

    Without --export, flow goes to a cache that `deixis segment --flow-cache` reads. Flow by DIS takes a few
    milliseconds a frame and needs no cache; flow by RAFT takes seconds. A second run makes what is missing.
    """

    source: tyro.conf.Positional[str]
    """Video file, folder of frames or pattern; or a data set, as `deixis data list` names it, with --root."""
    cache: Path = Path("out") / "flow"
    """Folder of the cache."""
    export: Path | None = None
    """Write flow to the next frame to this folder instead, as FRAME.png in KITTI's 16-bit format."""
    model: str | None = None
    """Estimate what this model will ask for: its estimator, directions and size of frames."""
    estimator: Literal["dis-ultrafast", "dis-fast", "dis-medium", "raft-small", "raft-large"] | None = None
    """Estimator; by default the model's, or dis-medium."""
    weights: str | None = None
    """Of RAFT: a file, or one of torchvision's names such as C_T_SKHT_V2."""
    directions: Literal["backward", "forward", "both"] | None = None
    """To which neighbours; by default the model's, or both."""
    short_side: int | None = None
    """Frames are reduced to it first; by default the model's, or 480."""
    root: Path | None = None
    """Folder of the data set."""
    split: str | None = None
    """Split of the data set; by default the one that results are reported on."""
    device: str = "auto"
    """Of RAFT: auto, cpu, cuda, cuda:1, mps."""

    def run(self) -> None:
        """Estimate and say where the flow is.

        Raises:
            DeixisError: a source, weights or a folder that cannot be used.
        """
        from tqdm import tqdm

        from deixis.flow.cache import CachedFlow
        from deixis.flow.estimator import find_estimator
        from deixis.flow.precompute import export_flow, precompute

        spec = self._spec()
        estimator = find_estimator(spec.estimator, weights=self.weights, device=self.device)
        num_frames, videos = self._videos()
        cache = None if self.export is not None else CachedFlow(estimator, self.cache)
        with tqdm(total=num_frames, unit="frames", disable=None) as bar:
            for folder, frames in videos:
                if cache is not None:
                    done = precompute(frames, spec, cache)
                else:
                    assert self.export is not None
                    done = export_flow(frames, spec, estimator, self.export / folder)
                for _ in done:
                    bar.update()
        if cache is None:
            print(f"written: {self.export}")
        else:
            print(f"{cache.folder}: {cache.num_made} made, {cache.num_read} there already")

    def _spec(self) -> "MotionSpec":
        from dataclasses import replace

        from deixis.flow.config import MotionSpec

        spec = MotionSpec(directions="both")
        if self.model is not None:
            from deixis.models.registry import find_variant

            wanted = find_variant(self.model)[1].inputs.motion
            if wanted is None:
                raise ValueError(f"{self.model} wants no optical flow")
            spec = wanted
        return replace(
            spec,
            estimator=self.estimator or spec.estimator,
            directions=self.directions or spec.directions,
            short_side=spec.short_side if self.short_side is None else self.short_side,
        )

    def _videos(self) -> "tuple[int | None, Iterator[tuple[str, Frames]]]":
        """Return how many frames there are, and each video's folder name and frames."""
        from deixis.data.catalog import DATASETS, find_dataset, load_records

        if self.root is None and self.source in DATASETS:
            raise ValueError(f"where is {self.source}? give its folder with --root")
        if self.root is None:
            from deixis.video.sources import open_source

            source = open_source(self.source)
            named = ((frame.image, frame.name) for frame in source)
            return source.num_frames, iter([("", named)])
        entry = find_dataset(self.source)
        records = load_records(self.source, self.root, self.split or entry.evaluated)
        videos = (
            (
                record.name,
                ((record.frames.read([i])[0], name) for i, name in enumerate(record.frame_names)),
            )
            for record in records
        )
        return sum(len(record.frame_names) for record in records), videos
