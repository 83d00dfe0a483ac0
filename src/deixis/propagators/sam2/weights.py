"""Trackers with their published weights: from a folder, or from the hub when somebody names it."""

from pathlib import Path

import torch

from deixis.ops.device import find_device
from deixis.ops.hub import find_pretrained, load_pretrained, load_processor

from .config import VARIANTS, Architecture
from .propagator import Sam2Propagator

CLASSES: dict[Architecture, tuple[str, str, tuple[str, ...]]] = {
    "sam2": ("Sam2VideoModel", "Sam2VideoProcessor", ("sam2_video",)),
    "edgetam": ("EdgeTamVideoModel", "Sam2VideoProcessor", ("edgetam_video",)),
    "sam3-tracker": (
        "Sam3TrackerVideoModel",
        "Sam3TrackerVideoProcessor",
        ("sam3_tracker_video", "sam3_video"),
    ),
}
"""Architecture -> classes of network and processor in ``transformers``, and types of model that it loads."""


def load(
    name: str, checkpoint: str | Path | None = None, *, device: str | torch.device = "auto"
) -> Sam2Propagator:
    """Build the variant ``name`` with published weights.

    Args:
        name: as ``config.VARIANTS`` has it.
        checkpoint: a folder in the format of ``transformers``, or an id on the Hugging Face hub, which is
            fetched. None: what was fetched before; the network is not asked.
        device: where the network runs.

    Raises:
        CheckpointError: weights that are missing, broken, or of another network.
        DeviceError: a device that this machine does not have.
    """
    config = VARIANTS[name]
    folder = find_pretrained(name, config.hub_id, checkpoint)
    network_class, processor_class, model_types = CLASSES[config.architecture]
    network = load_pretrained(folder, network_class, model_types)
    return Sam2Propagator(network.to(find_device(device)), load_processor(folder, processor_class), config)
