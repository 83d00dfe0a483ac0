"""The Triton kernel against ``grid_sample``: interpreted on a CPU, compiled where there is a GPU."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from deixis.ops.deformable import has_kernel, sample_by_grid

pytestmark = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")

CASES = {
    "levels": ([(5, 6), (3, 3), (2, 1)], 2, 20, 2, 4, 3),
    "odd channels": ([(4, 7)], 1, 3, 3, 5, 1),
}
"""Name -> sizes, maps, queries, heads, channels a head, points."""


def drawn(name: str) -> list[torch.Tensor]:
    """Values, locations (some outside) and weights of a case, and gradients of the result."""
    sizes, n, q, a, d, p = CASES[name]
    generator = torch.Generator().manual_seed(0)
    s = sum(h * w for h, w in sizes)
    values = torch.randn(n, s, a, d, generator=generator)
    locations = torch.rand(n, q, a, len(sizes), p, 2, generator=generator) * 1.6 - 0.3
    weights = torch.randn(n, q, a, len(sizes), p, generator=generator)
    return [values, locations, weights, torch.randn(n, q, a * d, generator=generator)]


def with_gradients(sample, name: str, device: str = "cpu") -> list[torch.Tensor]:
    """The result and the gradients of values, locations and weights."""
    *inputs, grad = (value.to(device) for value in drawn(name))
    inputs = [value.requires_grad_() for value in inputs]
    result = sample(inputs[0], CASES[name][0], *inputs[1:])
    result.backward(grad)
    return [result.detach(), *(value.grad for value in inputs)]


def by_kernel(device: str = "cpu") -> dict[str, list[torch.Tensor]]:
    from deixis.ops.deformable_kernel import sample_by_kernel

    return {name: with_gradients(sample_by_kernel, name, device) for name in CASES}


def assert_equal_to_grid_sample(found: dict[str, list[torch.Tensor]]) -> None:
    for name in CASES:
        for result, expected in zip(found[name], with_gradients(sample_by_grid, name), strict=True):
            torch.testing.assert_close(result.cpu(), expected, atol=2e-5, rtol=1e-4)


def test_forward_and_backward_in_the_interpreter(tmp_path: Path):
    # Triton decides when it is imported whether it interprets.
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-W", "ignore", __file__, str(tmp_path / "found.pt")]
    subprocess.run(command, env=environment, check=True, timeout=300)
    assert_equal_to_grid_sample(torch.load(tmp_path / "found.pt", weights_only=True))


@pytest.mark.slow
@pytest.mark.parametrize("values", ["*fp32", "*bf16"])
def test_both_kernels_compile_for_a_gpu_that_is_not_there(
    values: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TRITON_DEFAULT_FP_FUSION", "1")
    import triton
    from triton.backends.compiler import GPUTarget

    from deixis.ops import deformable_kernel

    constants = {
        "num_levels": 4,
        "num_points": 4,
        "num_channels": 32,
        "width_of_rows": 32,
        "num_queries": 16,
    }
    types = {"values": values, "grads": values, "out": values, "levels": "*i32"}
    types |= dict.fromkeys(("s", "q", "num_heads"), "i32")
    for kernel in (deformable_kernel._forward, deformable_kernel._backward):
        names = [name for name in kernel.arg_names if name not in constants]
        signature = {name: types.get(name, "*fp32") for name in names}
        signature |= dict.fromkeys(constants, "constexpr")
        source = triton.compiler.ASTSource(kernel, signature, constexprs=constants)
        compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32))
        assert "atom" in compiled.asm["ptx"] or kernel is deformable_kernel._forward


def test_a_cpu_does_without():
    assert not has_kernel(torch.device("cpu"))


@pytest.mark.gpu
def test_forward_and_backward_on_a_gpu():
    assert has_kernel(torch.device("cuda"))
    assert_equal_to_grid_sample(by_kernel("cuda"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.save(by_kernel(), sys.argv[1])
