"""A camera that is still, pans, zooms, turns, shakes or follows, over planes at several depths.

Pixels are of a frame of 128 rows throughout; the renderer scales them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Camera:
    """Where the camera looks at each time (frames, 0 in the middle of the clip).

    Attributes:
        pan: speed (x, y) of its centre over the ground.
        follow: share of the path of the first mover that is added to the pan.
        zoom: change of the logarithm of the scale a frame.
        turn: radians a frame.
        tilt: change of the perspective terms (x, y) a frame, for a frame of height 1.
        shake: size of the hand's tremor.
        shake_seed: what the tremor is drawn from.
        slope: how much faster the ground passes at the bottom of the frame than at its top, as a share.
    """

    pan: tuple[float, float] = (0.0, 0.0)
    follow: float = 0.0
    zoom: float = 0.0
    turn: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    shake: float = 0.0
    shake_seed: int = 0
    slope: float = 0.0

    @property
    def is_still(self) -> bool:
        """Whether nothing of it moves."""
        return not (any(self.pan) or self.follow or self.zoom or self.turn or any(self.tilt) or self.shake)

    def centre(self, time: float, followed: tuple[float, float]) -> tuple[float, float]:
        """Return the place (x, y) over the ground that it looks at, shaken or not."""
        tremor = self._tremor(time)
        return (
            self.pan[0] * time + self.follow * followed[0] + tremor[0],
            self.pan[1] * time + self.follow * followed[1] + tremor[1],
        )

    def _tremor(self, time: float) -> tuple[float, float]:
        if not self.shake:
            return 0.0, 0.0
        rng = np.random.default_rng(self.shake_seed)
        rates, phases = rng.uniform(0.3, 2.4, (4, 2)), rng.uniform(0, 2 * np.pi, (4, 2))
        x, y = self.shake * np.sin(rates * time + phases).mean(axis=0) * 1.4
        return float(x), float(y)

    def view(
        self,
        time: float,
        followed: tuple[float, float],
        depth: float,
        size: tuple[int, int],
        *,
        is_upright: bool = False,
    ) -> Float[np.ndarray, "3 3"]:
        """Return the map from a plane to the frame; ``depth`` 1 is the ground, less is farther away.

        A plane has the coordinates of the frame at time 0, origin at its centre, for frames of ``size``. The
        ground lies: its near part passes faster than its far part, but what stands on it ``is_upright``.
        """
        height, width = size
        unit = height / 128
        x, y = self.centre(time, followed)
        scale = np.exp(self.zoom * time * min(max(depth, 0.3), 1.5))
        cos, sin = scale * np.cos(self.turn * time), scale * np.sin(self.turn * time)
        shear = 0.0 if is_upright else -x * unit * self.slope / height
        shift = np.array([[1, shear, -x * depth * unit], [0, 1, -y * depth * unit], [0, 0, 1]])
        bend = np.array(
            [
                [cos, -sin, 0],
                [sin, cos, 0],
                [self.tilt[0] * time / height, self.tilt[1] * time / height, 1],
            ]
        )
        place = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
        return place @ bend @ shift


def draw_camera(rng: np.random.Generator, *, can_follow: bool) -> Camera:
    """Draw a camera with the shares of the second generator of the sim-to-real prototype (section 4)."""
    kind = rng.choice(("still", "pan", "turn", "shake", "all"), p=(0.15, 0.35, 0.2, 0.15, 0.15))
    if kind == "still":
        return Camera()
    pan = (0.0, 0.0)
    if kind != "shake":
        speed, angle = float(np.exp(rng.uniform(np.log(0.3), np.log(7.0)))), float(rng.uniform(0, 2 * np.pi))
        pan = (speed * float(np.cos(angle)), 0.45 * speed * float(np.sin(angle)))
    moves = kind in ("turn", "all")
    tilts = rng.random() < 0.4
    follow = float(rng.uniform(0.6, 1.1)) if can_follow and rng.random() < 0.4 else 0.0
    if follow:
        pan = (0.3 * pan[0] * float(rng.random()), 0.3 * pan[1] * float(rng.random()))
    return Camera(
        pan=pan,
        follow=follow,
        zoom=float(rng.normal(0, 0.012)) if moves else 0.0,
        turn=float(rng.normal(0, 0.008)) if moves else 0.0,
        tilt=(float(rng.normal(0, 0.006)), float(rng.normal(0, 0.006))) if tilts else (0.0, 0.0),
        shake=float(rng.uniform(0.2, 1.5)) if kind in ("shake", "all") else 0.0,
        shake_seed=int(rng.integers(2**31)),
        slope=float(rng.uniform(0.05, 0.4)) if rng.random() < 0.5 else 0.0,
    )
