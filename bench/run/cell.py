"""A cell: everything that decides one set of samples, as plain data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from functools import cached_property

from bench.config.protocol import Protocol
from bench.core.denoising import Denoising
from bench.registry import Source
from bench.run.params import Params, canonical
from bench.run.spec import NOT_IN_KEY, PluginSpec

KINDS = ("model", "task", "process", "grid", "solver", "corrector", "guidance")
"""Fields of a cell that are one plugin, or none."""


@dataclass(frozen=True)
class Cell:
    """One point of the matrix.

    Attributes:
        run, suite: where it stands.
        model, task, process, grid, solver, corrector, guidance: the plugins; no grid for adaptive
            solvers.
        denoising: what the host does to the denoiser.
        ladder: the parameter that an adaptive solver's ladder varies, "" for others.
        budget: NFE budget, None for adaptive solvers.
        seed: seed of all noise.
        metrics: the metric plugins.
        protocol: the rules under which numbers are made.
        device_kind: ``cpu`` or ``cuda``: last bits differ.
        core: version and code hash of the host.
        timeout: seconds after which the cell is given up; no part of the key.
    """

    run: str
    suite: str
    model: PluginSpec
    task: PluginSpec | None
    process: PluginSpec
    grid: PluginSpec | None
    solver: PluginSpec
    corrector: PluginSpec | None
    guidance: PluginSpec | None
    denoising: Denoising
    ladder: str
    budget: int | None
    seed: int
    metrics: tuple[PluginSpec, ...]
    protocol: Protocol
    device_kind: str
    core: str
    timeout: float = field(default=3600.0, metadata=NOT_IN_KEY)

    @cached_property
    def key(self) -> str:
        """sha256 of the cell's canonical JSON: all its fields but those marked `NOT_IN_KEY`."""
        return hashlib.sha256(canonical(_in_key(self)).encode()).hexdigest()

    @property
    def plugins(self) -> tuple[PluginSpec, ...]:
        """All plugins of the cell."""
        named = (getattr(self, name) for name in KINDS)
        return tuple(spec for spec in (*named, *self.metrics) if spec is not None)

    @property
    def doubts(self) -> tuple[str, ...]:
        """The reasons why the key does not cover all that the numbers rest on, if there are any.

        Such results are not kept: the cell runs again every time.
        """
        return tuple(spec.doubt for spec in self.plugins if spec.doubt)

    @property
    def sampler(self) -> str:
        """Label of the curve that the cell is a point of."""
        label = self.solver.identity(without=self.ladder)
        label = f"{label} + {self.corrector.identity()}" if self.corrector else label
        label = f"{label} with {self.guidance.identity()}" if self.guidance else label
        return ", ".join(filter(None, (label, str(self.denoising))))

    @property
    def tolerance(self) -> float | None:
        """The ladder's value for adaptive solvers."""
        return float(self.solver.params[self.ladder]) if self.ladder else None

    @property
    def evaluations(self) -> int | None:
        """Network evaluations that the samples may cost; None for adaptive solvers."""
        return None if self.budget is None else self.budget * self.protocol.samples

    @property
    def point(self) -> str:
        """The cell's place on its curve."""
        return f"{self.ladder} {self.tolerance:g}" if self.ladder else f"NFE {self.budget}"

    @property
    def title(self) -> str:
        """One line for people."""
        grid = f" {self.grid.label()}" if self.grid else ""
        task = f" {self.task.label()}" if self.task else ""
        return (
            f"{self.suite}: {self.model.label()}{task} {self.process.label()}{grid} "
            f"{self.sampler} {self.point} seed {self.seed}"
        )


def _in_key(value: object) -> object:
    """``value`` as JSON, without what does not decide numbers."""
    if isinstance(value, Params):
        return dict(value)
    if isinstance(value, tuple):
        return [_in_key(item) for item in value]
    if isinstance(value, PluginSpec | Cell | Protocol | Source | Denoising):
        named = (f.name for f in fields(value) if not f.metadata.get("not_in_key"))
        return {name: _in_key(getattr(value, name)) for name in named}
    return value
