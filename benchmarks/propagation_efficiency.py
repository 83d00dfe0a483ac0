"""Table 4 and Figure 3 of UniRef's supplement: speed and memory against the number of frames.

    python benchmarks/propagation_efficiency.py --out OUT --models uniref-tiny-synthetic stcn-tiny-synthetic
    python benchmarks/propagation_efficiency.py --out OUT --size 480x854 --models uniref-plus-resnet50 stcn

Objects of a rendered video are followed from their masks in its first frame by UniRef and by STCN, each in a
process of its own. Weights are random unless given (NAME=WEIGHTS): they change neither time nor memory, as
long as UniRef finds a mask in each frame; a random one gets a bias for that, and its masks are whole frames.
"...-bounded" are STCNs that keep the given frame and the newest 9.

``efficiency.json``, ``efficiency.md`` and ``efficiency.png`` have, by the number of frames so far: frames a
second over all of them (Table 4) and over the last ``--window`` (Figure 3), bytes of the state, frames
remembered in it, and the largest memory of the process until then, which is that of a process that ends
there. On a CPU, seconds are those of the process (with one thread, other programs disturb them little); on a
GPU, seconds of the clock, and the largest memory is PyTorch's on the device. The time to render frames does
not count. A model whose curve is there is not measured again; one that was stopped is measured anew.
``--minutes`` ends a curve early.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mttr_speed import processor_name
from PIL import Image, ImageDraw

from deixis import propagators
from deixis.errors import DeixisError
from deixis.inference.record import versions
from deixis.ops.atomic import write_atomically
from deixis.propagators.base import ObjectMasks, Propagator
from deixis.propagators.stcn.config import SHAPES, VARIANTS
from deixis.synthetic.render import render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.scene import Scene, SceneSettings

SETTINGS = ("size", "objects", "threads", "device", "window")
COLUMNS = {
    "mean": "frames/s so far",
    "now": "frames/s now",
    "state_mib": "state, MiB",
    "remembered": "frames remembered",
    "peak_mib": "largest memory, MiB",
}
NUM_POINTS = 50
FRAMES_AT_ONCE = 8
FULL = 5.0
"""Bias of the masks of a random UniRef."""
COLOURS = ("#d1495b", "#00798c", "#edae49", "#30638e", "#6a4c93", "#5b8e7d")
_TOPS = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10)
"""Ends of an axis whose quarters are short."""
PANEL, MARGIN, HEADER = (380, 260), 52, 24


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    if options.measure:
        for row in measure(options):
            print(json.dumps(row), flush=True)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {name: getattr(options, name) for name in SETTINGS}
    curves: dict[str, list[dict[str, float]]] = {}
    for model in options.models:
        path = options.out / f"{model.partition('=')[0].replace('/', '_').strip('._')}.json"
        for curve in curve_of(model, path, settings, options):
            curves[model.partition("=")[0]] = curve
            text = write_results(options.out, settings, curves, options.frames)
    print(text)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME[=WEIGHTS]")
    parser.add_argument("--frames", type=int, nargs="+", default=[27, 100, 500, 574, 1000, 2000, 5000])
    parser.add_argument("--size", default="128x192", metavar="HEIGHTxWIDTH")
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--window", type=int, default=20, help="frames that tell the speed at a frame")
    parser.add_argument("--minutes", type=float, default=0.0, help="of each model; 0: to the last frame")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def curve_of(
    model: str, path: Path, settings: Mapping[str, Any], options: argparse.Namespace
) -> Iterator[list[dict[str, float]]]:
    """Measure a model in a process of its own, or take what is there; yield its curve as it grows."""
    settings = {**settings, "weights": model.partition("=")[2]}
    if path.is_file():
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["settings"] != settings:
            raise SystemExit(f"{path} was measured with {known['settings']}; choose another --out")
        is_there = known["curve"][-1]["frame"] >= max(options.frames) or known["minutes"] == options.minutes
        if known["is_finished"] and is_there:
            yield known["curve"]
            return
    about = {"settings": settings, "minutes": options.minutes, "device": processor_name()}
    if options.device != "cpu":
        about["device"] = torch.cuda.get_device_name(options.device)
    curve: list[dict[str, float]] = []
    print(f"measuring {model}", flush=True)
    arguments = [sys.executable, __file__, *sys.argv[1:], "--measure", "--models", model]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            curve.append(json.loads(line))
            plain = {**about, "versions": versions(), "is_finished": False, "curve": curve}
            write_atomically(path, json.dumps(plain, indent=1).encode())
            yield curve
    if process.returncode or not curve:
        raise SystemExit(f"{model}: the process that measures it ended with {process.returncode}")
    write_atomically(path, json.dumps({**plain, "is_finished": True}, indent=1).encode())


def measure(options: argparse.Namespace) -> Iterator[dict[str, float]]:
    """Follow the objects of a video; yield a point of the curve now and then."""
    name, _, weights = options.models[0].partition("=")
    last = max(options.frames)
    height, width = (int(side) for side in options.size.split("x"))
    scene, given = video(last, (height, width), options.objects)
    propagator = make_propagator(name, weights, options.device)
    points = {*options.frames, last} | {
        round(last * place / NUM_POINTS) for place in range(1, NUM_POINTS + 1)
    }
    state, seconds, begin = propagator.start(), [0.0], time.monotonic()
    for index, frame in enumerate(frames(scene, last)):
        before = now(options.device)
        with torch.inference_mode():
            _, state = propagator.step(frame.to(options.device), state, given if index == 0 else None)
        seconds.append(seconds[-1] + now(options.device) - before)
        count = index + 1
        is_over = bool(options.minutes) and time.monotonic() - begin > 60 * options.minutes
        # The first frame is given, nothing is looked for in it.
        if count > 1 and (count in points or is_over):
            window = min(options.window, count - 1)
            yield {
                "frame": count,
                "mean": round(count / seconds[-1], 3),
                "now": round(window / (seconds[-1] - seconds[-1 - window]), 3),
                "state_mib": round(num_bytes(state) / 2**20, 3),
                "remembered": num_remembered(state),
                "peak_mib": round(peak_bytes(options.device) / 2**20, 1),
            }
        if is_over:
            return


def video(length: int, size: tuple[int, int], num_objects: int) -> tuple[Scene, ObjectMasks]:
    """Return a scene with ``num_objects`` that are all seen in the first frame, and their masks there."""
    settings = SceneSettings(
        size=size, length=length, min_objects=num_objects, max_objects=num_objects, moving_camera=0.0
    )
    for seed in range(1000):
        scene = sample_scene(seed, settings)
        masks = torch.from_numpy(render(scene, [0]).masks[:, 0])
        if masks.flatten(1).any(dim=1).all():
            return scene, ObjectMasks(tuple(range(1, num_objects + 1)), masks)
    raise SystemExit(
        f"no scene of {size} shows all of {num_objects} objects at once; ask for fewer --objects"
    )


def frames(scene: Scene, length: int) -> Iterator[torch.Tensor]:
    """Yield the frames of a scene, ``uint8 [3, H, W]``; a few are rendered at a time."""
    for start in range(0, length, FRAMES_AT_ONCE):
        clip = render(scene, range(start, min(start + FRAMES_AT_ONCE, length)))
        for image in clip.frames:
            yield torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).contiguous()


def make_propagator(name: str, weights: str, device: str) -> Propagator:
    """Build a propagator with the weights that are given, or with random ones."""
    torch.manual_seed(0)
    if name in VARIANTS:
        from deixis.propagators.stcn.network import StcnNetwork
        from deixis.propagators.stcn.propagator import StcnPropagator

        network = StcnNetwork(SHAPES[name]).to(device)
        if weights:
            network = propagators.build(name, weights, device=device).network  # type: ignore[attr-defined]
        return StcnPropagator(network, VARIANTS[name])
    from deixis.models.loading import load
    from deixis.models.registry import find_variant
    from deixis.models.uniref.model import UniRef
    from deixis.propagators.uniref import UniRefPropagator

    if weights or (Path(name) / "config.json").is_file():
        model = load(name, weights or None, device=device)
    else:
        family, config = find_variant(name)
        if family != "uniref":
            raise SystemExit(
                f"{name} is no UniRef and no STCN; name one of {', '.join(VARIANTS)} or a UniRef"
            )
        model = UniRef(replace(config, mask_threshold=0.0))
        with torch.no_grad():
            model.controller.layers[-1].bias[-1] = FULL
    if not isinstance(model, UniRef):
        raise SystemExit(f"{name} is a {type(model).__name__}, which follows no masks")
    return UniRefPropagator(model.to(device))


def now(device: str) -> float:
    """Return seconds: of this process on a CPU, else of the clock when all work is done."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def peak_bytes(device: str) -> int:
    """Return the largest memory so far: of the process, or of PyTorch on the device."""
    if device == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return torch.cuda.max_memory_allocated(device)


def num_bytes(state: Any) -> int:
    """Return the bytes of all tensors that a state holds, with what they are views of; each once."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors(state)}
    return sum(storage.nbytes() for storage in storages.values())


def tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield all tensors inside of a value."""
    if isinstance(value, torch.Tensor):
        yield value
        return
    parts: Sequence[Any] = ()
    if isinstance(value, Mapping):
        parts = tuple(value.values())
    elif isinstance(value, tuple | list):
        parts = value
    elif is_dataclass(value):
        parts = [getattr(value, item.name) for item in fields(value)]
    elif hasattr(value, "__dict__"):
        parts = tuple(vars(value).values())
    for part in parts:
        yield from tensors(part)


def num_remembered(state: Any) -> int:
    """Return how many frames a state of STCN or of UniRef remembers with masks."""
    if hasattr(state, "bank"):
        return state.bank.num_frames
    known = [*state.model["first"].values(), *state.model["previous"].values()]
    return len({reference["frame"] for reference in known})


def write_results(
    out: Path,
    settings: Mapping[str, Any],
    curves: Mapping[str, Sequence[Mapping[str, float]]],
    counts: Sequence[int],
) -> str:
    """Write curves, table and plot of all models so far; return the table."""
    text = render_table(curves, counts)
    plain = {"settings": dict(settings), "versions": versions(), "curves": dict(curves)}
    write_atomically(out / "efficiency.json", json.dumps(plain, indent=1).encode())
    write_atomically(out / "efficiency.md", text.encode())
    draw(curves).save(out / "efficiency.png", optimize=True)
    return text


def render_table(curves: Mapping[str, Sequence[Mapping[str, float]]], counts: Sequence[int]) -> str:
    """Return the points at ``counts`` frames, and the last one, as Markdown."""
    header = ["model", "frames", *COLUMNS.values()]
    lines = [f"| {' | '.join(header)} |", f"| --- |{' ---: |' * (len(header) - 1)}"]
    for name, curve in curves.items():
        for point in curve:
            if point["frame"] in counts or point is curve[-1]:
                cells = [name, f"{point['frame']:,}", *(short(point[key]) for key in COLUMNS)]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def short(value: float) -> str:
    """Return a number with three digits or more."""
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def round_up(value: float) -> float:
    """Return the next number that an axis may end at."""
    unit = 10.0 ** np.floor(np.log10(max(value, 1e-3)))
    return float(next(unit * step for step in _TOPS if value <= unit * step))


def draw(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> Image.Image:
    """Draw speed, state and largest memory against the number of frames, side by side."""
    keys = ("now", "state_mib", "peak_mib")
    width = len(keys) * (PANEL[0] + MARGIN) + MARGIN
    sheet = Image.new("RGB", (width, PANEL[1] + 3 * HEADER + 20), "white")
    pen = ImageDraw.Draw(sheet)
    for place, key in enumerate(keys):
        draw_panel(pen, (MARGIN + place * (PANEL[0] + MARGIN), HEADER), key, curves)
    left = MARGIN
    for number, name in enumerate(curves):
        pen.line((left, sheet.height - 16, left + 20, sheet.height - 16), COLOURS[number % len(COLOURS)], 3)
        pen.text((left + 26, sheet.height - 22), name, fill="black")
        left += 46 + round(pen.textlength(name))
    return sheet


def draw_panel(
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    key: str,
    curves: Mapping[str, Sequence[Mapping[str, float]]],
) -> None:
    """Draw one figure of all curves, from zero."""
    (left, top), (wide, tall) = corner, PANEL
    points = [point for curve in curves.values() for point in curve]
    right, high = (round_up(max(point[name] for point in points)) for name in ("frame", key))
    pen.text((left, top - 18), COLUMNS[key], fill="black")
    for tick in range(5):
        x, y = left + tick * wide / 4, top + tall - tick * tall / 4
        pen.line((left, y, left + wide, y), "#dddddd")
        pen.text((left - 5, y), short(tick * high / 4), fill="#555555", anchor="rm")
        pen.text((x, top + tall + 6), short(tick * right / 4), fill="#555555", anchor="ma")
    pen.text((left + wide, top + tall + 20), "frames", fill="#555555", anchor="ra")
    for number, curve in enumerate(curves.values()):
        line = [
            (left + wide * point["frame"] / right, top + tall * (1 - point[key] / high)) for point in curve
        ]
        pen.line(line, COLOURS[number % len(COLOURS)], 2)
        if len(line) == 1:
            pen.point(line, COLOURS[number % len(COLOURS)])


if __name__ == "__main__":
    try:
        main()
    except DeixisError as error:
        raise SystemExit(f"propagation_efficiency: {error}") from error
