"""The names of RefVOS's parameters, published and ours, and those of HINet's that they become.

HINet itself was never published. Its parts with the shapes of RefVOS's (backbone, pyramid pooling, BERT,
coarsest fusion, head) start from RefVOS's files; the single-level variant takes all of them and is the same
function.
"""

from deixis.models.refvos.convert import IGNORED, refvos_pairs
from deixis.models.renaming import Renaming

RENAMING = Renaming(
    pairs=(
        *refvos_pairs("fusions.4"),
        ("fusion.**", "fusions.4.**"),
        *((f"{part}.**", f"{part}.**") for part in ("backbone", "aspp", "text_encoder", "head")),
    ),
    ignored=IGNORED,
)
"""RefVOS's published name, or our name of it, and our name in HINet."""

NOT_IN_REFVOS = ("reductions.", "fusions.1.", "fusions.2.", "fusions.3.", "decoder.")
"""Parts of names of what every hierarchical variant starts afresh."""

FLOW_PARTS = {"vision-flow": ("flow_stem.",), "gate-flow": ("motion_gates.",)}
"""What the variants with motion start afresh besides; "full" has both."""
