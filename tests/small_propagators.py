"""Propagators with random weights, the same in every process, for tests of what all of them keep."""

from dataclasses import replace

import torch

from deixis import propagators
from deixis.propagators.base import Propagator
from deixis.propagators.cfbi.propagator import CfbiPropagator, build_network
from deixis.propagators.sam2.config import VARIANTS
from deixis.propagators.sam2.propagator import Sam2Propagator
from deixis.propagators.stcn.config import StcnConfig
from deixis.propagators.stcn.network import StcnNetwork
from deixis.propagators.stcn.propagator import StcnPropagator
from deixis.propagators.uniref import UniRefPropagator
from tiny_sam import tiny_tracker
from tiny_uniref import TINY, shaken

_SAM = {"sam2.1-tiny": "sam2", "edgetam": "edgetam"}
"""Name -> architecture. That of the tracker of SAM 3 is followed in ``propagators/test_sam2.py`` alone."""

NAMES = (*propagators.WEIGHT_FREE, "stcn", "cfbi", "uniref", *_SAM)

UNIREF = replace(
    TINY, inputs=replace(TINY.inputs, short_side=48, long_side=96, size_rule="cut"), mask_threshold=0.0
)


def small_propagator(name: str) -> Propagator:
    """Build a propagator of ``NAMES``, or ``stcn-bounded``."""
    torch.manual_seed(0)
    if name in propagators.WEIGHT_FREE:
        return propagators.build(name)
    if name == "cfbi":
        return CfbiPropagator(build_network("cfbi-mobilenet"))
    if name in _SAM:
        return Sam2Propagator(*tiny_tracker(_SAM[name]), VARIANTS[name])
    if name == "uniref":
        return UniRefPropagator(shaken(UNIREF))
    config = StcnConfig(short_side=None, memory_every=1)
    return StcnPropagator(StcnNetwork(), replace(config, max_frames=2) if name == "stcn-bounded" else config)
