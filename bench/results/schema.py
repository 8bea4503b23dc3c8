"""The columns of the results: the one place where a column is declared.

The table is tidy: one row for each cell and metric. A row carries its whole protocol, so that a
number can be judged without looking elsewhere. docs/schema.md is made from this.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

from bench.results.column import (
    MEANINGS,
    Column,
    ColumnGroup,
    Use,
    count,
    flag,
    plugin,
    real,
    text,
)

SCHEMA_VERSION = 2


class Status(StrEnum):
    """What became of a cell, or of one metric of it."""

    OK = "ok"
    FAILED = "failed"
    DIVERGED = "diverged"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"


_CELL = ColumnGroup(
    "The cell",
    (
        text(
            "key", Use.ORIGIN, "sha256 of the cell's canonical JSON: plugins, parameters, protocol"
        ),
        text("run", Use.ORIGIN, "name of the run (`name:` in YAML)"),
        text("suite", Use.SUBJECT | Use.FILTER, "name of the suite in YAML"),
        *plugin("model", Use.SUBJECT, "name of the model plugin"),
        *plugin("process", Use.SUBJECT, "name of the noise process"),
        *plugin("grid", Use.CURVE, "name of the time grid"),
        *plugin("solver", Use.CURVE, "name of the predictor or ODE solver"),
        text("solver_kind", Use.ORIGIN, "`predictor`, `ode_solver` or `adaptive`"),
        *plugin("corrector", Use.CURVE, "name of the corrector, empty without one"),
        text(
            "sampler",
            Use.LABEL | Use.FILTER,
            "label of the curve: solver + corrector with their parameters, without the "
            "parameter that an adaptive solver's ladder varies",
        ),
        count("budget", "NFE", Use.POINT | Use.FILTER, "NFE budget; null for adaptive solvers"),
        real("tolerance", "1", Use.POINT, "the ladder's value for adaptive solvers, else null"),
        count("seed", "", Use.REPLICATE | Use.FILTER, "seed of all noise"),
    ),
)

_NUMBER = ColumnGroup(
    "The number",
    (
        text("metric", Use.NUMBER, "name of the number"),
        text(
            "metric_plugin",
            Use.ORIGIN,
            "name of the metric plugin that gives it; where that gives none, `metric` is this",
        ),
        text(
            "metric_params",
            Use.NUMBER | Use.PARAMETERS,
            "parameters of the metric plugin that differ from the defaults, as JSON",
        ),
        real("value", "`unit`", Use.VALUE, "the number; null unless `status` is `ok`"),
        real(
            "std_error",
            "`unit`",
            Use.VALUE,
            "its standard error within the run; null where unknown",
        ),
        text("unit", Use.MEANING, "unit of `value`"),
        flag("larger_is_better", Use.MEANING, "direction of the metric; null: it has none"),
        text(
            "role",
            Use.MEANING,
            "`quality`, `error`, `exact`, `reference` or `diagnostic`; empty: none yet",
        ),
        text(
            "belongs_to",
            Use.MEANING,
            "the number that this one accompanies, such as `rmse`; often empty",
        ),
        count("metric_n", "", Use.QUALITY, "samples or data points that the number rests on"),
        real(
            "metric_nfe", "NFE", Use.COST, "forward evaluations per data point spent on the metric"
        ),
        real("metric_vjp", "VJP", Use.COST, "vector-Jacobian products per data point spent on it"),
        text("status", Use.OUTCOME, "`ok`, `failed`, `diverged`, `timeout` or `unsupported`"),
        text("reason", Use.OUTCOME, "why, where `status` is not `ok`"),
        text(
            "note",
            Use.OUTCOME,
            "what a reader has to know of the sampler on this model, and what the cell changed "
            "of its process; often empty",
        ),
    ),
)

_COST = ColumnGroup(
    "What it cost",
    (
        count("steps", "", Use.COST, "steps of the grid; null for adaptive solvers"),
        real(
            "nfe", "NFE", Use.COST, "measured network evaluations per sample, everything included"
        ),
        real(
            "nfe_declared", "NFE", Use.COST, "declared cost of the steps taken; null for adaptive"
        ),
        real("nfe_finish", "NFE", Use.COST, "of these, the final denoise"),
        real("nfe_unspent", "NFE", Use.COST, "of the budget, what no further step fits into"),
        flag("over_budget", Use.COST, "measured cost above the budget"),
        real(
            "sample_wall_s",
            "s",
            Use.COST,
            "wall-clock of sampling alone: synchronised, after warm-up",
        ),
        real("samples_per_s", "1/s", Use.COST, "samples per second of sampling"),
        real(
            "s_per_evaluation", "s", Use.COST, "sampling time per network row (sample x evaluation)"
        ),
        count(
            "calibration_evaluations",
            "evaluations",
            Use.COST,
            "network rows (sample x evaluation) of the grid's calibration before sampling, in "
            "all; no part of `nfe`",
        ),
        real("calibration_wall_s", "s", Use.COST, "wall-clock of the calibration, not warmed up"),
        real("load_wall_s", "s", Use.COST, "loading the model, when this cell had to"),
        real("metric_wall_s", "s", Use.COST, "all metrics of the cell together"),
        real("peak_memory_mib", "MiB", Use.COST, "peak memory: of the GPU, else of the process"),
    ),
)

_PROTOCOL = ColumnGroup(
    "The protocol",
    (
        count("samples", "", Use.QUALITY, "number of samples"),
        count("batch", "", Use.TIMING, "samples that go through the loop together"),
        count("shard", "", Use.TIMING, "rows of one network call and of one noise stream"),
        text("dtype", Use.QUALITY | Use.TIMING, "dtype of state and network"),
        real(
            "s_min",
            "1",
            Use.QUALITY | Use.ROUNDED,
            "noise-to-signal ratio sigma/alpha where the grid ends",
        ),
        real("s_max", "1", Use.QUALITY | Use.ROUNDED, "noise-to-signal ratio where it starts"),
        text(
            "finish",
            Use.QUALITY,
            "`denoise`: one final denoising evaluation; `none`: samples at s_min",
        ),
        flag("batch_coupled", Use.PROTOCOL, "samples of a shard share an error norm"),
        text("weights", Use.QUALITY, "sha256 of the model's weights or parameters"),
        text(
            "reference_hash",
            Use.QUALITY,
            "hash of what the metric compares with (statistics, features)",
        ),
        count(
            "reference_n",
            "",
            Use.PROTOCOL,
            "real images or exact samples that it compares with; null: none, or not told",
        ),
        text(
            "reference_note",
            Use.PROTOCOL,
            "how many of them were converted and how (16 bits, alpha, palette, ...), and what "
            "was left out beside them; empty: nothing",
        ),
        text("solver_source", Use.PROTOCOL, "distribution, version and code hash of the solver"),
        text("plugin_sources", Use.PROTOCOL, "the same for all plugins of the cell, as JSON"),
        text(
            "files",
            Use.PROTOCOL,
            "where the files lay that parameters name, as JSON: path by the digest that stands "
            "for it in the parameters; no part of what the number is",
        ),
        text("core", Use.PROTOCOL, "version and code hash of the host"),
        text("device", Use.TIMING | Use.MACHINE, "name of the processor or GPU"),
        text("device_kind", Use.TIMING | Use.MACHINE, "`cpu` or `cuda`"),
        count("threads", "", Use.TIMING | Use.MACHINE, "CPU threads of a worker"),
        count("workers", "", Use.TIMING | Use.MACHINE, "worker processes at the same time"),
        text("torch", Use.TIMING | Use.MACHINE, "version of torch"),
        text("python", Use.PROTOCOL | Use.MACHINE, "version of Python"),
        text("platform", Use.PROTOCOL | Use.MACHINE, "operating system and architecture"),
        text("started", Use.ORIGIN, "UTC start of the cell, ISO 8601"),
    ),
)

GROUPS = (_CELL, _NUMBER, _COST, _PROTOCOL)

COLUMNS: tuple[Column, ...] = tuple(column for group in GROUPS for column in group.columns)

ARROW = pa.schema(
    [pa.field(c.name, c.type) for c in COLUMNS],
    metadata={"scorebench_schema_version": str(SCHEMA_VERSION)},
)


def columns(*uses: Use) -> tuple[str, ...]:
    """Return the names of the columns that have one of ``uses``, in the order of the table."""
    return tuple(c.name for c in COLUMNS if any(use in c.use for use in uses))


FILTERS = tuple("nfe" if name == "budget" else name for name in columns(Use.FILTER))
"""What `--only` can name."""

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
        *(f"| {use} | {meaning} |" for use, meaning in MEANINGS.items()),
        "",
    ]
    for group in GROUPS:
        lines += [f"## {group.title}", "", "| column | type | unit | use | meaning |"]
        lines += ["|---|---|---|---|---|"]
        lines += [
            f"| `{c.name}` | {c.type} | {c.unit} | {c.use} | {c.meaning} |" for c in group.columns
        ]
        lines.append("")
    return "\n".join(lines)
