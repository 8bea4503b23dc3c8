"""Noise of which one part is replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """The draws of one stream, and from draw ``place`` on those of another.

    Attributes:
        first, then: the streams.
        place: the number of draws of the first.
    """

    first: Any
    then: Any
    place: int
    drawn: list[int] = field(default_factory=list)

    def normal(self) -> Tensor:
        """The next standard normal draw."""
        draw: Tensor = self._stream().normal()
        return draw

    def uniform(self) -> Tensor:
        """The next uniform draw."""
        draw: Tensor = self._stream().uniform()
        return draw

    def _stream(self) -> Any:
        self.drawn.append(1)
        return self.first if len(self.drawn) <= self.place else self.then
