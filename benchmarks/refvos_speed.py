"""Operations and CPU time of RefVOS and HINet: `python benchmarks/refvos_speed.py [--expressions 1 5]`.

One frame and K expressions, random weights, from normalised pixels, motion and token ids to mask logits. The
published code of RefVOS runs the whole network and BERT for every pair of a frame and an expression; here a
frame is encoded once for all expressions, and an expression once for all frames. ``again`` is what the pairs
would cost each by itself.

Operations are those of convolutions, linear layers and attention, in multiply-adds (GMAC). Times are the
least of ``--repeats`` runs in CPU seconds of the process; ``--repeats 0`` counts operations only.
"""

import argparse
import json
from typing import Any

import torch
from mttr_speed import measure, processor_name
from torch.utils.flop_counter import FlopCounterMode

from deixis.inference.record import versions
from deixis.models.hinet.config import VARIANTS as HINET_VARIANTS
from deixis.models.refvos.config import VARIANTS as REFVOS_VARIANTS
from deixis.models.registry import family_part, find_variant
from deixis.structures import Clip, TextFeatures, Tokens


def make_clip(size: tuple[int, int], device: str = "cpu") -> Clip:
    frames, flow = torch.zeros(1, 1, 3, *size, device=device), torch.zeros(1, 1, 1, *size, device=device)
    return Clip(frames, torch.zeros(1, 1, *size, dtype=torch.bool, device=device), flow=flow)


def make_tokens(num_expressions: int, words: int) -> Tokens:
    ids = torch.randint(5, 1000, (num_expressions, words), generator=torch.Generator().manual_seed(0))
    return Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))


def count_operations(name: str, size: tuple[int, int], words: int) -> dict[str, float]:
    """Return GMAC of a frame, of an expression, and of the two together; without making any number."""
    family, config = find_variant(name)
    with torch.device("meta"):
        model = family_part(family, "model").MODEL(config).eval()
    counted = {}

    def count(part: str, function: Any) -> Any:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            result = function()
        counted[part] = round(counter.get_total_flops() / 2e9, 3)
        return result

    video = count("frame", lambda: model.encode_video(make_clip(size, "meta")))
    encoder = family_part(family, "model").text_encoders.build(config.text_encoder).eval()
    tokens = make_tokens(1, words)
    found = count("expression", lambda: encoder(tokens)).to("meta")
    text = TextFeatures(found, tokens.padding_mask.to("meta"), found[:, 0])
    count("pair", lambda: model(video, text))
    return counted


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="refvos-resnet101", choices=sorted({**REFVOS_VARIANTS, **HINET_VARIANTS})
    )
    parser.add_argument("--size", type=int, nargs=2, default=(480, 854), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--expressions", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--words", type=int, default=10, help="tokens of an expression")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    size = tuple(arguments.size)
    operations = count_operations(arguments.model, size, arguments.words)
    rows = []
    if arguments.repeats:
        family, config = find_variant(arguments.model)
        model = family_part(family, "model").MODEL(config).eval()
    for number in arguments.expressions:
        alone = sum(operations.values())
        shared = operations["frame"] + number * (operations["expression"] + operations["pair"])
        row: dict[str, Any] = {"expressions": number, "gmac": round(shared, 2)}
        row["gmac_again"] = round(number * alone, 2)
        if arguments.repeats:
            clip, tokens = make_clip(size), make_tokens(number, arguments.words)
            row["cpu_seconds"] = measure(model, clip, tokens, arguments.repeats)
        rows.append(row)
    report = {
        "model": arguments.model,
        "size": list(size),
        "words": arguments.words,
        "repeats": arguments.repeats,
        "device": processor_name(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "gmac": operations,
        "runs": rows,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
