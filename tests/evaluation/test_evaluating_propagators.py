"""Propagators scored by themselves: the first masks in, figures out, through the command line."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.cli import main
from deixis.data.records import ObjectInfo, VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.following import (
    PropagatorOnDemand,
    choose_following,
    first_masks,
    follow_record,
    require_truth,
)
from deixis.evaluation.protocols.base import Options
from deixis.evaluation.protocols.propagation import first_frames, score_followed
from deixis.evaluation.protocols.sources import PredictedArrays, truth_of_record
from deixis.evaluation.segmenting import share_method
from deixis.propagators.copying import CopyPropagator
from deixis.propagators.translation import TranslationPropagator
from deixis.synthetic.write import export
from stand_ins import coloured_video

T = 8


class Pixels:
    """Frames, or the masks of the squares; each object appears at a frame of its own."""

    def __init__(self, video, appearing):
        self.video, self.appearing = video, appearing

    def read(self, indices, object_ids=None):
        frames = self.video[list(indices)].copy()
        if object_ids is None:
            return frames
        masks = [frames[..., number - 1] > 127 for number in object_ids]
        for number, own in zip(object_ids, masks, strict=True):
            own[[index < self.appearing[number] for index in indices]] = False
        return np.stack(masks)


def coloured_record(name="clip", appearing=(0, 0, 3), **told):
    """The coloured video: object k is the k-th colour."""
    pixels = Pixels(coloured_video(T), dict(enumerate(appearing, start=1)))
    names = tuple(f"{index:05d}" for index in range(T))
    return VideoRecord(name, names, pixels, (), (1, 2, 3), pixels, size=(64, 96), **told)


@pytest.fixture
def root(tmp_path):
    """Two clips in DAVIS's layout."""
    records = [coloured_record(name, (0, 0, 0)) for name in ("one", "two")]
    export(records, tmp_path / "data", "davis17", "val", image="png")
    return tmp_path / "data"


def test_the_first_mask_of_every_object_is_all_that_is_told():
    given = first_masks(coloured_record())
    assert {index: masks.ids for index, masks in given.items()} == {0: (1, 2), 3: (3,)}
    told = coloured_record(objects=tuple(ObjectInfo(n, first_frame=first) for n, first in ((1, 2), (3, 0))))
    # The data set's word goes first; where its frame shows nothing, the next that does.
    assert {index: masks.ids for index, masks in first_masks(told).items()} == {2: (1,), 3: (3,)}
    with pytest.raises(DatasetError, match="shows no object"):
        first_masks(coloured_record(appearing=(T, T, T)))
    with pytest.raises(DatasetError, match="has no masks"):
        first_masks(replace(coloured_record(), masks=None))


def test_label_maps_hold_the_ids_from_the_first_masks_on():
    record = coloured_record()
    for index, labels in enumerate(follow_record(TranslationPropagator(), record)):
        truth = record.masks.read([index], (1, 2, 3))[:, 0]
        np.testing.assert_array_equal(labels, np.tensordot(np.array([1, 2, 3], np.uint8), truth, 1))


def test_objects_are_scored_after_their_first_frames():
    record = coloured_record(appearing=(0, T - 1, 3))
    truth = truth_of_record(record)
    assert first_frames(truth) == {1: "00000", 2: "00007", 3: "00003"}
    followed = follow_record(CopyPropagator(), record)
    masks = {("", name): labels for name, labels in zip(record.frame_names, followed, strict=True)}
    rows = score_followed(truth, PredictedArrays(masks), Options())
    assert {row.name: len(row.frames) for row in rows} == {"1": T - 1, "3": T - 4}
    assert all((np.diff(row.region) < 0).all() for row in rows), "the squares move on, the masks do not"


def test_protocols_are_those_of_label_maps():
    assert choose_following("davis17").name == "davis17-semi"
    assert choose_following("youtube-vos-2018").name == "youtube-vos"
    assert choose_following("lvos").name == "lvos"
    assert choose_following("youtube-vos-2018", "youtube-vos-proxy").name == "youtube-vos-proxy"
    for benchmark in ("synthetic", "ref-davis17", "mevis"):
        assert choose_following(benchmark).name == "per-object"
    with pytest.raises(DatasetError, match="answers to expressions"):
        choose_following("ref-davis17", "refdavis-semi")


def test_davis_by_the_command_line_goes_on_where_it_stopped(root, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    command = ["evaluate", "davis17", "--root", str(root), "--propagator", "translation", "--out", str(out)]
    main(command)
    printed = capsys.readouterr().out
    assert "protocol: name davis17-semi" in printed and "J&F-Mean" in printed
    report = json.loads((out / "report.json").read_text())
    assert report["figures"]["J&F-Mean"] == 1 and report["predictions"]["name"] == "translation"
    assert len(report["rows"]) == 6
    with Image.open(out / "masks" / "one" / "00005.png") as image:
        assert image.mode == "P" and set(np.unique(np.asarray(image))) == {0, 1, 2, 3}

    def refuse(*_):
        raise AssertionError("the masks are there already")

    monkeypatch.setattr("deixis.evaluation.following.read_frames", refuse)
    main(command)
    with pytest.raises(SystemExit):
        main([*command[:-3], "copy", "--out", str(out)])
    assert "holds the masks of another model" in capsys.readouterr().err


def test_synthetic_by_the_command_line(tmp_path, capsys):
    out = tmp_path / "out"
    main(["evaluate", "synthetic", "--propagator", "copy", "--num-clips", "2", "--out", str(out)])
    assert "protocol: name per-object" in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text())
    assert 0 < report["figures"]["J"] < 1 and set(report["groups"]) >= {"category"}
    assert len(list((out / "masks").iterdir())) == 2


def test_what_is_held_back_is_packed_for_the_server(tmp_path, capsys):
    records = [coloured_record("one", objects=tuple(ObjectInfo(n) for n in (1, 2, 3)))]
    export(records, tmp_path / "data", "youtube-vos-2018", "val", image="png")
    command = [
        "evaluate",
        "youtube-vos-2018",
        "--root",
        str(tmp_path / "data"),
        "--propagator",
        "translation",
    ]
    with pytest.raises(SystemExit):
        main(command)
    assert "the truth of youtube-vos-2018 val is held back" in capsys.readouterr().err
    out = ["--out", str(tmp_path / "out"), "--submission", str(tmp_path / "sent.zip")]
    main([*command, *out])
    assert f"{T} images" in capsys.readouterr().out
    main(["evaluate", "youtube-vos-2018", "--root", str(tmp_path / "data"), "--predictions",
          str(tmp_path / "sent.zip"), "--check-only"])  # fmt: skip
    assert "is what the server of youtube-vos-2018 takes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["synthetic", "--propagator", "transltion"], "translation"),
        (["synthetic", "--propagator", "stcn"], "comes without weights"),
        (["synthetic", "--propagator", "copy", "--permute"], "--permute is about models"),
        (["davis17", "--propagator", "copy"], "where is davis17?"),
        (["ref-davis17", "--propagator", "copy", "--protocol", "refdavis-semi"], "answers to expressions"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *arguments])
    printed = capsys.readouterr().err
    assert stop.value.code == 2 and message in printed and printed.count("\n") == 1


def test_truth_beyond_the_first_masks_is_enough():
    hidden = coloured_record(annotated_frames=(0, 3), objects=tuple(
        ObjectInfo(n, first_frame=first) for n, first in ((1, 0), (2, 0), (3, 3))))  # fmt: skip
    with pytest.raises(DatasetError, match="held back"):
        require_truth("any", "val", [hidden])
    require_truth("any", "val", [hidden, replace(hidden, annotated_frames=(0, 3, 5))])
    require_truth("any", "val", [coloured_record()])


def test_a_propagator_goes_to_other_processes_as_its_name():
    method = PropagatorOnDemand(name="translation", device="cpu")
    list(method(coloured_record()))
    assert "propagator" not in method.__getstate__()
    shared = share_method(method, 2)
    assert [one.name for one in map(pickle.loads, map(pickle.dumps, shared))] == ["translation"] * 2
    assert all(one.num_threads >= 1 for one in shared) and share_method(method, 1) == [method]


def test_a_propagator_that_cannot_go_on_names_the_video():
    class Refusing(CopyPropagator):
        def step(self, frame, state, given=None, *, is_last=False):
            raise ValueError("no")

    with pytest.raises(DatasetError, match="clip: no"):
        list(follow_record(Refusing(), coloured_record()))
    assert torch.is_inference_mode_enabled() is False
