"""Parameters of the plugins and their defaults, as `bench plugins --json` tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.extend import BenchError
from bench_tune.launch import ask

KINDS: Mapping[str, tuple[str, ...]] = {
    "task": ("task",),
    "solver": ("ode_solver", "predictor"),
    "corrector": ("corrector",),
    "guidance": ("guidance",),
}
"""The kinds of plugins that a column of the results may name."""


@dataclass(frozen=True)
class Catalogue:
    """The plugins of this installation.

    Attributes:
        defaults: of each parameter, by kind and name of the plugin.
    """

    defaults: Mapping[tuple[str, str], Mapping[str, Any]]

    def of(self, column: str, name: str) -> Mapping[str, Any]:
        """The defaults of the plugin ``name`` in a column of the results; empty if unknown."""
        found = (self.defaults.get((kind, name)) for kind in KINDS[column])
        return next((defaults for defaults in found if defaults is not None), {})


def read_catalogue() -> Catalogue:
    """Ask `bench plugins`.

    Raises:
        BenchError: it has no answer.
    """
    try:
        plugins = json.loads(ask("plugins", "--json"))["plugins"]
    except (ValueError, KeyError):
        raise BenchError("`bench plugins --json` fails; call it to see why") from None
    return Catalogue(
        {
            (item["kind"], item["name"]): {
                name: about["default"] for name, about in item["parameters"].items()
            }
            for item in plugins
        }
    )
