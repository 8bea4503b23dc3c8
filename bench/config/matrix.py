"""The matrix of a suite: its plugins looked up, and nothing built yet."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bench.config.denoising import read_denoising
from bench.config.document import KeyPath
from bench.config.every import expand_every
from bench.config.load import Suite
from bench.config.values import listed_values
from bench.core.denoising import Denoising
from bench.core.errors import BenchError
from bench.core.solver import Adaptive
from bench.registry import Entry, Kind, Registry


@dataclass(frozen=True)
class PluginChoices:
    """One item of a list: a plugin, and the values of each parameter that it names.

    Attributes:
        entry: the plugin.
        values: of each parameter that is given.
        place: where the item stands below its suite.
    """

    entry: Entry
    values: Mapping[str, Sequence[Any]]
    place: KeyPath

    @property
    def count(self) -> int:
        """The number of combinations."""
        return math.prod(map(len, self.values.values()))

    def combinations(self) -> Iterator[dict[str, Any]]:
        """The parameters of each plugin to build."""
        for values in itertools.product(*self.values.values()):
            yield dict(zip(self.values, values, strict=True))


Optional = tuple[PluginChoices | None, ...]
"""A list in which null stands for none."""


@dataclass(frozen=True)
class SamplerChoices:
    """One item of ``solvers:``.

    Attributes:
        solver: predictor or ODE solver.
        correctors: to combine it with; None for none.
        grids: of its own; None for those of the suite.
        guidance: of its own; None for those of the suite.
        denoising: what the host does to the denoiser.
        ladder: the parameter that an adaptive solver's ladder varies, "" for others.
    """

    solver: PluginChoices
    correctors: Optional
    grids: tuple[PluginChoices, ...] | None
    guidance: Optional | None
    denoising: tuple[Denoising, ...]
    ladder: str


@dataclass(frozen=True)
class Matrix:
    """The lists that one suite multiplies."""

    suite: Suite
    models: tuple[PluginChoices, ...]
    tasks: Optional
    processes: tuple[PluginChoices, ...]
    grids: tuple[PluginChoices, ...]
    guidance: Optional
    samplers: tuple[SamplerChoices, ...]
    metrics: tuple[PluginChoices, ...]

    @staticmethod
    def of(suite: Suite, registry: Registry, named: Collection[str] = ()) -> Matrix:
        """The matrix of ``suite``, where ``named`` are the solvers that its file names.

        Raises:
            BenchError: an unknown plugin, an item that is none, or no budgets; names its place.
        """
        config, reader = suite.config, _MatrixReader(suite, registry)
        solvers = expand_every(suite, registry, named)
        return Matrix(
            suite,
            models=reader.plugins(config.models, ("models",), Kind.MODEL),
            tasks=reader.optional(config.tasks, ("tasks",), Kind.TASK),
            processes=reader.plugins(config.processes, ("processes",), Kind.PROCESS),
            grids=reader.plugins(config.grids, ("grids",), Kind.GRID),
            guidance=reader.optional(config.guidance, ("guidance",), Kind.GUIDANCE),
            samplers=tuple(map(reader.sampler, solvers, itertools.count())),
            metrics=reader.plugins(config.metrics, ("metrics",), Kind.METRIC),
        )


@dataclass(frozen=True)
class _MatrixReader:
    suite: Suite
    registry: Registry

    def plugins(
        self, items: Sequence[Any], place: KeyPath, kind: Kind
    ) -> tuple[PluginChoices, ...]:
        return tuple(self._plugin(item, (*place, i), kind) for i, item in enumerate(items))

    def sampler(self, item: Any, number: int) -> SamplerChoices:
        place: KeyPath = ("solvers", number)
        name, params = self._split(item, place)
        correctors = self.optional(
            params.pop("corrector", None), (*place, "corrector"), Kind.CORRECTOR
        )
        grids = guidance = None
        own = "denoising" in params
        denoising = read_denoising(
            self.suite,
            params.pop("denoising", self.suite.config.denoising),
            (*place, "denoising") if own else ("denoising",),
        )
        if "grids" in params:
            grids = self._own_grids(params.pop("grids"), (*place, "grids"))
        if "guidance" in params:
            where = (*place, "guidance")
            guidance = self.optional(params.pop("guidance"), where, Kind.GUIDANCE)
        solver = self._choices(name, params, place, Kind.PREDICTOR, Kind.ODE_SOLVER)
        adaptive = issubclass(solver.entry.cls, Adaptive)
        if not adaptive and not self.suite.config.nfe:
            raise self.suite.error(
                (), f"'nfe' is missing: '{name}' needs budgets; add `nfe: [10, 20]`"
            )
        ladder = cast(type[Adaptive], solver.entry.cls).ladder if adaptive else ""
        return SamplerChoices(solver, correctors, grids, guidance, denoising, ladder)

    def optional(self, item: Any, place: KeyPath, kind: Kind) -> Optional:
        """The plugins of a list, or the only one; null for none."""
        if item == []:
            raise self.suite.error(place, "must not be empty; use null for none")
        if not isinstance(item, list):
            return (None if item is None else self._plugin(item, place, kind),)
        return tuple(
            None if value is None else self._plugin(value, (*place, i), kind)
            for i, value in enumerate(item)
        )

    def _own_grids(self, items: Any, place: KeyPath) -> tuple[PluginChoices, ...]:
        if not isinstance(items, list) or not items:
            raise self.suite.error(place, "must be a list of grids, such as `grids: [karras]`")
        return self.plugins(items, place, Kind.GRID)

    def _plugin(self, item: Any, place: KeyPath, kind: Kind) -> PluginChoices:
        return self._choices(*self._split(item, place), place, kind)

    def _split(self, item: Any, place: KeyPath) -> tuple[str, dict[str, Any]]:
        if isinstance(item, str):
            return item, {}
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            return item["name"], {k: v for k, v in item.items() if k != "name"}
        raise self.suite.error(
            place, "must be a plugin's name, or a mapping such as {name: karras, rho: 7}"
        )

    def _choices(
        self, name: str, params: Mapping[str, Any], place: KeyPath, *kinds: Kind
    ) -> PluginChoices:
        try:
            entry, preset = self.registry.resolve(name, *kinds)
        except BenchError as error:
            raise self.suite.error(place, str(error)) from None
        values: dict[str, list[Any]] = {key: [value] for key, value in preset.items()}
        values |= {key: listed_values(entry.cls, key, value) for key, value in params.items()}
        return PluginChoices(entry, values, place)
