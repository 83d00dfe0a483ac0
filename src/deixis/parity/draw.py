"""Tensors that are pure functions of their names: parameters and inputs of goldens need no file."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deixis.parity.images import draw_image
from deixis.parity.scenes import draw_scene


def generator(name: str) -> np.random.Generator:
    """Return the generator seeded by ``name``: PCG64 over eight bytes (little end) of its SHA-256."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))


def fill(name: str, shape: Sequence[int]) -> np.ndarray:
    """Draw the float32 parameter or floating-point buffer ``name``.

    Running variances are uniform in [0.5, 1.5), running means 0.1 N(0, 1); scales of norms (weights of one
    dimension) 1 + 0.1 N(0, 1), other vectors 0.02 N(0, 1); all else N(0, 1) over the root of its fan-in.
    """
    source = generator(name)
    kind = name.rpartition(".")[2]
    if kind == "running_var":
        return source.uniform(0.5, 1.5, size=shape).astype(np.float32)
    draw = source.standard_normal(shape)
    if kind == "running_mean":
        return np.asarray(0.1 * draw, dtype=np.float32)
    if len(shape) > 1:
        return (draw / np.sqrt(math.prod(shape[1:]))).astype(np.float32)
    return np.asarray(0.1 * draw + 1.0 if kind == "weight" else 0.02 * draw, dtype=np.float32)


def draw_parameters(
    layout: Mapping[str, Sequence[int]], exceptions: Mapping[str, Mapping[str, Any]]
) -> dict[str, np.ndarray]:
    """Draw every parameter of ``layout`` (name -> shape).

    Args:
        layout: of a published checkpoint.
        exceptions: by name, or by prefix and ``*``: ``same_as`` takes another name's draw, ``scale``
            multiplies, ``add`` shifts all entries or those at ``index``.

    Raises:
        ValueError: an exception matches no name of the layout, or has an unknown rule.
    """
    for pattern, rule in exceptions.items():
        if set(rule) - {"same_as", "scale", "add", "index"}:
            raise ValueError(f"unknown rule {dict(rule)} for the parameter {pattern!r}")
        if not any(_matches(name, pattern) for name in layout):
            raise ValueError(f"the layout has no parameter {pattern!r}")
    parameters = {}
    for name, shape in layout.items():
        rules = [(pattern, rule) for pattern, rule in exceptions.items() if _matches(name, pattern)]
        source = name
        for pattern, rule in rules:
            if "same_as" in rule:
                source = _aliased(name, pattern, rule["same_as"])
        value = fill(source, shape)
        for _, rule in rules:
            value = _modified(value, rule)
        parameters[name] = value
    return parameters


def draw_inputs(inputs: Any) -> Any:
    """Replace each ``{"generator": name, "shape": ...}`` in ``inputs`` by its draw, times ``scale``.

    Draws are float32 arrays, of the normal distribution unless ``draw`` is "uniform" (over [0, 1]).
    ``{"scene": name, "shape": ...}`` is a little video. ``{"size": [H, W], "terms": [...]}`` is an image: the
    sum of the draws of its terms, of each the item ``index``, every element repeated ``repeat`` times in both
    directions of space, cut to the top left ``H x W``.
    """
    if isinstance(inputs, Mapping):
        if "terms" in inputs:
            height, width = inputs["size"]
            return sum(_draw_term(term)[..., :height, :width] for term in inputs["terms"])
        if "generator" in inputs:
            if inputs.get("draw") == "image":
                return draw_image(generator(inputs["generator"]), inputs["shape"])
            source, shape = generator(inputs["generator"]), inputs["shape"]
            is_uniform = inputs.get("draw") == "uniform"
            draw = source.uniform(0, 1, shape) if is_uniform else source.standard_normal(shape)
            return draw.astype(np.float32) * np.float32(inputs.get("scale", 1.0))
        if "scene" in inputs:
            return draw_scene(generator(f"input:{inputs['scene']}").standard_normal(inputs["shape"]))
        return {name: draw_inputs(value) for name, value in inputs.items()}
    if isinstance(inputs, list):
        return [draw_inputs(value) for value in inputs]
    return inputs


def _draw_term(term: Mapping[str, Any]) -> np.ndarray:
    draw = draw_inputs({name: value for name, value in term.items() if name not in ("index", "repeat")})
    repeat = term.get("repeat", 1)
    return draw[term.get("index", 0)].repeat(repeat, axis=-2).repeat(repeat, axis=-1)


def _modified(value: np.ndarray, rule: Mapping[str, Any]) -> np.ndarray:
    if "scale" in rule:
        value = value * np.float32(rule["scale"])
    if "add" in rule:
        value = value.copy()
        value[rule.get("index", ...)] += np.float32(rule["add"])
    return value


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _aliased(name: str, pattern: str, source: str) -> str:
    return source[:-1] + name[len(pattern) - 1 :] if pattern.endswith("*") else source
