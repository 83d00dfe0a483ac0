"""Goldens: does our network give a published architecture's numbers?

A golden is a sidecar of JSON (how parameters and inputs are drawn from their names, what was run) and the
recorded arrays. ``check`` repeats the run with ours and compares, in the order of the forward pass.
"""

from deixis.parity.check import check
from deixis.parity.result import ArrayParity, ParityReport

__all__ = ["ArrayParity", "ParityReport", "check"]
