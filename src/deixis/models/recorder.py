"""What the parts of a network return while it runs: how goldens see its stages."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn


class Recorder:
    """Keeps what the named modules return, call by call.

    Attributes:
        calls: name -> what each call returned.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        """Listen to ``modules``."""
        self.calls: dict[str, list[Any]] = {}
        for name, module in modules.items():
            module.register_forward_hook(self._listener(name))

    def first(self, name: str) -> Any:
        """Return what the module gave at its first call."""
        return self.calls[name][0]

    def _listener(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def listen(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self.calls.setdefault(name, []).append(output)

        return listen
