"""``deixis evaluate fss-1000 --model ...``: a model that finds what examples show."""

from typing import TYPE_CHECKING

from deixis.cli.evaluate_saved import find_subject_of, score_files

if TYPE_CHECKING:
    from deixis.cli.evaluate import Evaluate


def evaluate_finder(command: "Evaluate") -> None:
    """Find the thing of each class in its images by examples of it, save the masks, and score them."""
    from tqdm import tqdm

    from deixis.evaluation.finding import FinderOnDemand
    from deixis.evaluation.protocols.base import VideoProtocol
    from deixis.evaluation.saving import save_images
    from deixis.evaluation.segmenting import share_method
    from deixis.evaluation.subjects import choose_protocol, limited_to

    protocol = choose_protocol(command.benchmark, command.protocol)
    assert isinstance(protocol, VideoProtocol)
    split, records = command.records()
    shots = command.shots or 1
    method = FinderOnDemand(
        model=command.model_name,
        checkpoint=command.checkpoint,
        device=command.device,
        dtype=command.dtype,
        shots=shots,
    )
    settings = method.settings()
    out = command.out or command.default_out(f"{command.model_name}-{shots}-shot", protocol.name)
    with tqdm(total=len(records), unit=" classes", disable=None) as bar:
        masks = save_images(
            records,
            share_method(method, command.workers),
            protocol,
            out,
            {"dataset": command.benchmark, "split": split, **settings},
            overwrite=command.overwrite,
            on_video=bar.update,
        )
    subject = limited_to(find_subject_of(command), records)
    about = {"name": command.model_name, "weights_sha256": settings["weights_sha256"], "shots": shots}
    score_files(command, masks, subject, protocol, out, about)
