"""The author's module, weights and data, loaded as the recipe names them; mistakes are ValueErrors with a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from .retraining.author_code import called


@dataclass(frozen=True)
class Rows:
    """Inputs in the order of the module's arguments, and targets; dimension 0 of all is the rows.

    Targets that are integers name a class; others are numbers the network is to give.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def are_classes(self) -> bool:
        """Whether the targets name classes."""
        return not self.targets.is_floating_point()


@dataclass(frozen=True)
class Authored:
    """What lies in the entry's training/ folder; `recipe` is its recipe.yaml with all defaults filled in."""

    folder: Path
    recipe: Mapping[str, Any]

    def network(self, architecture: Mapping[str, Any]) -> nn.Module:
        """A new network in eval mode, the same for the same seed; `architecture` goes before the recipe's."""
        torch.manual_seed(self.recipe["seed"])
        made = self._called("module", **{**self.recipe["architecture"], **architecture})
        if not isinstance(made, nn.Module):
            raise ValueError(f"{self.recipe['module']} gave {type(made).__name__}, which is no torch.nn.Module")
        return made.eval()

    def original(self) -> nn.Module:
        """The network that the entry's model.onnx was exported from."""
        return self._loaded({}, self.recipe["weights"])

    def teacher(self) -> nn.Module:
        """The network whose answers are learnt."""
        named = self.recipe["teacher"]
        return self.original() if named == "self" else self._loaded(named["architecture"], named["weights"])

    @cached_property
    def train(self) -> Rows:
        """What is learnt from."""
        return self._rows("train")

    @cached_property
    def calibration(self) -> Rows:
        """What training does not see: it scores architectures and fills logs."""
        return self._rows("calibration")

    def _loaded(self, architecture: Mapping[str, Any], weights: str) -> nn.Module:
        network = self.network(architecture)
        try:
            network.load_state_dict(load_file(str(self.folder / weights)))
        except RuntimeError as bad:
            message = " ".join(str(bad).split())[:200]
            raise ValueError(f"{weights} does not fit the module with its architecture: {message}") from bad
        return network

    def _rows(self, split: str) -> Rows:
        loaded = self._called("data", split)
        if not (isinstance(loaded, tuple) and len(loaded) == 2):
            raise ValueError(f"{self.recipe['data']} must give (inputs, targets)")
        inputs = loaded[0] if isinstance(loaded[0], tuple) else (loaded[0],)
        rows = Rows(tuple(_tensor(array) for array in inputs), _tensor(loaded[1]))
        if not len(rows) or any(len(array) != len(rows) for array in rows.inputs):
            raise ValueError(f"{self.recipe['data']} gave no rows for {split!r}, or not the same number everywhere")
        return rows

    def _called(self, field: str, *arguments: Any, **named: Any) -> Any:
        return called(self.folder, self.recipe[field], *arguments, **named)


def _tensor(array: Any) -> Tensor:
    return array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))
