"""``{every: predictor, except: [...]}``: all solvers of a kind that a file does not name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bench.config.load import Config, Suite
from bench.project import PROJECT
from bench.registry import Kind, Registry

EVERY, EXCEPT = "every", "except"
_KINDS = (Kind.ODE_SOLVER, Kind.PREDICTOR)


def expand_every(config: Config, registry: Registry) -> Config:
    """The configuration with names in the place of ``{every: KIND, except: [...]}``.

    They are the solvers of KIND of this package that no suite of the configuration names: a new one
    is among them without an edit.

    Raises:
        BenchError: KIND is no kind of solver, or something stands beside or below the entry.
    """
    named = {name for suite in config.suites for name in _names(suite)}
    suites = (_expand(suite, registry, named) for suite in config.suites)
    return replace(config, suites=tuple(suite for suite in suites if suite is not None))


def _names(suite: Suite) -> Iterator[Any]:
    for item in suite.config.solvers:
        yield (
            item.get("name") if isinstance(item, dict) else item if isinstance(item, str) else None
        )


def _expand(suite: Suite, registry: Registry, named: set[Any]) -> Suite | None:
    """The suite with names; None: no solver is left for it."""
    solvers = suite.config.solvers
    place = next((i for i, x in enumerate(solvers) if isinstance(x, dict) and EVERY in x), None)
    if place is None:
        return suite
    kind, left_out = _read(suite, place)
    own = [entry for entry in registry.of(kind) if entry.source.distribution == PROJECT]
    names = [entry.name for entry in own if entry.name not in named | left_out]
    if len(solvers) + len(names) == 1:
        return None
    config = replace(suite.config, solvers=[*solvers[:-1], *names])
    return replace(suite, config=config)


def _read(suite: Suite, place: int) -> tuple[Kind, set[str]]:
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
    return Kind(item[EVERY]), set(left_out)
