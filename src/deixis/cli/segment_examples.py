"""``deixis segment SOURCE --examples IMAGE=MASK...``: mask what is like a thing in other images."""

from typing import TYPE_CHECKING

from deixis.cli.segment import describe_part, print_done, print_summary

if TYPE_CHECKING:
    from deixis.cli.segment import Segment

IDLE = (
    "expressions",
    "masks",
    "ways",
    "tokenizer",
    "windows",
    "window_length",
    "window_overlap",
    "propagator",
    "propagator_checkpoint",
    "flow_cache",
    "raft_weights",
)
"""Arguments that examples have no use for."""

_DEFAULTS = ((), None, "both", "linked")


def find_alike(command: "Segment") -> None:
    """Find what the examples show in every image or frame, or say that it is done."""
    from deixis.inference.examples import NAME, Finder, read_examples
    from deixis.inference.folder import plan_outputs, write_outputs
    from deixis.video.sources import open_source

    for name in IDLE:
        if getattr(command, name) not in _DEFAULTS:
            called = "sentences are" if name == "expressions" else f"--{name.replace('_', '-')} is"
            raise ValueError(
                f"{called} of no use beside --examples, which alone say what to find; leave it out"
            )
    outputs = command.outputs()
    examples = read_examples(split_examples(command.examples))
    source = open_source(command.source, start=command.start, end=command.end, stride=command.stride)
    finder = Finder(
        command.model,
        checkpoint=command.checkpoint,
        device=command.device,
        dtype=command.dtype,
        min_score=command.min_score,
    )
    description = {**describe_part(command), **finder.describe(examples)}
    plan = plan_outputs(command.out, outputs, description, overwrite=command.overwrite)
    print_done(plan)
    record = dict(plan.record)
    if plan.missing:
        results = finder.iterate(source, finder.learn(examples), progress=not command.quiet)
        record = write_outputs(plan, results, (NAME,), source)
    print_summary(record, plan)


def split_examples(arguments: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return images and masks of ``IMAGE=MASK``.

    Raises:
        ValueError: an argument is not of that form.
    """
    pairs = []
    for argument in arguments:
        image, is_pair, mask = argument.rpartition("=")
        if not is_pair or not image or not mask:
            raise ValueError(f"where is the thing in {argument}? write {argument}=MASK.png")
        pairs.append((image, mask))
    return pairs
