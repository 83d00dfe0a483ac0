"""CPU time of ReferFormer, random weights: `python benchmarks/referformer_speed.py [--frames 5 10]`.

From normalised pixels and token ids of one window to the mask logits of each expression's referent; the video
side runs once per window. Operations for 5 frames of 360x640: backbone 96 GMAC (ResNet-50), 127 (Video
Swin-T), 874 (Swin-L); of each expression: encoder 125, pixel decoder 170, the rest 5 GMAC.

Times are the least of ``--repeats`` runs in CPU seconds of the process.
"""

import argparse
import json
from itertools import product

import torch
from mttr_speed import make_inputs, measure, processor_name

from deixis.inference.record import versions
from deixis.models.referformer.config import VARIANTS
from deixis.models.referformer.model import ReferFormer


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="referformer-resnet50", choices=sorted(VARIANTS))
    parser.add_argument("--size", type=int, nargs=2, default=(360, 640), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frames", type=int, nargs="+", default=[5])
    parser.add_argument("--expressions", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--words", type=int, default=10, help="tokens of an expression")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = ReferFormer(VARIANTS[arguments.model]).eval()
    rows = []
    for num_frames, num_expressions in product(arguments.frames, arguments.expressions):
        clip, tokens = make_inputs(num_frames, tuple(arguments.size), num_expressions, arguments.words)
        seconds = measure(model, clip, tokens, arguments.repeats)
        rows.append({"frames": num_frames, "expressions": num_expressions, **seconds})
    report = {
        "model": arguments.model,
        "size": list(arguments.size),
        "words": arguments.words,
        "repeats": arguments.repeats,
        "device": processor_name(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "cpu_seconds": rows,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
