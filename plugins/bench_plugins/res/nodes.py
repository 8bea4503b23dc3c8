"""The nodes for which the three stages of RES exist."""

from __future__ import annotations

from bench.api import require
from bench_plugins.res.stages import gamma_of


def require_nodes(c2: float, c3: float) -> None:
    """Refuse nodes outside (0, 1], and those for which gamma or b_3 does not exist."""
    require(0 < c2 <= 1, "c2 must lie in (0, 1]")
    require(0 < c3 <= 1, "c3 must lie in (0, 1]")
    require(abs(2 - 3 * c2) > 1e-9, "c2 must not be 2/3, where gamma does not exist")
    require(abs(gamma_of(c2, c3) * c2 + c3) > 1e-9, "c2 must not be c3: order 3 needs both")
