"""Reading goldens and comparing arrays; the run itself is in each model's ``goldens.py``."""

import hashlib
import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deixis import propagators
from deixis.errors import DatasetError, UnknownNameError
from deixis.models.golden import GoldenRun
from deixis.models.registry import FAMILIES
from deixis.parity.draw import draw_inputs, draw_parameters
from deixis.parity.measures import measure
from deixis.parity.result import ArrayParity, ParityReport


def check(
    golden: Path | str, layout: Path | str | None = None, tolerance: float | None = None
) -> ParityReport:
    """Repeat the run of ``golden`` with our model and compare every array.

    Args:
        golden: the ``.npz`` or its sidecar ``.json``; a sidecar of kind "ops" may stand alone.
        layout: published name -> shape, instead of the file that the sidecar names.
        tolerance: instead of the sidecar's, for floating-point arrays.

    Raises:
        DatasetError: a file is missing, broken or not a golden.
        UnknownNameError: a model that is not here.
    """
    path = Path(golden)
    sidecar = _read_json(path.with_suffix(".json"))
    if "kind" not in sidecar or "arrays" not in sidecar:
        raise DatasetError(
            f"{path.with_suffix('.json')} is not the sidecar of a golden: no 'kind' or 'arrays'"
        )
    arrays = _read_arrays(path.with_suffix(".npz")) if sidecar["arrays"] else {}
    family = sidecar["model"]
    packages = {**FAMILIES, **propagators.FAMILIES}
    if family not in packages:
        raise UnknownNameError("model of a golden", family, packages)
    bound = sidecar.get("tolerance", 1e-4) if tolerance is None else tolerance
    if "tables" in sidecar or "expected" in sidecar:
        from deixis.parity.tables import check_tables

        return ParityReport(path.stem, family, sidecar["kind"], tuple(check_tables(sidecar, bound)))
    parameters: Mapping[str, np.ndarray] = {}
    if layout is not None or "layout" in sidecar:
        named = _read_json(Path(layout)) if layout is not None else sidecar["layout"]
        shapes = named if isinstance(named, Mapping) else _read_json(path.parent / named)
        parameters = draw_parameters(shapes, sidecar.get("parameters", {}))
    run = GoldenRun(
        variant=sidecar.get("variant"),
        kind=sidecar["kind"],
        options=sidecar.get("options", {}),
        inputs=draw_inputs(sidecar.get("inputs", {})),
        parameters=parameters,
        stored={name: value for name, value in arrays.items() if name.startswith("in_")},
        names=tuple(sidecar["arrays"]),
    )
    ours = {**importlib.import_module(f"{packages[family]}.goldens").run(run), **measure(run)}
    rows = [
        compare(name, ours.get(name), arrays.get(name), entry, bound)
        for name, entry in sidecar["arrays"].items()
    ]
    rows += [_compare_rle(name, ours.get(name), codes) for name, codes in sidecar.get("rle", {}).items()]
    return ParityReport(path.stem, family, sidecar["kind"], tuple(rows))


def compare(
    name: str,
    ours: np.ndarray | None,
    recorded: np.ndarray | None,
    entry: Mapping[str, Any],
    tolerance: float,
) -> ArrayParity:
    """Compare our whole array with the recorded selection of the published one.

    Args:
        name: of the array.
        ours: whole, before the selection.
        recorded: what the golden holds.
        entry: of the sidecar: ``shape`` of the whole array, ``select``, ``stage``, ``differing``.
        tolerance: of floating-point arrays.
    """
    stage = entry.get("stage", "")
    if ours is None or recorded is None:
        return ArrayParity(
            name, stage, None, tolerance, "missing in ours" if ours is None else "not recorded"
        )
    is_exact = not np.issubdtype(recorded.dtype, np.floating)
    bound = float(entry.get("differing", 0.0)) if is_exact else tolerance
    if list(ours.shape) != list(entry["shape"]):
        problem = f"shape {list(ours.shape)}, recorded {list(entry['shape'])}"
        return ArrayParity(name, stage, None, bound, problem)
    chosen = select(ours, entry.get("select", "all"))
    if chosen.shape != recorded.shape:
        problem = f"selected shape {list(chosen.shape)}, recorded {list(recorded.shape)}"
        return ArrayParity(name, stage, None, bound, problem)
    error = float(np.mean(chosen != recorded)) if is_exact else relative_error(chosen, recorded)
    return ArrayParity(name, stage, error, bound)


def relative_error(ours: np.ndarray, recorded: np.ndarray) -> float:
    """Return ``max|ours - recorded| / max|recorded|``; infinite where ours is not finite."""
    if not recorded.size:
        return 0.0
    if not np.isfinite(ours).all():
        return float("inf")
    difference = np.abs(ours.astype(np.float64) - recorded.astype(np.float64)).max()
    largest = np.abs(recorded.astype(np.float64)).max()
    return float(difference / largest) if largest > 0 else float(difference)


def select(array: np.ndarray, selection: str | Mapping[str, Any]) -> np.ndarray:
    """Take the part of ``array`` that a golden holds: all, a basic slice, or every n-th element.

    Raises:
        DatasetError: the selection is none of these.
    """
    if selection == "all":
        return array
    if isinstance(selection, Mapping) and "flat_step" in selection:
        return array.reshape(-1)[:: selection["flat_step"]]
    if isinstance(selection, Mapping) and "slice" in selection:
        return array[tuple(_index(part.strip()) for part in selection["slice"].split(","))]
    raise DatasetError(f"unknown selection {selection!r} in a golden; use 'all', 'slice' or 'flat_step'")


def _index(part: str) -> Any:
    if part == "...":
        return Ellipsis
    if re.fullmatch(r"-?\d+", part):
        return int(part)
    if re.fullmatch(r"(-?\d*)(:-?\d*){1,2}", part):
        return slice(*(int(number) if number else None for number in part.split(":")))
    raise DatasetError(f"unknown slice {part!r} in a golden")


def _compare_rle(name: str, masks: np.ndarray | None, codes: list[dict[str, Any]]) -> ArrayParity:
    """Compare the run lengths of our masks with recorded sizes, areas and digests."""
    from deixis.ops.masks import encode_rle

    if masks is None or len(masks) != len(codes):
        return ArrayParity(f"{name}.rle", "run lengths", None, 0.0, "missing in ours")
    different = 0
    for mask, ours, code in zip(masks, encode_rle(masks), codes, strict=True):
        counts = ours["counts"].encode()
        figures = [ours["size"], int(mask.sum()), len(counts), hashlib.sha256(counts).hexdigest()]
        different += figures != [code["size"], code["area"], code["counts_len"], code["counts_sha256"]]
    return ArrayParity(f"{name}.rle", "compressed run lengths of the masks", different / len(codes), 0.0)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise DatasetError(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise DatasetError(f"{path} must hold a JSON object")
    return data


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    import zipfile

    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is not a file of arrays: {error}") from error
