"""``deixis bench``: our models against stored numbers, and against the clock."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from deixis.errors import DeixisError
from deixis.models.registry import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from deixis.inference.engine import Engine


class ParityError(DeixisError):
    """Arrays that differ from the golden's by more than the tolerance."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Compare a model with goldens: the largest error of every array, in the order of the forward pass.

    Exit code 2 where an array differs by more than the tolerance.
    """

    goldens: tyro.conf.Positional[tuple[Path, ...]]
    """Goldens: NAME.npz with NAME.json beside it."""
    layout: Path | None = None
    """Names and shapes of the published parameters; by default the file that the golden names."""
    tolerance: float | None = None
    """Largest error max|ours - golden| / max|golden| that passes; by default the golden's own."""
    json: bool = False
    """Print one JSON object a golden."""

    def run(self) -> None:
        """Compare and print.

        Raises:
            ParityError: something differs.
        """
        from deixis.parity import check

        if not self.goldens:
            raise ValueError("name at least one golden: deixis bench parity GOLDEN.npz")
        different = []
        for golden in self.goldens:
            report = check(golden, layout=self.layout, tolerance=self.tolerance)
            print(json.dumps(report.to_plain()) if self.json else "\n".join(report.lines()), flush=True)
            if not report.is_equal:
                different.append(report.golden)
        if different:
            raise ParityError(f"{len(different)} of {len(self.goldens)} differ: {', '.join(different)}")


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Time a model on one window of random frames, part by part; weights do not matter for it."""

    model: tyro.conf.Positional[str] = DEFAULT
    """Name, as `deixis models list` gives it."""
    frames: int = 8
    """Frames of the window."""
    height: int = 320
    """Of the network's input."""
    width: int = 576
    """Of the network's input."""
    expressions: tuple[int, ...] = (1, 5)
    """How many expressions, one measurement each."""
    tokens: int = 10
    """Length of each expression."""
    repeats: int = 3
    """Measurements; the best counts."""
    threads: int | None = None
    """CPU threads; by default what torch takes."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 is mixed precision."""
    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Measure and print seconds, with device, versions and threads."""
        import torch

        from deixis.inference.record import versions

        if min(self.frames, self.height, self.width, self.tokens, self.repeats, *self.expressions, 1) < 1:
            raise ValueError("frames, height, width, tokens, repeats and expressions must be at least 1")
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        engine = self._engine()
        seconds = self._measure(engine)
        settings = {"model": self.model, "frames": self.frames, "size": [self.height, self.width]}
        found: dict[str, Any] = {
            **settings,
            "device": str(engine.device),
            "dtype": self.dtype,
            "threads": torch.get_num_threads(),
            "versions": versions(),
            "seconds": {part: round(value, 4) for part, value in seconds.items()},
        }
        if self.json:
            print(json.dumps(found))
            return
        print(f"{self.model}: {self.frames} frames of {self.height}x{self.width}, {self.tokens} tokens")
        print(f"{found['device']}, {self.dtype}, {found['threads']} threads, torch {torch.__version__}")
        for part, value in seconds.items():
            print(f"  {part:<24} {value:>9.4f} s")

    def _engine(self) -> "Engine":
        from deixis.inference.engine import Engine, find_dtype
        from deixis.models.registry import family_part, find_variant
        from deixis.ops.device import find_device

        device = find_device(self.device)
        family, config = find_variant(self.model)
        model = family_part(family, "model").MODEL(config).to(device).eval()
        return Engine(model, device, find_dtype(self.dtype), max(self.expressions))

    def _measure(self, engine: "Engine") -> dict[str, float]:
        import torch

        from deixis.structures import Tokens

        pixels = torch.randint(0, 256, (self.frames, 3, self.height, self.width), dtype=torch.uint8)
        frames, seconds = list(pixels), {}
        seconds["vision"] = self._best(engine, lambda: engine.encode_frames(frames))
        for count in self.expressions:
            ids = torch.arange(3, 3 + self.tokens).expand(count, -1)
            tokens = Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))
            names = [""] * count
            text = engine.encode_expressions(names, tokens)
            label = f"{count} expression{'s' if count > 1 else ''}"
            seconds[f"text, {label}"] = self._best(
                engine, lambda names=names, tokens=tokens: engine.encode_expressions(names, tokens)
            )
            seconds[f"all, {label}"] = self._best(
                engine, lambda text=text: engine.find_candidates(0, frames, text, 1)
            )
        return seconds

    def _best(self, engine: "Engine", work: "Callable[[], object]") -> float:
        """Return the shortest of several runs after one that does not count."""
        import time

        import torch

        durations = []
        for _ in range(self.repeats + 1):
            begin = time.perf_counter()
            work()
            if engine.device.type == "cuda":
                torch.cuda.synchronize(engine.device)
            durations.append(time.perf_counter() - begin)
        return min(durations[1:])
