"""What stands in front of the actors: poles, trunks, fences, bushes, leaves."""

import numpy as np

from .cast import Look, Role
from .figure import Figure, Part, Shape, Swing, bar, box, ellipse, limb
from .palette import natural_colour, scaled
from .textures import Paint


def occluder(rng: np.random.Generator) -> Role:
    """Draw something that stands in front: a pole, a trunk, a fence or a bush; of height about 1."""
    kind = str(rng.choice(("pole", "trunk", "fence", "bush", "leaves")))
    colour = natural_colour(rng, float(rng.choice((0.08, 0.25, 0.6))))
    paint = Paint(colour, grain=float(rng.uniform(3, 16)), seed=int(rng.integers(2**31)))
    shapes: list[Shape] = []
    if kind == "pole":
        width = float(rng.uniform(0.02, 0.06))
        shapes = [Shape(box(-width / 2, -1.6, width / 2, 0.3), "coat")]
        if rng.random() < 0.5:
            shapes.append(Shape(box(-0.12, -0.95, 0.12, -0.7, 0.02), "sign"))
    elif kind == "trunk":
        shapes = [Shape(limb(2.2, 0.1, 0.22) - (0, 1.9), "coat")]
        shapes += [
            Shape(bar((0, -0.9), (float(rng.uniform(-0.7, 0.7)), -1.5), 0.05), "coat") for _ in range(3)
        ]
    elif kind == "fence":
        top = -float(rng.uniform(0.2, 0.4))
        shapes = [Shape(bar((-2.5, top * k), (2.5, top * k), 0.025), "coat") for k in (0.35, 0.9)]
        shapes += [
            Shape(box(x, top, x + 0.03, 0.2), "coat")
            for x in np.arange(-2.5, 2.5, float(rng.uniform(0.12, 0.5)))
        ]
    else:
        low = 0.0 if kind == "bush" else -1.4
        spread = 0.35 if kind == "bush" else 0.5
        for _ in range(40):
            x, y = rng.normal(0, spread), low - abs(rng.normal(0, 0.16))
            shape = ellipse(
                float(x), float(y), float(rng.uniform(0.03, 0.12)), 0.04, float(rng.uniform(0, 3)), 8
            )
            shapes.append(Shape(shape, "coat" if rng.random() < 0.5 else "dark"))
    dark = Paint(scaled(colour, 0.7), seed=paint.seed + 1)
    paints = {"coat": paint, "dark": dark, "sign": Paint(natural_colour(rng), seed=paint.seed + 2)}
    return Role(Figure((Part(tuple(shapes), swing=Swing()),)), paints, (Look("other", "thing"),))
