"""Which device a name means on this machine."""

import torch

from deixis.errors import DeviceError


def find_device(device: str | torch.device) -> torch.device:
    """Return the device that ``device`` names; "auto" is the first GPU, or the CPU where there is none.

    Raises:
        DeviceError: there is no such device on this machine.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise DeviceError(f"{device!r} is not a device; use 'auto', 'cpu', 'cuda' or 'cuda:1'") from error
    if found.type == "cuda":
        count = torch.cuda.device_count()
        if count == 0 or (found.index or 0) >= count:
            has = f"{count} CUDA device{'s' if count > 1 else ''}" if count else "no CUDA device"
            raise DeviceError(f"device '{device}': this machine has {has}; use 'cpu' or 'auto'")
    elif found.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("device 'mps': this machine has none; use 'cpu' or 'auto'")
    elif found.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"device '{device}' is not supported; use 'auto', 'cpu', 'cuda' or 'mps'")
    return found
