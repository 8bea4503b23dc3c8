"""A Brownian path of the samples, drawn where it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, lerp, zeros_like


@dataclass(frozen=True, eq=False)
class BrownianPath:
    """Increments of one Brownian path in the noise level, in the place of torchsde's tree.

    Drawn freely beyond what is known, and as a bridge between two known levels: one draw for each
    new level. The same interval has the same noise.

    Attributes:
        draw: the next standard normal draw of the samples.
    """

    draw: Callable[[], Tensor]
    _known: dict[float, Tensor] = field(default_factory=dict)

    def __call__(self, now: float, then: float) -> Tensor:
        """The path's increment from ``now`` to ``then`` over the root of their distance."""
        length = math.sqrt(abs(then - now))
        if not self._known:  # of a path, differences alone are seen
            z = self.draw()
            self._known.update({now: zeros_like(z), then: length * z})
        for level in (now, then):
            if level not in self._known:
                self._known[level] = self._new(level)
        return (self._known[then] - self._known[now]) / length

    def _new(self, level: float) -> Tensor:
        z = self.draw()
        below = max((s for s in self._known if s < level), default=None)
        above = min((s for s in self._known if s > level), default=None)
        if below is None or above is None:
            edge = above if below is None else below
            assert edge is not None
            return self._known[edge] + math.sqrt(abs(level - edge)) * z
        share = (level - below) / (above - below)
        mean = lerp(self._known[below], self._known[above], share)
        return mean + math.sqrt(share * (above - level)) * z
