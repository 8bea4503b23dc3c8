"""Published figures: numbers of papers with the protocol that they were made under."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BenchError
from bench.published.tables import Curve, PluginSetting, PublishedTable, load_tables


@dataclass(frozen=True)
class PublishedFigure:
    """One published number, and what a run has to share with it.

    Attributes:
        id: its table, curve and NFE, such as `zhou2023-cifar10/euler/6`.
        table: what all figures of its table have in common.
        label: what the source calls the solver.
        value: the number as printed.
        nfe: network evaluations as the source counts them; None where it does not say.
        evaluations: the same as they are counted here, with the final denoise; None for adaptive
            solvers, whose cost is measured.
        solver, corrector, process, grid, model: plugins with the parameters that differ from
            their defaults.
        denoising: what the host does to the denoiser.
        checkpoint, weights: what the model read, by name, and its sha256 where it is known.
        finish: how the samples end: `denoise` or `none`.
        deviations: what the published run did that none here can do: with any, a run is not
            comparable.
        notes: differences that are too small to matter, or that the source leaves open.
        unavailable: why no run can be held against the figure, or empty.
    """

    id: str
    table: PublishedTable
    label: str
    value: float
    nfe: int | None
    evaluations: int | None
    solver: PluginSetting | None
    corrector: PluginSetting | None
    denoising: Mapping[str, bool | float]
    process: PluginSetting
    grid: PluginSetting | None
    model: PluginSetting
    checkpoint: str
    weights: str
    finish: str
    deviations: tuple[str, ...]
    notes: tuple[str, ...]
    unavailable: str

    @property
    def rounding(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.table.decimals

    @property
    def text(self) -> str:
        """The number as printed."""
        return f"{self.value:.{self.table.decimals}f}"

    @property
    def sampler(self) -> str:
        """The sampler that this package runs for the figure; a dash where it has none."""
        if self.solver is None:
            return "–"
        corrector = f" + {self.corrector}" if self.corrector else ""
        grid = f" on {self.grid}" if self.grid else ""
        options = "".join(f", {name}={value}" for name, value in self.denoising.items())
        return f"{self.solver}{corrector}{options}{grid}"


def load_figures(file: Path | None = None) -> tuple[PublishedFigure, ...]:
    """The figures of ``file``, or those that the package ships.

    Raises:
        BenchError: bad input; names file, line, place, cause and remedy.
    """
    figures = tuple(figure for table in load_tables(file) for figure in _figures(table))
    seen: set[str] = set()
    for figure in figures:
        if figure.id in seen:
            raise BenchError(
                f"{file}: two figures are called '{figure.id}'; give the curves other labels"
            )
        seen.add(figure.id)
    return figures


def of_suite(figures: Sequence[PublishedFigure], suite: str) -> tuple[PublishedFigure, ...]:
    """The figures that the suite ``suite`` measures.

    Raises:
        BenchError: there are none.
    """
    found = tuple(figure for figure in figures if figure.table.suite == suite)
    if not found:
        known = ", ".join(dict.fromkeys(figure.table.suite for figure in figures))
        raise BenchError(f"no published figures belong to the suite '{suite}'; there are: {known}")
    return found


def of_table(figures: Sequence[PublishedFigure], table: str) -> tuple[PublishedFigure, ...]:
    """The figures of the table ``table``.

    Raises:
        BenchError: there are none.
    """
    found = tuple(figure for figure in figures if figure.table.id == table)
    if not found:
        known = ", ".join(dict.fromkeys(figure.table.id for figure in figures))
        raise BenchError(f"--table {table}: is not a table of figures; there are: {known}")
    return found


def _figures(table: PublishedTable) -> Iterator[PublishedFigure]:
    for curve in table.curves:
        for i, value in enumerate(curve.values):
            if value is not None:
                yield _figure(table, curve, i, value)


def _figure(table: PublishedTable, curve: Curve, i: int, value: float) -> PublishedFigure:
    nfe = curve.nfe[i]
    evaluations = curve.evaluations[i] if curve.evaluations else nfe
    model = curve.model or table.model
    return PublishedFigure(
        id="/".join([table.id, _slug(curve.label), *([str(nfe)] if nfe is not None else [])]),
        table=table,
        label=curve.label,
        value=value,
        nfe=nfe,
        evaluations=None if curve.adaptive else evaluations,
        solver=curve.solver,
        corrector=curve.corrector,
        denoising=curve.denoising,
        process=curve.process or table.process,
        grid=None if curve.adaptive else curve.grid or table.grid,
        model=PluginSetting(model.name, model.params),
        checkpoint=model.checkpoint,
        weights=model.weights,
        finish=curve.finish or table.finish,
        deviations=(*table.deviations, *curve.deviations),
        notes=(*table.notes, *curve.notes),
        unavailable=curve.unavailable,
    )


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower().replace("++", "pp")).strip("-")
