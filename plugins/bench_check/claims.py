"""Claims of a sampler's authors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claims:
    """The claims that a check holds it to.

    Attributes:
        order: of convergence; None: not claimed.
        evaluations: of the network in a step; None: not claimed.
        against: one of our solvers that it should equal; "" for the one of its name, if any.
    """

    order: int | None = None
    evaluations: int | None = None
    against: str = ""
