"""All candidates of a model for A2D-, JHMDB-Sentences and RefCOCO: saved with scores, scored with mAP."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from deixis.cli import main
from deixis.data.records import Expression, VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.protocols.samples import coco_truth
from deixis.evaluation.protocols.sources import truth_of_record
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.evaluation.sample_saving import predict_samples, save_samples
from deixis.inference.engine import Engine
from deixis.ops.masks import decode_rle
from deixis.synthetic.write import export
from stand_ins import ColourModel, coloured_video, online_model

NUM_FRAMES = 9


class Pixels:
    """Frames, or the masks of the three squares; remembers which frames were asked for."""

    def __init__(self):
        self.video = coloured_video(NUM_FRAMES)
        self.read_frames = []

    def read(self, indices, object_ids=None):
        frames = self.video[list(indices)]
        if object_ids is None:
            self.read_frames.append(tuple(indices))
            return frames
        return np.stack([frames[..., number - 1] > 127 for number in object_ids])


def record(num_frames=NUM_FRAMES, annotated_frames=(0, 6)):
    pixels = Pixels()
    names = tuple(f"{index + 1:05d}" for index in range(num_frames))
    expressions = tuple(
        Expression(str(n), f"the {colour} one", (n + 1,)) for n, colour in enumerate(("red", "green"))
    )
    return VideoRecord("clip", names, pixels, expressions, (1, 2), pixels, annotated_frames, (64, 96))


class BoxedModel(ColourModel):
    """Predicts annotated frames alone, with the boxes of the squares."""

    def encode_video(self, clip):
        features = super().encode_video(clip)
        (place,) = clip.annotated_frames
        return replace(features, maps=(features.maps[0][:, [place]],))

    def postprocess(self, output):
        found = super().postprocess(output)
        seen = output[0][0] > 0  # 3 h w
        height, width = seen.shape[-2:]
        boxes = []
        for mask in seen:
            rows, columns = mask.nonzero(as_tuple=True)
            low, high = torch.stack((columns.min(), rows.min())), torch.stack((columns.max(), rows.max())) + 1
            corners = torch.cat((low + high, 2 * (high - low))) / 2 / torch.tensor([width, height] * 2)
            boxes.append(corners)
        return replace(found, boxes=torch.stack(boxes)[None, None].expand(len(found.scores), -1, -1, -1))


def engine_of(model):
    return Engine(model.eval(), torch.device("cpu"))


def saved(tmp_path, model, benchmark="a2d-sentences", **changes):
    one = record(**changes)
    truth = coco_truth([truth_of_record(one)], benchmark)
    names = {image["id"] for image in truth["images"]}
    path = save_samples([one], lambda: engine_of(model), benchmark, names, tmp_path, {"model": "a"})
    return one, truth, json.loads(path.read_text())


def test_every_candidate_of_the_annotated_frames_with_its_score(tmp_path):
    one, truth, found = saved(tmp_path, BoxedModel())
    assert [image["id"] for image in truth["images"]] == [
        f"v_clip_f_{frame}_i_{n}" for frame in (1, 7) for n in (1, 2)
    ]
    assert len(found) == 4 * 3, "three candidates a sample"
    assert one.frames.read_frames == [(0, 0, 0, 0, 1, 2), (3, 4, 5, 6, 7, 8)]
    first = [row for row in found if row["image_id"] == "v_clip_f_7_i_2"]
    assert [row["score"] for row in first] == pytest.approx([0.1, 0.9, 0.1])
    masks = decode_rle([row["segmentation"] for row in first])
    video = one.frames.video
    for channel, mask in enumerate(masks):
        square = video[6, ..., channel] > 127
        assert (mask & square).sum() / (mask | square).sum() > 0.6


@pytest.mark.parametrize("benchmark", ["a2d-sentences", "jhmdb-sentences"])
def test_the_protocol_scores_them_with_map(tmp_path, benchmark):
    changes = {} if benchmark == "a2d-sentences" else {"annotated_frames": (6,)}
    one = record(**changes)
    if benchmark == "jhmdb-sentences":
        one = replace(one, expressions=one.expressions[:1])
    truth = coco_truth([truth_of_record(one)], benchmark)
    names = {image["id"] for image in truth["images"]}
    path = save_samples([one], lambda: engine_of(BoxedModel()), benchmark, names, tmp_path, {"model": "a"})
    table = PROTOCOLS[benchmark].score(truth, json.loads(path.read_text())).table
    assert table["P@0.5"] == 1 and table["mIoU"] > 0.6
    assert 0.2 < table["mAP 0.5:0.95"] <= table["mAP 0.5:0.95 (best mask)"] + 1e-9


def test_boxes_of_images(tmp_path):
    _, truth, found = saved(tmp_path, BoxedModel(), "refcoco", num_frames=1, annotated_frames=None)
    assert [image["id"] for image in truth["images"]] == ["clip/0", "clip/1"]
    assert truth["annotations"][0]["bbox"] == [40, 8, 16, 16]
    best = found[0]
    assert best["bbox"] == pytest.approx([40, 8, 16, 16], abs=6)
    table = PROTOCOLS["refcoco-boxes"].score(truth, found).table
    assert tuple(table) == PROTOCOLS["refcoco-boxes"].columns
    assert table["box P@0.5"] == table["P@0.5"] == 1
    off = [{**row, "bbox": [row["bbox"][0] + 12, *row["bbox"][1:]]} for row in found]
    moved = PROTOCOLS["refcoco-boxes"].score(truth, off).table
    assert moved["box P@0.5"] == 0
    assert {k: v for k, v in moved.items() if k != "box P@0.5"} == {
        k: v for k, v in table.items() if k != "box P@0.5"
    }
    with pytest.raises(ValueError, match="no bbox"):
        PROTOCOLS["refcoco-boxes"].score(
            truth, [{k: v for k, v in row.items() if k != "bbox"} for row in found]
        )


def test_a_stopped_run_goes_on_and_online_models_are_refused(tmp_path):
    one = record()
    names = {"v_clip_f_1_i_1"}
    model = BoxedModel()
    arguments = (lambda: engine_of(model), "a2d-sentences", names, tmp_path, {"model": "a"})
    first = save_samples([one], *arguments).read_text()
    assert model.calls["video"] == 1 and len(json.loads(first)) == 3
    assert save_samples([one], *arguments).read_text() == first
    assert model.calls["video"] == 1
    with pytest.raises(DatasetError, match="one mask a sample"):
        predict_samples(one, lambda: engine_of(online_model()), *arguments[1:3])


def test_the_command_scores_a_model_with_boxes(tmp_path, monkeypatch):
    monkeypatch.setattr("deixis.models.loading.load", lambda *_, **__: BoxedModel())
    image = record(num_frames=1, annotated_frames=None)
    export([image], tmp_path / "data", "refcoco", "testA", image="png")
    options = ["--root", str(tmp_path / "data"), "--split", "testA", "--device", "cpu"]
    main(["evaluate", "refcoco", *options, "--protocol", "refcoco-boxes", "--out", str(tmp_path / "out")])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["figures"]["box P@0.5"] == 1
    assert len(report["predictions"]["weights_sha256"]) == 64
