"""One hook per kind of plugin. Each returns the plugin classes of its kind.

A plugin module is named by an entry point of the group ``scorebench.plugins``:

    [project.entry-points."scorebench.plugins"]
    my_solver = "my_package"

A plugin pins what it was made for in two ways: by the requirement of its distribution
(``scorebench>=0.1,<0.2``), which is checked before its import, and by ``BENCH_API = "~=3.3"`` in
its module. The API's minor version grows with what is added, its major version with what changes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bench.core.plugin import Alias, Plugin
from bench.project import hookimpl, hookspec

if TYPE_CHECKING:
    from bench.core.grid import TimeGrid
    from bench.core.guidance import Guidance
    from bench.core.metric import Metric
    from bench.core.process import NoiseProcess
    from bench.core.solver import Corrector, OdeSolver, Predictor
    from bench.core.target import Model
    from bench.core.task import Task
    from bench.core.trainable import Trainable, TrainableClassifier
    from bench.files.asset import Asset


@hookspec
def bench_family() -> Sequence[type[Plugin]]:  # type: ignore[empty-body]
    """Plugin classes of any kind, told apart by their base classes."""


def family(module: str) -> Callable[[], Sequence[type[Plugin]]]:
    """Make the hook that lists all plugin classes among the names of ``module``, a line for each.

        from my_family.one import One as One
        from my_family.two import Two as Two

        bench_family = family(__name__)

    Left out are names that begin with an underscore, and classes of other packages.
    """

    @hookimpl
    def bench_family() -> Sequence[type[Plugin]]:
        return [
            item
            for name, item in vars(sys.modules[module]).items()
            if isinstance(item, type)
            and issubclass(item, Plugin)
            and not name.startswith("_")
            and f"{item.__module__}.".startswith(f"{module}.")
        ]

    return bench_family


@hookspec
def bench_processes() -> Sequence[type[NoiseProcess]]:  # type: ignore[empty-body]
    """Noise processes (forward SDEs)."""


@hookspec
def bench_grids() -> Sequence[type[TimeGrid]]:  # type: ignore[empty-body]
    """Time grids."""


@hookspec
def bench_predictors() -> Sequence[type[Predictor[Any]]]:  # type: ignore[empty-body]
    """Stochastic steps of the reverse SDE."""


@hookspec
def bench_correctors() -> Sequence[type[Corrector]]:  # type: ignore[empty-body]
    """Markov chains that leave p_t invariant."""


@hookspec
def bench_ode_solvers() -> Sequence[type[OdeSolver[Any]]]:  # type: ignore[empty-body]
    """Solvers of the probability-flow ODE."""


@hookspec
def bench_models() -> Sequence[type[Model]]:  # type: ignore[empty-body]
    """Score models."""


@hookspec
def bench_metrics() -> Sequence[type[Metric]]:  # type: ignore[empty-body]
    """Metrics of samples or of solvers."""


@hookspec
def bench_guidances() -> Sequence[type[Guidance[Any]]]:  # type: ignore[empty-body]
    """Guidances: denoisers made of the model's, a class or an observation."""


@hookspec
def bench_tasks() -> Sequence[type[Task]]:  # type: ignore[empty-body]
    """Tasks: what is known of each sample."""


@hookspec
def bench_networks() -> Sequence[type[Trainable]]:  # type: ignore[empty-body]
    """Networks that `bench train` can train."""


@hookspec
def bench_classifiers() -> Sequence[type[TrainableClassifier]]:  # type: ignore[empty-body]
    """Classifiers that `bench train-classifier` can train."""


@hookspec
def bench_aliases() -> Sequence[Alias]:  # type: ignore[empty-body]
    """Names that other projects give to plugins."""


@hookspec
def bench_assets() -> Sequence[Asset]:  # type: ignore[empty-body]
    """Published files that models and metrics know by name (`bench models`)."""
