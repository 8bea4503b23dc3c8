"""A claim: what is said, by whom, what has to run, and how that is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench_claims.names import NAMES
from bench_claims.rows import Rows
from bench_claims.verdict import Verdict


@dataclass(frozen=True)
class Network:
    """A small network that a claim needs, trained by `bench train` before its suites run.

    Attributes:
        name: ``$NAME`` in suites stands for its weights.
        options: of `bench train`, without --out and --seed.
        seed: of weights, order, noise and times.
    """

    name: str
    options: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Claim:
    """A statement about samplers, and its test.

    Attributes:
        name: as `bench_claims.names` lists it; suites of its own begin with it.
        statement: what is said.
        source: by whom, and where.
        suites: of `bench run`, as YAML; without seeds, which the command gives.
        replicates: seeds of each suite that does not say its own number of ``replicates``.
        judge: from the rows of the suites to a verdict.
        networks: what has to be trained first.
    """

    name: str
    statement: str
    source: str
    suites: str
    replicates: int
    judge: Callable[[Rows], Verdict]
    networks: tuple[Network, ...] = ()

    @property
    def title(self) -> str:
        """A few words."""
        return NAMES[self.name]
