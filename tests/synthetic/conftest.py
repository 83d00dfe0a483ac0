"""A second opinion on every predicate: two-valued, from masks, without the code that proves expressions."""

import numpy as np
import pytest

from deixis.synthetic.predicates import Predicate
from deixis.synthetic.render import RenderedClip

WORDS_OF_SHAPES = {
    "circle": "circle",
    "square": "square",
    "triangle": "triangle",
    "star": "star",
    "cross": "cross",
    "ring": "ring",
    "heart": "heart",
    "person": "person",
    "fish": "fish",
    "bird": "bird",
    "snake": "snake",
    "car": "car",
    "animal": "fish bird snake",
    "living thing": "fish bird snake person",
    "shape": "circle square triangle star cross ring heart",
    "round thing": "circle ring",
    "thing": "circle square triangle star cross ring heart person fish bird snake car",
}

ANGLES = {"right": 0, "down": 90, "left": 180, "up": 270}


class Judge:
    """Measures a clip by its masks, in hundredths of the frame's shorter side."""

    def __init__(self, clip: RenderedClip) -> None:
        self.clip, self.scene = clip, clip.scene
        height, width = clip.scene.settings.size
        self.unit, self.size = min(height, width) / 100, np.array([width, height])
        self.seen = clip.masks.any(axis=(2, 3))
        rows, columns = np.mgrid[0:height, 0:width] + 0.5
        self.visible = np.full((*self.seen.shape, 2), np.nan)
        self.whole = np.full((*self.seen.shape, 2), np.nan)
        for index in range(len(self.seen)):
            for time in range(self.seen.shape[1]):
                mask, amodal = clip.masks[index, time], clip.amodal_masks[index, time]
                if mask.sum() > 0.15 * clip.whole_areas[index, time]:
                    left, top, right, bottom = clip.boxes[index, time]
                    self.visible[index, time] = (left + right) / 2, (top + bottom) / 2
                if amodal.sum() > 0.99 * clip.whole_areas[index, time]:
                    self.whole[index, time] = columns[amodal].mean(), rows[amodal].mean()
                elif amodal.any():
                    self.whole[index, time] = clip.poses.centres[index, time]

    def holds(self, predicate: Predicate, index: int) -> bool:
        """Say yes or no."""
        if not self.seen[index].any():
            return False
        if predicate.name == "noun":
            return self.scene.objects[index].shape in WORDS_OF_SHAPES[predicate.value].split()
        return getattr(self, predicate.kind)(predicate, index)

    def appearance(self, predicate: Predicate, index: int) -> bool:
        return getattr(self.scene.objects[index], predicate.name) == predicate.value

    def location(self, predicate: Predicate, index: int) -> bool:
        x, y = (self.visible[index] / self.size)[~np.isnan(self.visible[index, :, 0])].T
        if predicate.value == "middle":
            return bool((abs(x - 0.5) < 0.17).all() and (abs(y - 0.5) < 0.2).all())
        tests = {"left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5}
        return all(bool(tests[word].all()) for word in predicate.value.split())

    def tracks(self, index: int) -> list[np.ndarray]:
        known = ~np.isnan(self.whole[index, :, 0]) & self.seen[index]
        frame = self.whole[index][known]
        poses = self.clip.poses
        world = (frame - self.size / 2) / poses.zoom[known][:, None] + poses.camera[known]
        return [frame / self.unit, world / self.unit]

    def speeds(self, index: int) -> list[float]:
        means = []
        for track in self.tracks(index):
            steps = np.hypot(*np.diff(track, axis=0).T) / self.scene.settings.pace
            means.append(float(steps[steps > 0.4].mean()) if (steps > 0.4).any() else 0.0)
        return means

    def motion(self, predicate: Predicate, index: int) -> bool:
        tracks = self.tracks(index)
        reaches = [float(np.hypot(*(track - track[0]).T).max()) for track in tracks]
        moves = min(reaches) > 6
        if predicate.name in ("still", "moving"):
            return moves if predicate.name == "moving" else max(reaches) < 4
        if predicate.name in ("enters", "leaves"):
            order = slice(None) if predicate.name == "enters" else slice(None, None, -1)
            masks, amodal = self.clip.masks[index][order], self.clip.amodal_masks[index][order]
            return not amodal[0].any() and bool(masks[-1].any() or masks.any(axis=(1, 2)).sum() > 3)
        if not moves:
            return False
        if predicate.name in ("fast", "slow"):
            speeds = self.speeds(index)
            return min(speeds) > 1.9 if predicate.name == "fast" else max(speeds) < 1.2
        if predicate.name == "direction":
            vectors = [np.array([np.cos(np.radians(a)), np.sin(np.radians(a))]) for a in
                       (ANGLES[word] for word in predicate.value.split())]  # fmt: skip
            wanted = sum(vectors) / np.linalg.norm(sum(vectors))
            shifts = [track[-1] - track[0] for track in tracks]
            return all(shift @ wanted > np.cos(np.radians(35)) * np.linalg.norm(shift) for shift in shifts)
        if predicate.name == "turns":
            return all(self.bend(track) > 45 for track in tracks)
        tracks = tracks if predicate.name == "starts" else [track[::-1] for track in tracks]
        quarter = max(3, len(tracks[0]) // 4)
        return all(
            np.hypot(*(track[:quarter] - track[0]).T).max() < 1.3
            and np.hypot(*(track[-1] - track[-quarter])) > 1
            for track in tracks
        )

    def bend(self, track: np.ndarray) -> float:
        steps = np.diff(track, axis=0)
        steps = steps[np.hypot(*steps.T) > 0.3]
        third = max(1, len(steps) // 3)
        before, after = steps[:third].sum(axis=0), steps[-third:].sum(axis=0)
        return float(np.degrees(np.arccos(before @ after / np.linalg.norm(before) / np.linalg.norm(after))))

    def relation(self, predicate: Predicate, index: int) -> bool:
        anchor = predicate.anchor
        if index == anchor:
            return False
        if predicate.name in ("behind", "in front of"):
            back, front = (index, anchor) if predicate.name == "behind" else (anchor, index)
            return bool((self.clip.amodal_masks[back] & self.clip.masks[front]).sum() > 20)
        gap = np.nanmean(self.visible[index] - self.visible[anchor], axis=0) / self.unit
        signed = {"left of": -gap[0], "right of": gap[0], "above": -gap[1], "below": gap[1]}
        return bool(signed[predicate.name] > 5)

    def order(self, predicate: Predicate, index: int) -> bool:
        if index not in predicate.domain:
            return False
        keys = {
            "left": lambda i: self.common(i, predicate.domain)[0],
            "top": lambda i: self.common(i, predicate.domain)[1],
            "size": lambda i: float(np.median(self.clip.whole_areas[i])),
            "speed": lambda i: min(self.speeds(i)),
            "entering": lambda i: int(self.seen[i].argmax()),
            "leaving": lambda i: -int(self.seen[i][::-1].argmax()),
        }
        ranked = sorted(predicate.domain, key=keys[predicate.name])
        return ranked[{"first": 0, "second": 1, "last": -1}[predicate.value]] == index

    def common(self, index: int, domain: tuple[int, ...]) -> np.ndarray:
        """Mean place over the frames that show all of ``domain``, else over all that show the object."""
        shown = ~np.isnan(self.visible[list(domain), :, 0]).any(axis=0)
        return np.nanmean(self.visible[index][shown] if shown.any() else self.visible[index], axis=0)


@pytest.fixture(scope="session")
def judge() -> type[Judge]:
    """Tests get it from here, since this folder is no package."""
    return Judge
