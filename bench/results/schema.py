"""The columns of the results: name, type, unit and meaning. docs/schema.md is made from this.

The table is tidy: one row for each cell and metric. A row carries its whole protocol, so that a
number can be judged without looking elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

SCHEMA_VERSION = 2


class Status(StrEnum):
    """What became of a cell, or of one metric of it."""

    OK = "ok"
    FAILED = "failed"
    DIVERGED = "diverged"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Column:
    """One column of the results."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str


@dataclass(frozen=True)
class Section:
    """Columns that belong together."""

    title: str
    columns: tuple[Column, ...]


def _text(name: str, meaning: str) -> Column:
    return Column(name, pa.string(), "", meaning)


def _count(name: str, unit: str, meaning: str) -> Column:
    return Column(name, pa.int64(), unit, meaning)


def _real(name: str, unit: str, meaning: str) -> Column:
    return Column(name, pa.float64(), unit, meaning)


SECTIONS: tuple[Section, ...] = (
    Section(
        "The cell",
        (
            _text("key", "sha256 of the cell's canonical JSON: plugins, parameters, protocol"),
            _text("run", "name of the run (`name:` in YAML)"),
            _text("suite", "name of the suite in YAML"),
            _text("model", "name of the model plugin"),
            _text("model_params", "its parameters that differ from the defaults, as JSON"),
            _text("process", "name of the noise process"),
            _text("process_params", "its parameters that differ from the defaults, as JSON"),
            _text("grid", "name of the time grid"),
            _text("grid_params", "its parameters that differ from the defaults, as JSON"),
            _text("solver", "name of the predictor or ODE solver"),
            _text("solver_params", "its parameters that differ from the defaults, as JSON"),
            _text("solver_kind", "`predictor`, `ode_solver` or `adaptive`"),
            _text("corrector", "name of the corrector, empty without one"),
            _text("corrector_params", "its parameters that differ from the defaults, as JSON"),
            _text(
                "sampler",
                "label of the curve: solver + corrector with their parameters, without the "
                "parameter that an adaptive solver's ladder varies",
            ),
            _count("budget", "NFE", "NFE budget; null for adaptive solvers"),
            _real("tolerance", "1", "the ladder's value for adaptive solvers, else null"),
            _count("seed", "", "seed of all noise"),
        ),
    ),
    Section(
        "The number",
        (
            _text("metric", "name of the number"),
            _text(
                "metric_plugin",
                "name of the metric plugin that gives it; where that gives none, `metric` is this",
            ),
            _text(
                "metric_params",
                "parameters of the metric plugin that differ from the defaults, as JSON",
            ),
            _real("value", "`unit`", "the number; null unless `status` is `ok`"),
            _real("std_error", "`unit`", "its standard error within the run; null where unknown"),
            _text("unit", "unit of `value`"),
            Column(
                "larger_is_better", pa.bool_(), "", "direction of the metric; null: it has none"
            ),
            _text(
                "role", "`quality`, `error`, `exact`, `reference` or `diagnostic`; empty: none yet"
            ),
            _text(
                "belongs_to", "the number that this one accompanies, such as `rmse`; often empty"
            ),
            _count("metric_n", "", "samples or data points that the number rests on"),
            _real("metric_nfe", "NFE", "forward evaluations per data point spent on the metric"),
            _real("metric_vjp", "VJP", "vector-Jacobian products per data point spent on it"),
            _text("status", "`ok`, `failed`, `diverged`, `timeout` or `unsupported`"),
            _text("reason", "why, where `status` is not `ok`"),
            _text(
                "note",
                "what a reader has to know of the sampler on this model, and what the cell changed "
                "of its process; often empty",
            ),
        ),
    ),
    Section(
        "What it cost",
        (
            _count("steps", "", "steps of the grid; null for adaptive solvers"),
            _real("nfe", "NFE", "measured network evaluations per sample, everything included"),
            _real("nfe_declared", "NFE", "declared cost of the steps taken; null for adaptive"),
            _real("nfe_finish", "NFE", "of these, the final denoise"),
            _real("nfe_unspent", "NFE", "of the budget, what no further step fits into"),
            Column("over_budget", pa.bool_(), "", "measured cost above the budget"),
            _real(
                "sample_wall_s", "s", "wall-clock of sampling alone: synchronised, after warm-up"
            ),
            _real("samples_per_s", "1/s", "samples per second of sampling"),
            _real("s_per_evaluation", "s", "sampling time per network row (sample x evaluation)"),
            _count(
                "calibration_evaluations",
                "evaluations",
                "network rows (sample x evaluation) of the grid's calibration before sampling, in "
                "all; no part of `nfe`",
            ),
            _real("calibration_wall_s", "s", "wall-clock of the calibration, not warmed up"),
            _real("load_wall_s", "s", "loading the model, when this cell had to"),
            _real("metric_wall_s", "s", "all metrics of the cell together"),
            _real("peak_memory_mib", "MiB", "peak memory: of the GPU, else of the process"),
        ),
    ),
    Section(
        "The protocol",
        (
            _count("samples", "", "number of samples"),
            _count("batch", "", "samples that go through the loop together"),
            _count("shard", "", "rows of one network call and of one noise stream"),
            _text("dtype", "dtype of state and network"),
            _real("s_min", "1", "noise-to-signal ratio sigma/alpha where the grid ends"),
            _real("s_max", "1", "noise-to-signal ratio where it starts"),
            _text("finish", "`denoise`: one final denoising evaluation; `none`: samples at s_min"),
            Column("batch_coupled", pa.bool_(), "", "samples of a shard share an error norm"),
            _text("weights", "sha256 of the model's weights or parameters"),
            _text("reference_hash", "hash of what the metric compares with (statistics, features)"),
            _count(
                "reference_n",
                "",
                "real images or exact samples that it compares with; null: none, or not told",
            ),
            _text(
                "reference_note",
                "how many of them were converted and how (16 bits, alpha, palette, ...), and what "
                "was left out beside them; empty: nothing",
            ),
            _text("solver_source", "distribution, version and code hash of the solver"),
            _text("plugin_sources", "the same for all plugins of the cell, as JSON"),
            _text(
                "files",
                "where the files lay that parameters name, as JSON: path by the digest that stands "
                "for it in the parameters; no part of what the number is",
            ),
            _text("core", "version and code hash of the host"),
            _text("device", "name of the processor or GPU"),
            _text("device_kind", "`cpu` or `cuda`"),
            _count("threads", "", "CPU threads of a worker"),
            _count("workers", "", "worker processes at the same time"),
            _text("torch", "version of torch"),
            _text("python", "version of Python"),
            _text("platform", "operating system and architecture"),
            _text("started", "UTC start of the cell, ISO 8601"),
        ),
    ),
)

COLUMNS: tuple[Column, ...] = tuple(c for section in SECTIONS for c in section.columns)

ARROW = pa.schema(
    [pa.field(c.name, c.type) for c in COLUMNS],
    metadata={"scorebench_schema_version": str(SCHEMA_VERSION)},
)


def markdown() -> str:
    """The documentation of the table, as docs/schema.md holds it."""
    lines = [
        "# The results table",
        "",
        "Made by `bench schema > docs/schema.md`; do not edit.",
        "",
        f"Schema version {SCHEMA_VERSION} (`scorebench_schema_version` in the metadata of each",
        "Parquet file). One row for each cell and metric; `bench.load_results(path)` reads them",
        "into a pandas frame.",
        "",
    ]
    for section in SECTIONS:
        lines += [
            f"## {section.title}",
            "",
            "| column | type | unit | meaning |",
            "|---|---|---|---|",
        ]
        lines += [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning} |" for c in section.columns]
        lines.append("")
    return "\n".join(lines)
