"""A training that begins with the weights of another."""

from __future__ import annotations

from torch import nn

from bench.api import BenchError, WeightsFile


def take_weights(network: nn.Module, file: WeightsFile) -> None:
    """Give ``network`` the tensors of ``file``.

    A tensor that the file lacks stays as it is where it is zero, so that a part that the file's
    network did not have, such as the embedding of classes, changes nothing in the beginning.

    Raises:
        BenchError: the file has tensors that the network lacks, or of other shapes, or lacks
            one that is not zero.
    """
    state = network.state_dict()
    foreign = [name for name in file.tensors if name not in state]
    missing = [name for name in state if name not in file.tensors and bool(state[name].any())]
    shapes = {name: tuple(t.shape) for name, t in file.tensors.items() if name in state}
    other = [name for name, shape in shapes.items() if shape != tuple(state[name].shape)]
    if foreign or missing or other:
        parts = {"unknown here": foreign, "not in the file": missing, "of other shapes": other}
        found = "; ".join(f"{text}: {_some(names)}" for text, names in parts.items() if names)
        raise BenchError(
            f"--init {file.path}: it holds another network ({found}); give --network and its "
            "sizes as that was trained, or leave --init out"
        )
    network.load_state_dict(file.tensors, strict=False)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
