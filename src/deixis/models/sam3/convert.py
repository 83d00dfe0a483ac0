"""Published parameter names of SAM 3 for videos: those of ``transformers``, below ``network``."""

from deixis.models.renaming import Renaming

_PARTS = ("detector_model", "tracker_model", "tracker_neck")

RENAMING = Renaming(pairs=[(f"{part}.**", f"network.{part}.**") for part in _PARTS])
