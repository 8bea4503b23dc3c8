"""The benchmark file of claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench_claims.claim import Claim
from bench_claims.networks import folder_of

REPLICATES = "replicates"
"""Key of a suite that has another number of seeds than its claim."""

_HEAD = "# Written by `bench claims`; `bench run` reads it, too.\n"


def benchmark_file(claims: Sequence[Claim], name: str, seed: int, networks: Path) -> str:
    """The YAML of all suites of ``claims``.

    Args:
        claims: each with suites whose names begin with its own.
        name: of the run.
        seed: the first of the replicates.
        networks: folder of the trained networks; ``$NAME`` in a suite is the weights of one.
    """
    weights = {
        f"${network.name}": str(networks.resolve() / folder_of(network) / "weights.safetensors")
        for claim in claims
        for network in claim.networks
    }
    suites: dict[str, Any] = {}
    for claim in claims:
        for suite, body in suites_of(claim).items():
            filled = _fill_in(body, weights)
            count = filled.pop(REPLICATES, claim.replicates)
            suites[suite] = {**filled, "seeds": list(range(seed, seed + count))}
    yaml, out = YAML(), StringIO()
    yaml.dump({"name": name, "suites": suites}, out)
    return _HEAD + out.getvalue()


def suites_of(claim: Claim) -> dict[str, Any]:
    """Its suites by name, as they are written."""
    loaded: dict[str, Any] = YAML(typ="safe").load(claim.suites)
    return loaded


def filters(claims: Sequence[Claim]) -> tuple[str, ...]:
    """`--only` of `bench run` for the suites of ``claims``."""
    return tuple(f"suite={name}" for claim in claims for name in suites_of(claim))


def _fill_in(value: Any, weights: Mapping[str, str]) -> Any:
    """The value with the names of networks replaced by their weights."""
    if isinstance(value, dict):
        return {key: _fill_in(item, weights) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_in(item, weights) for item in value]
    return weights.get(value, value) if isinstance(value, str) else value
