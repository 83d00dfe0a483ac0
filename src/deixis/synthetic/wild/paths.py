"""Where a thing is at each time: smooth paths, bounces, pendulums. Pixels of a frame of 128 rows."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pose:
    """Place, size and attitude of a figure at one time.

    Attributes:
        place: of its origin on its plane, from the middle of the frame.
        scale: pixels to a unit of the figure.
        tilt: turn of the whole, radians.
        phase: of its motion.
    """

    place: tuple[float, float]
    scale: float
    tilt: float
    phase: float


@dataclass(frozen=True)
class Path:
    """A path through time (frames, 0 in the middle of the clip).

    Attributes:
        start: place at time 0.
        velocity: pixels a frame.
        bend: acceleration.
        scale: pixels to a unit of the figure at time 0.
        growth: change of the logarithm of the scale a frame, as of what approaches.
        tilt: radians at time 0, and change a frame.
        phase: of the motion at time 0, and change a frame.
        bob: amplitude of the up and down of the gait, in units of the figure.
        bounce: height of bounces in pixels.
        sway: amplitude of a slow wandering.
    """

    start: tuple[float, float]
    velocity: tuple[float, float] = (0.0, 0.0)
    bend: tuple[float, float] = (0.0, 0.0)
    scale: float = 40.0
    growth: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    phase: tuple[float, float] = (0.0, 0.0)
    bob: float = 0.0
    bounce: float = 0.0
    sway: float = 0.0

    def at(self, time: float) -> Pose:
        """Return the pose at ``time``."""
        phase = self.phase[0] + self.phase[1] * time
        scale = self.scale * float(np.exp(self.growth * time))
        # Speed stays bounded over long clips: acceleration acts for ten frames at most.
        pull = 0.5 * min(abs(time), 10.0) * abs(time)
        x = self.start[0] + self.velocity[0] * time + self.bend[0] * pull
        y = self.start[1] + self.velocity[1] * time + self.bend[1] * pull
        y -= self.bob * scale * abs(np.sin(phase)) + self.bounce * abs(np.sin(0.18 * time + self.phase[0]))
        x += self.sway * np.sin(0.09 * time + self.phase[0])
        return Pose((float(x), float(y)), scale, self.tilt[0] + self.tilt[1] * time, phase)

    @property
    def is_still(self) -> bool:
        """Whether nothing of it changes."""
        rates = (*self.velocity, *self.bend, self.growth, self.tilt[1], self.phase[1], self.bounce, self.sway)
        return not any(rates)
