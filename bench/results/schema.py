"""The columns of the results: the one place where a column is declared.

The table is tidy: one row for each cell and metric. A row carries its whole protocol, so that a
number can be judged without looking elsewhere. docs/schema.md is made from this.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

from bench.results.column import (
    Column,
    Use,
    count,
    flag,
    group,
    plugin,
    real,
    text,
)

SCHEMA_VERSION = 2


class Status(StrEnum):
    """The outcome of a cell, or of one metric of it."""

    OK = "ok"
    FAILED = "failed"
    DIVERGED = "diverged"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"


_CELL = group(
    "The cell",
    Use.ORIGIN,
    text("key", "sha256 of the cell's canonical JSON: plugins, parameters, protocol"),
    text("run", "name of the run (`name:` in YAML)"),
    text("suite", "name of the suite in YAML", Use.SUBJECT, Use.FILTER),
    *plugin("model", "name of the model plugin", Use.SUBJECT),
    *plugin("task", "name of the task, empty without one", Use.SUBJECT),
    *plugin("process", "name of the noise process", Use.SUBJECT),
    *plugin("grid", "name of the time grid", Use.CURVE),
    *plugin("solver", "name of the predictor or ODE solver", Use.CURVE),
    text("solver_kind", "`predictor` (draws noise, as measured), `ode_solver` or `adaptive`"),
    *plugin("corrector", "name of the corrector, empty without one", Use.CURVE),
    *plugin("guidance", "name of the guidance, empty without one", Use.CURVE),
    text(
        "denoising",
        "what the host does to the denoiser (`afs`, `clip`, `threshold`), as JSON; empty: nothing",
        Use.CURVE,
    ),
    text(
        "sampler",
        "label of the curve: solver + corrector with guidance and their parameters, and what the "
        "host does to the denoiser, without the parameter that an adaptive solver's ladder varies",
        Use.LABEL,
        Use.FILTER,
    ),
    count(
        "budget",
        "NFE",
        "NFE budget, which pays for vector-Jacobian products too; null for adaptive solvers",
        Use.POINT,
        Use.FILTER,
    ),
    real("tolerance", "1", "the ladder's value for adaptive solvers, else null", Use.POINT),
    count("seed", "", "seed of all noise", Use.REPLICATE, Use.FILTER),
)

_NUMBER = group(
    "The number",
    Use.OUTCOME,
    text("metric", "name of the number", Use.NUMBER),
    text(
        "metric_plugin",
        "name of the metric plugin that gives it; where that gives none, `metric` is this",
        Use.ORIGIN,
    ),
    text(
        "metric_params",
        "parameters of the metric plugin that differ from the defaults, as JSON",
        Use.NUMBER,
        Use.PARAMETERS,
    ),
    real("value", "`unit`", "the number; null unless `status` is `ok`", Use.VALUE),
    real("std_error", "`unit`", "its standard error within the run; null where unknown", Use.VALUE),
    text("unit", "unit of `value`", Use.MEANING),
    flag("larger_is_better", "direction of the metric; null: it has none", Use.MEANING),
    text(
        "role",
        "`quality`, `error`, `exact`, `reference` or `diagnostic`; empty: none yet",
        Use.MEANING,
    ),
    text(
        "belongs_to",
        "the number that this one accompanies, such as `rmse`; often empty",
        Use.MEANING,
    ),
    count("metric_n", "", "samples or data points that the number rests on", Use.QUALITY),
    real("metric_nfe", "NFE", "forward evaluations per data point spent on the metric", Use.COST),
    real("metric_vjp", "VJP", "vector-Jacobian products per data point spent on it", Use.COST),
    text("status", "`ok`, `failed`, `diverged`, `timeout` or `unsupported`"),
    text("reason", "why, where `status` is not `ok`"),
    text(
        "note",
        "what a reader has to know of the sampler on this model, and what the cell changed of"
        " its process; often empty",
    ),
)

_COST = group(
    "What it cost",
    Use.COST,
    count("steps", "", "steps of the grid; null for adaptive solvers"),
    real("nfe", "NFE", "measured network evaluations per sample, everything included"),
    real("vjp", "VJP", "measured vector-Jacobian products per sample, as guidance takes them"),
    real(
        "depth",
        "NFE",
        "of `nfe`, evaluations that waited for one another: fewer for methods that evaluate in "
        "parallel, and one for each call under guidance, whatever its passes",
    ),
    real("nfe_declared", "NFE", "declared `nfe` + `vjp` of the steps taken; null for adaptive"),
    real("nfe_finish", "NFE", "of these, the final denoise"),
    real("nfe_unspent", "NFE", "of the budget, what no further step fits into"),
    flag("over_budget", "measured cost above the budget"),
    real("sample_wall_s", "s", "wall-clock of sampling alone: synchronised, after warm-up"),
    real("samples_per_s", "1/s", "samples per second of sampling"),
    real("s_per_evaluation", "s", "sampling time per network row (sample x evaluation)"),
    count(
        "calibration_evaluations",
        "evaluations",
        "network rows (sample x evaluation) of calibrating grid and solver before sampling, in "
        "all; no part of `nfe`",
    ),
    count("calibration_vjps", "VJP", "rows of gradients back through the network, likewise"),
    real("calibration_wall_s", "s", "wall-clock of the calibration, not warmed up"),
    real("load_wall_s", "s", "loading the model, when this cell had to"),
    real("metric_wall_s", "s", "all metrics of the cell together"),
    real("peak_memory_mib", "MiB", "peak memory: of the GPU, else of the process"),
)

_PROTOCOL = group(
    "The protocol",
    Use.PROTOCOL,
    count("samples", "", "number of samples", Use.QUALITY),
    count("batch", "", "samples that go through the loop together", Use.TIMING),
    count("shard", "", "rows of one network call and of one noise stream", Use.TIMING),
    text("dtype", "dtype of state and network", Use.QUALITY, Use.TIMING),
    real(
        "s_min",
        "1",
        "noise-to-signal ratio sigma/alpha where the grid ends",
        Use.QUALITY,
        Use.ROUNDED,
    ),
    real("s_max", "1", "noise-to-signal ratio where it starts", Use.QUALITY, Use.ROUNDED),
    text(
        "finish", "`denoise`: one final denoising evaluation; `none`: samples at s_min", Use.QUALITY
    ),
    flag("batch_coupled", "samples of a shard share an error norm"),
    text("weights", "sha256 of the model's weights or parameters", Use.QUALITY),
    text(
        "reference_hash",
        "hash of what the metric compares with (statistics, features)",
        Use.QUALITY,
    ),
    count(
        "reference_n",
        "",
        "real images or exact samples that it compares with; null: none, or not told",
    ),
    text(
        "reference_note",
        "how many of them were converted and how (16 bits, alpha, palette, ...), and what was"
        " left out beside them; empty: nothing",
    ),
    text("solver_source", "distribution, version and code hash of the solver"),
    text("plugin_sources", "the same for all plugins of the cell, as JSON"),
    text(
        "files",
        "where the files lay that parameters name, as JSON: path by the digest that stands "
        "for it in the parameters; no part of what the number is",
    ),
    text("core", "version and code hash of the host"),
    text("device", "name of the processor or GPU", Use.TIMING, Use.MACHINE),
    text("device_kind", "`cpu` or `cuda`", Use.TIMING, Use.MACHINE),
    count("threads", "", "CPU threads of a worker", Use.TIMING, Use.MACHINE),
    count("workers", "", "worker processes at the same time", Use.TIMING, Use.MACHINE),
    text("torch", "version of torch", Use.TIMING, Use.MACHINE),
    text("python", "version of Python", Use.PROTOCOL, Use.MACHINE),
    text("platform", "operating system and architecture", Use.PROTOCOL, Use.MACHINE),
    text("started", "UTC start of the cell, ISO 8601", Use.ORIGIN),
)

GROUPS = (_CELL, _NUMBER, _COST, _PROTOCOL)

COLUMNS: tuple[Column, ...] = tuple(column for part in GROUPS for column in part.columns)

ARROW = pa.schema(
    [pa.field(c.name, c.type) for c in COLUMNS],
    metadata={"scorebench_schema_version": str(SCHEMA_VERSION)},
)


def columns(*uses: Use) -> tuple[str, ...]:
    """Return the names of the columns that have one of ``uses``, in the order of the table."""
    return tuple(c.name for c in COLUMNS if any(use in c.uses for use in uses))


FILTERS = tuple("nfe" if name == "budget" else name for name in columns(Use.FILTER))
"""The names that `--only` knows."""

PLUGINS = tuple(name.removesuffix("_params") for name in columns(Use.PARAMETERS))
"""Kinds of plugins that a row names."""


def markdown() -> str:
    """Return the documentation of the table, as docs/schema.md holds it."""
    lines = [
        "# The results table",
        "",
        "Made by `bench schema > docs/schema.md`; do not edit.",
        "",
        f"Schema version {SCHEMA_VERSION} (`scorebench_schema_version` in the metadata of each",
        "Parquet file). One row for each cell and metric; `bench.load_results(path)` reads them",
        "into a pandas frame.",
        "",
        "What a column is used for decides what may be compared, what makes a curve, and what the",
        "report lists:",
        "",
        "| use | meaning |",
        "|---|---|",
        *(f"| {use} | {use.value} |" for use in Use),
        "",
    ]
    for part in GROUPS:
        lines += [f"## {part.title}", "", "| column | type | unit | use | meaning |"]
        lines += ["|---|---|---|---|---|", *map(_line, part.columns), ""]
    return "\n".join(lines)


def _line(column: Column) -> str:
    uses = ", ".join(map(str, column.uses))
    return f"| `{column.name}` | {column.type} | {column.unit} | {uses} | {column.meaning} |"
