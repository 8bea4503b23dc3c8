"""``{every: predictor, except: [...]}``: all solvers of a kind that a file does not name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bench.config.load import Config, Suite
from bench.project import PROJECT
from bench.registry import Kind, Registry

EVERY, EXCEPT = "every", "except"
_KINDS = (Kind.ODE_SOLVER, Kind.PREDICTOR)


def named_solvers(config: Config) -> frozenset[str]:
    """The solvers that any suite of the configuration names."""
    items = [item for suite in config.suites for item in suite.config.solvers]
    names = (item.get("name") if isinstance(item, dict) else item for item in items)
    return frozenset(name for name in names if isinstance(name, str))


def expand_every(suite: Suite, registry: Registry, named: Collection[str]) -> list[Any]:
    """The solvers of a suite, with names in the place of ``{every: KIND, except: [...]}``.

    They are the solvers of KIND of this package that are not ``named``: a new one is among them
    without an edit.

    Raises:
        BenchError: KIND is no kind of solver, or something stands beside or below the entry.
    """
    solvers = suite.config.solvers
    place = next((i for i, x in enumerate(solvers) if isinstance(x, dict) and EVERY in x), None)
    if place is None:
        return solvers
    kind, left_out = _read(suite, place)
    own = [entry.name for entry in registry.of(kind) if entry.source.distribution == PROJECT]
    return [*solvers[:-1], *(name for name in own if name not in {*named, *left_out})]


def _read(suite: Suite, place: int) -> tuple[Kind, list[str]]:
    """The kind, and the names that are left out."""
    item = suite.config.solvers[place]
    left_out = item.get(EXCEPT, [])
    sound = isinstance(left_out, list) and all(isinstance(name, str) for name in left_out)
    if item[EVERY] not in _KINDS or not sound or not item.keys() <= {EVERY, EXCEPT}:
        raise suite.error(
            ("solvers", place),
            f"write {{{EVERY}: {' or '.join(_KINDS)}}}, and names to leave out as {EXCEPT}: [...]",
        )
    if place != len(suite.config.solvers) - 1:
        raise suite.error(("solvers", place), f"'{EVERY}' must be the last of the solvers")
    return Kind(item[EVERY]), left_out
