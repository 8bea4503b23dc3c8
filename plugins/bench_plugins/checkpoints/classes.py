"""The classes of conditional checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

from bench.api import NO_CLASS, BenchError, Conditional, Denoiser, require

BALANCED = "balanced"

Label = int | Literal["balanced"] | None
"""The class of all samples, from 0; -1 for none; ``None``: each sample's own is drawn, all alike
probable; ``balanced``: equal numbers of samples of each class, in an order drawn by the seed."""


class OptionalClassDenoiser(Protocol):
    """D(y; s) and, of networks that know classes, D(y; s, c)."""

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor: ...


@dataclass(frozen=True)
class Choice:
    """Class that the user chose.

    Attributes:
        label: class of the samples.
    """

    label: Label

    def check(self) -> None:
        """Raises ValueError where a value is out of range."""
        require(
            not isinstance(self.label, int) or self.label >= NO_CLASS,
            "label must be >= 0, -1 for none, or balanced",
        )

    def of(
        self, network: OptionalClassDenoiser, classes: int, plain: bool, place: str
    ) -> Denoiser | Conditional:
        """The denoiser of a network that knows so many classes (0: none at all).

        Args:
            network: without labels it knows no classes.
            classes: their number.
            plain: True where the network takes no class too.
            place: model and file, for messages.

        Raises:
            BenchError: the choice does not suit the network.
        """
        known = f"has classes 0 to {classes - 1}" if classes else "knows no classes"
        if isinstance(self.label, int) and self.label >= classes:
            raise BenchError(f"{place}: label {self.label} was asked, but it {known}; set label")
        if not classes:
            if self.label == BALANCED:
                raise BenchError(
                    f"{place}: balanced classes were asked, but it {known}; drop label"
                )
            return network
        if not plain and self.label == NO_CLASS:
            raise BenchError(f"{place}: it cannot be asked for no class; set another label")
        if self.label == BALANCED:
            return Conditional(network, classes, None, balanced=True, plain=plain)
        assert not isinstance(self.label, str)
        return Conditional(network, classes, self.label, plain=plain)
