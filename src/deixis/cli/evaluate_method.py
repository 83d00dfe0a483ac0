"""``deixis evaluate`` of a method that is run: a model, or a propagator by itself."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.evaluate_saved import find_subject_of, print_report, score_files

if TYPE_CHECKING:
    from deixis.cli.evaluate import Evaluate
    from deixis.evaluation.segmenting import ModelOnDemand


OVERLAPS = {
    "threshold-argmax": "the highest probability of at least a half",
    "product-background": "what is likeliest, the background being what no object is,",
    "higher-id-overrides": "the higher id",
}
"""Way of merging -> what becomes of a pixel that several objects claim."""


def evaluate_model(command: "Evaluate") -> None:
    """Run a model over the benchmark, for scores or for a submission."""
    if command.protocol is not None and command.submission is None:
        evaluate_model_by_protocol(command)
        return
    split, records = command.records()
    from tqdm import tqdm

    from deixis.evaluation.report import render_markdown
    from deixis.evaluation.run import RECORD_FILE, Subject, evaluate
    from deixis.evaluation.segmenting import share_method
    from deixis.evaluation.submission import write_submission
    from deixis.inference.record import weights_hash

    model = _model_of(command)
    segmenter = model.segmenter
    if command.submission is not None:
        num_images = write_submission(
            tqdm(records, unit="video", disable=None),
            model,
            command.submission,
            dataset=command.benchmark,
            overwrite=command.overwrite,
        )
        print(f"written: {command.submission}, {num_images:,} images")
        return
    subject = Subject(
        model=command.model_name,
        weights_sha256=weights_hash(segmenter.model),
        dataset=command.benchmark,
        split=split,
        device=str(segmenter.engine.device),
        settings=(
            ("dtype", str(segmenter.engine.dtype).removeprefix("torch.")),
            *model.settings().items(),
            *((("root", str(command.root.resolve())),) if command.root is not None else ()),
        ),
    )
    name = f"{command.benchmark}-{split}-{command.model_name}{'-permuted' if command.permute else ''}"
    out = command.out or Path("out") / "evaluate" / name.replace("/", "_")
    with tqdm(total=len(records), unit="video", disable=None) as bar:
        result = evaluate(
            records,
            share_method(model, command.workers),
            subject,
            out,
            permute_seed=command.seed if command.permute else None,
            overwrite=command.overwrite,
            on_video=bar.update,
        )
    print(render_markdown(result, with_videos=command.videos))
    print(f"written: {out / RECORD_FILE}")


def _model_of(command: "Evaluate") -> "ModelOnDemand":
    """Return the model of the arguments."""
    from deixis.evaluation.segmenting import ModelOnDemand

    return ModelOnDemand(
        model=command.model_name,
        checkpoint=command.checkpoint,
        device=command.device,
        dtype=command.dtype,
        windows=command.windows,
        propagator=command.propagator,
        propagator_checkpoint=command.propagator_checkpoint,
        flow_cache=command.flow_cache,
        raft_weights=command.raft_weights,
    )


def evaluate_model_by_protocol(command: "Evaluate") -> None:
    """Save the masks of a model and score them as those of any method."""
    from tqdm import tqdm

    from deixis.configuration import to_plain
    from deixis.evaluation.protocols.base import SampleProtocol, VideoProtocol
    from deixis.evaluation.protocols.samples import coco_truth
    from deixis.evaluation.sample_run import evaluate_samples
    from deixis.evaluation.sample_saving import save_samples
    from deixis.evaluation.saving import save_masks
    from deixis.evaluation.segmenting import share_method
    from deixis.evaluation.subjects import choose_protocol, limited_to
    from deixis.inference.record import weights_hash

    protocol = choose_protocol(command.benchmark, command.protocol)
    subject = find_subject_of(command)
    split, records = command.records()
    subject = limited_to(subject, records)
    model = _model_of(command)
    segmenter = model.segmenter
    is_merged = isinstance(protocol, VideoProtocol) and protocol.unit == "annotator"
    merging = segmenter.engine.inputs.merging
    is_soft = is_merged and merging != "higher-id-overrides"
    identity = {
        "model": command.model_name,
        "weights_sha256": weights_hash(segmenter.model),
        "dataset": command.benchmark,
        "split": split,
        "dtype": str(segmenter.engine.dtype),
        **model.settings(),
        "windows": to_plain(segmenter.rule),
        "propagator": command.propagator,
    }
    out = command.out or command.default_out(command.model_name, protocol.name)
    about = {"name": command.model_name, "weights_sha256": identity["weights_sha256"]}
    if isinstance(protocol, SampleProtocol):
        names = {image["id"] for image in coco_truth(subject.truths, command.benchmark)["images"]}
        with tqdm(total=len(records), unit="video", disable=None) as bar:
            path = save_samples(
                records,
                [one.engine for one in share_method(model, command.workers)],
                command.benchmark,
                names,
                out,
                identity,
                overwrite=command.overwrite,
                on_video=bar.update,
            )
        print_report(command, evaluate_samples(path, subject, protocol, out, about), out)
        return
    with tqdm(total=len(records), unit="video", disable=None) as bar:
        masks = save_masks(
            records,
            [one.softly if is_soft else one for one in share_method(model, command.workers)],
            protocol,
            out,
            identity,
            merging=merging,
            overwrite=command.overwrite,
            on_video=bar.update,
        )
    if is_merged:
        about["overlaps"] = f"{OVERLAPS[merging]} is seen"
    score_files(command, masks, subject, protocol, out, about)


def evaluate_propagator(command: "Evaluate") -> None:
    """Follow every object from its first mask, save the label maps, and score or pack them."""
    from tqdm import tqdm

    from deixis.evaluation.files import open_files
    from deixis.evaluation.following import PropagatorOnDemand, choose_following, require_truth
    from deixis.evaluation.saving import save_images
    from deixis.evaluation.segmenting import share_method
    from deixis.evaluation.subjects import find_subject, limited_to, subject_of_records
    from deixis.evaluation.submission import find_format, pack_submission

    assert command.propagator is not None
    protocol = choose_following(command.benchmark, command.protocol)
    split, records = command.records()
    if command.submission is not None:
        find_format(command.benchmark)
        records = [replace(record, annotated_frames=None) for record in records]
    else:
        require_truth(command.benchmark, split, records)
    method = PropagatorOnDemand(
        name=command.propagator, checkpoint=command.propagator_checkpoint, device=command.device
    )
    out = command.out or command.default_out(command.propagator, protocol.name)
    with tqdm(total=len(records), unit="video", disable=None) as bar:
        masks = save_images(
            records,
            share_method(method, command.workers),
            protocol,
            out,
            {"dataset": command.benchmark, "split": split, **method.settings()},
            overwrite=command.overwrite,
            on_video=bar.update,
        )
    if command.submission is not None:
        num_images = pack_submission(
            open_files(masks),
            records,
            command.submission,
            dataset=command.benchmark,
            overwrite=command.overwrite,
        )
        print(f"written: {command.submission}, {num_images:,} images")
        return
    if command.is_rendered or command.root is None:
        subject = subject_of_records(command.benchmark, split, records)
    else:
        subject = limited_to(find_subject(command.benchmark, command.root, split, protocol), records)
    about = {"name": command.propagator, "weights_sha256": method.settings()["weights_sha256"]}
    score_files(command, masks, subject, protocol, out, about)
