"""The classes of this family's conditional networks, as their models' parameter says."""

from __future__ import annotations

from typing import Literal, cast

from torch import nn

from bench.api import NO_CLASS, BenchError, ClassDenoiser, Conditional, Denoiser, require

Label = int | Literal["balanced"] | None
"""The class of all samples, from 0; -1 for none; ``None``: each sample's own is drawn, all alike
probable; ``balanced``: equal numbers of samples of each class, in an order drawn by the seed."""


def check_label(label: Label) -> None:
    """Raises ValueError where no network has such a class."""
    known = not isinstance(label, int) or label >= NO_CLASS
    require(known, "label must be >= 0, -1 for none, or balanced")


def of_classes(
    network: nn.Module, classes: int, label: Label, place: str
) -> Denoiser | Conditional:
    """The denoiser of a network that knows so many classes, 0 for none.

    Raises:
        BenchError: there is no such class; the message begins with ``place``.
    """
    if not classes:
        if label not in (None, NO_CLASS):
            raise BenchError(f"{place}: label {label} was asked, but it knows no classes; drop it")
        return cast(Denoiser, network)
    if isinstance(label, int) and label >= classes:
        raise BenchError(f"{place}: label {label} was asked, of classes 0 to {classes - 1}")
    balanced = label == "balanced"
    chosen = None if isinstance(label, str) else label
    return Conditional(cast(ClassDenoiser, network), classes, chosen, balanced=balanced)
