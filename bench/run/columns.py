"""The columns of the results that all numbers of a cell share."""

from __future__ import annotations

from dataclasses import asdict

from bench.core.metric import Trial
from bench.printable import MOST, one_line
from bench.registry import Kind
from bench.results.store import Row
from bench.run.cell import KINDS, Cell
from bench.run.machine import Machine
from bench.run.params import canonical
from bench.run.sampling import SamplingCost
from bench.run.spec import PluginSpec
from bench.run.trial import Setup


def planned_columns(cell: Cell, machine: Machine, started: str) -> Row:
    """The columns that are known before anything runs."""
    sources = {spec.name: _source(spec) for spec in cell.plugins}
    return {
        "key": cell.key,
        "run": cell.run,
        "suite": cell.suite,
        **_plugin_columns(cell),
        "denoising": canonical(changed) if (changed := cell.denoising.changed) else "",
        "solver_kind": _kind(bool(cell.ladder), cell.solver.kind is Kind.PREDICTOR),
        "sampler": cell.sampler,
        "budget": cell.budget,
        "tolerance": cell.tolerance,
        "seed": cell.seed,
        "role": "",
        "belongs_to": "",
        "reason": "",
        "note": "; ".join(cell.doubts),
        **asdict(cell.protocol),
        "reference_hash": "",
        "reference_n": None,
        "reference_note": "",
        "solver_source": _source(cell.solver),
        "plugin_sources": canonical(sources),
        "files": canonical(files) if (files := _files(cell)) else "",
        "core": cell.core,
        "started": started,
        **machine.columns(),
    }


def _plugin_columns(cell: Cell) -> Row:
    row: Row = {}
    for name in KINDS:
        spec: PluginSpec | None = getattr(cell, name)
        row[name] = spec.name if spec else ""
        row[f"{name}_params"] = spec.changed.json if spec else ""
    return row


def _source(spec: PluginSpec) -> str:
    return f"{spec.source.distribution} {spec.source.version} {spec.source.code}"


def _files(cell: Cell) -> dict[str, str]:
    """The paths of the files that parameters name; of equal files the first."""
    found: dict[str, str] = {}
    for spec in cell.plugins:
        found = spec.files() | found
    return found


def setup_columns(setup: Setup, note: str) -> Row:
    """The columns of sampler, grid and model as they were set up."""
    trial, calibration = setup.trial, setup.calibration
    sampler = trial.sampler
    return {
        # Of a stranger's function it is measured whether it draws noise.
        "solver_kind": _kind(sampler.adaptive, sampler.stepper.stochastic),
        "steps": setup.steps,
        "s_min": trial.times[-1].s,
        "s_max": trial.times[0].s,
        "batch_coupled": sampler.stepper.batch_coupled,
        "weights": trial.model.weights,
        "note": one_line(note, 2 * MOST),
        "calibration_evaluations": calibration.evaluations,
        "calibration_vjps": calibration.vjps,
        "calibration_wall_s": calibration.wall_s,
    }


def _kind(adaptive: bool, stochastic: bool) -> str:
    return "adaptive" if adaptive else str(Kind.PREDICTOR if stochastic else Kind.ODE_SOLVER)


def cost_columns(cell: Cell, trial: Trial, cost: SamplingCost) -> Row:
    """The columns of the cost of sampling."""
    passes = cost.nfe + cost.vjp
    return {
        "nfe": cost.nfe,
        "nfe_declared": cost.declared,
        "vjp": cost.vjp,
        "depth": cost.depth,
        "nfe_finish": float(trial.sampler.finish_cost_at(trial.times[-1].s)),
        "nfe_unspent": None if cell.budget is None else max(0.0, cell.budget - passes),
        "over_budget": cell.budget is not None and passes > cell.budget,
        "sample_wall_s": cost.wall_s,
        "samples_per_s": trial.draw.samples / cost.wall_s,
        "s_per_evaluation": cost.wall_s / max(cost.rows, 1),
        "peak_memory_mib": cost.peak_mib,
    }
