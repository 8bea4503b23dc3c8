"""The classes of conditional checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from bench.api import (
    NO_CLASS,
    BenchError,
    Conditional,
    Denoiser,
    require,
)


class OptionalClassDenoiser(Protocol):
    """D(y; s) and, of networks that know classes, D(y; s, c)."""

    def __call__(self, y: Tensor, s: Tensor, labels: Tensor | None = None) -> Tensor: ...


@dataclass(frozen=True)
class Choice:
    """What the user asks of a conditional network.

    Attributes:
        label: the class of all samples; ``NO_CLASS``; ``None``: each sample's own is drawn.
        guidance: weight of classifier-free guidance; 1: none.
    """

    label: int | None
    guidance: float

    def check(self) -> None:
        """Raises ValueError where a value is out of range."""
        require(self.label is None or self.label >= NO_CLASS, "label must be >= 0, or -1 for none")
        require(math.isfinite(self.guidance), "guidance must be a finite number")
        require(
            self.guidance == 1 or self.label != NO_CLASS, "guidance needs a class; drop label: -1"
        )

    def of(
        self, network: OptionalClassDenoiser, classes: int, plain: bool, place: str
    ) -> Denoiser | Conditional:
        """The denoiser of a network that knows so many classes (0: none at all).

        Args:
            network: without labels it knows no classes.
            classes: their number.
            plain: whether the network can be asked for no class.
            place: model and file, for messages.

        Raises:
            BenchError: the choice does not suit the network.
        """
        known = f"has classes 0 to {classes - 1}" if classes else "knows no classes"
        if self.label is not None and self.label >= classes:
            raise BenchError(f"{place}: label {self.label} was asked, but it {known}; set label")
        if not classes:
            if self.guidance != 1:
                raise BenchError(f"{place}: guidance was asked, but it {known}; drop guidance")
            return network
        if not plain and (self.guidance != 1 or self.label == NO_CLASS):
            raise BenchError(
                f"{place}: it cannot be asked for no class, as guidance does; set guidance: 1"
            )
        return Conditional(network, classes, self.label, self.guidance)
