import pytest
import torch

from deixis.errors import DeviceError
from deixis.ops.device import find_device


def test_cpu_is_always_there():
    assert find_device("cpu") == torch.device("cpu")
    assert find_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta", "cpu:one"])
def test_devices_that_are_not_here(device: str):
    with pytest.raises(DeviceError, match="auto"):
        find_device(device)


def test_auto_without_a_gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto") == torch.device("cpu")
