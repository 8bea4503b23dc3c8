"""Figures and comparisons as tables of text, Markdown and JSON-able records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from bench.printable import code, printable
from bench.printable import markdown as escaped
from bench.published.figures import Figure
from bench.published.spread import Deviation
from bench.published.tables import Table
from bench.published.verdicts import Comparison, Verdict, label

T = TypeVar("T")

LIST_HEAD = ("figure", "solver here", "published, NFE: value")
HEAD = ("figure", "NFE", "published", "measured", "difference", "tolerance", "verdict")
RIGHT = frozenset({"NFE", "published", "measured", "difference", "tolerance"})
"""Columns of numbers."""


@dataclass(frozen=True)
class Block:
    """The lines of one published table.

    Attributes:
        table: where the figures come from.
        head: names of the columns.
        lines: their texts.
        remarks: what readers have to know, each once.
    """

    table: Table
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]


def listing(figures: Sequence[Figure]) -> tuple[Block, ...]:
    """The figures, table by table, a line for each curve."""
    blocks = []
    for mine in _by_table(figures, lambda figure: figure).values():
        curves: dict[tuple[str, str], list[str]] = {}
        for figure in mine:
            curves.setdefault((figure.label, here(figure)), []).append(_point(figure))
        lines = tuple((*curve, ", ".join(points)) for curve, points in curves.items())
        total = len({figure.label for figure in mine})
        remarks = (
            *_grouped(
                [(f.label, f"never comparable: {d}") for f in mine for d in f.deviations], total
            ),
            *_grouped(
                [(f.label, f"not run: {f.unavailable}") for f in mine if f.unavailable], total
            ),
            *_grouped([(f.label, note) for f in mine for note in f.notes], total),
        )
        blocks.append(Block(mine[0].table, LIST_HEAD, lines, remarks))
    return tuple(blocks)


def outcome(comparisons: Sequence[Comparison]) -> tuple[Block, ...]:
    """The comparisons, table by table; figures that were not run are counted, not listed."""
    blocks = []
    for mine in _by_table(comparisons, lambda item: item.figure).values():
        run = [item for item in mine if item.verdict is not Verdict.NOT_RUN]
        reasons = Counter(item.reason for item in mine if item.verdict is Verdict.NOT_RUN)
        total = len({item.figure.label for item in run})
        told = [(item.figure.label, str(d)) for item in run for d in item.differences]
        notes = [(item.figure.label, note) for item in run for note in item.figure.notes]
        remarks = (
            *_grouped(told, total),
            *_grouped(notes, total),
            *(f"{count} not run: {reason}" for reason, count in reasons.items()),
        )
        lines = tuple(line(item) for item in run)
        blocks.append(Block(mine[0].figure.table, HEAD, lines, remarks))
    return tuple(blocks)


def _by_table(items: Sequence[T], figure_of: Callable[[T], Figure]) -> dict[str, list[T]]:
    tables: dict[str, list[T]] = {}
    for item in items:
        tables.setdefault(figure_of(item).table.id, []).append(item)
    return tables


def _grouped(told: Sequence[tuple[str, str]], total: int) -> list[str]:
    """Each text once, with the curves that it is said of, unless it is said of all."""
    curves: dict[str, dict[str, None]] = {}
    for label_, text in told:
        curves.setdefault(text, {})[label_] = None
    return [
        text if len(labels) == total else f"{text} ({', '.join(labels)})"
        for text, labels in curves.items()
    ]


def line(item: Comparison) -> tuple[str, ...]:
    """One comparison under ``HEAD``."""
    figure, found = item.figure, item.deviation
    first = (figure.label, _nfe(figure), _value(figure, figure.value))
    if found is None:
        return (*first, "–", "–", "–", verdict_text(item))
    return (
        *first,
        f"{found.measured:.{figure.table.decimals + 1}f} ({found.how})",
        f"{found.difference:+.{figure.table.decimals + 1}f}{_share(figure, found)}",
        f"±{found.tolerance:.{figure.table.decimals + 1}f}",
        verdict_text(item),
    )


def verdict_text(item: Comparison) -> str:
    """The verdict, with the numbers or the fields that belong to it."""
    if item.verdict is Verdict.OFF and item.deviation is not None:
        digits = item.figure.table.decimals + 1
        share = _share(item.figure, item.deviation)
        return f"{item.verdict} {item.deviation.difference:+.{digits}f}{share}"
    if item.verdict is Verdict.DIFFERS:
        fields = dict.fromkeys(difference.field for difference in item.differences)
        return f"{item.verdict}: {', '.join(fields)}"
    if item.verdict is Verdict.NOT_RUN:
        return f"{item.verdict}: {item.reason}"
    return str(item.verdict)


def here(figure: Figure) -> str:
    """What this package runs for the figure."""
    if figure.solver is None:
        return "–"
    corrector = f" + {label(figure.corrector)}" if figure.corrector else ""
    grid = f" on {label(figure.grid)}" if figure.grid else ""
    return f"{label(figure.solver)}{corrector}{grid}"


def protocol(table: Table) -> str:
    """One line on how the numbers of a table came about."""
    runs = {"single": "one run", "mean": f"mean of {table.runs} runs"}.get(
        table.aggregate, f"minimum of {table.runs} runs"
    )
    return (
        f"{table.metric.name}, n = {table.metric.n:,}, {runs}; {table.dataset}; {table.model.about}"
        f"; s from {table.s_max:g} to {table.s_min:g}, finish: {table.finish}"
    )


def counts(comparisons: Sequence[Comparison]) -> str:
    """3 reproduced, 1 off, 4 with another protocol, 200 not run."""
    number = Counter(item.verdict for item in comparisons)
    return (
        f"{number[Verdict.REPRODUCED]} reproduced, {number[Verdict.OFF]} off, "
        f"{number[Verdict.DIFFERS]} with another protocol, {number[Verdict.NOT_RUN]} not run"
    )


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown."""
    parts: list[str] = []
    for block in blocks:
        table = block.table
        parts += [
            f"## {escaped(table.title)}",
            "",
            f"`{code(table.id)}`: {escaped(table.source.paper)}, {escaped(table.source.place)} "
            f"(<{printable(table.source.url)}>). Suite `{code(table.suite)}`. "
            f"{escaped(protocol(table))}.",
            "",
        ]
        if block.lines:
            rule = ["--:" if name in RIGHT else "---" for name in block.head]
            parts += [_row(block.head), _row(rule), *map(_row, block.lines), ""]
        parts += [f"- {escaped(remark)}" for remark in block.remarks]
        parts += [""] if block.remarks else []
    return "\n".join(parts)


def figure_record(figure: Figure) -> dict[str, Any]:
    """A figure as JSON-able data, without what its table says of all."""
    table = figure.table
    return {
        "id": figure.id,
        "table": table.id,
        "label": figure.label,
        "value": figure.value,
        "metric": table.metric.name,
        "n": table.metric.n,
        "against": list(table.metric.against),
        "aggregate": table.aggregate,
        "runs": table.runs,
        "nfe": figure.nfe,
        "evaluations": figure.evaluations,
        "model": asdict(figure.model),
        "checkpoint": figure.checkpoint,
        "process": asdict(figure.process),
        "grid": asdict(figure.grid) if figure.grid else None,
        "solver": asdict(figure.solver) if figure.solver else None,
        "corrector": asdict(figure.corrector) if figure.corrector else None,
        "finish": figure.finish,
        "s_min": table.s_min,
        "s_max": table.s_max,
        "dtype": table.dtype,
        "suite": table.suite,
        "dataset": table.dataset,
        "source": asdict(table.source),
        "deviations": list(figure.deviations),
        "notes": list(figure.notes),
        "unavailable": figure.unavailable,
    }


def comparison_record(item: Comparison) -> dict[str, Any]:
    """A comparison as JSON-able data."""
    found = item.deviation
    return {
        "figure": figure_record(item.figure),
        "verdict": item.verdict.value,
        "measured": found.measured if found else None,
        "how": found.how if found else "",
        "difference": found.difference if found else None,
        "relative": _relative(item.figure, found) if found else None,
        "tolerance": found.tolerance if found else None,
        "within_tolerance": found.within if found else None,
        "differences": [asdict(difference) for difference in item.differences],
        "reason": item.reason,
        "seeds": item.seeds,
        "keys": list(item.keys),
    }


def _relative(figure: Figure, found: Deviation) -> float | None:
    """The difference as a share of the figure, where that means something."""
    return found.difference / abs(figure.value) if figure.value else None


def _share(figure: Figure, found: Deviation) -> str:
    relative = _relative(figure, found)
    return "" if relative is None else f" ({100 * relative:+.1f} %)"


def _point(figure: Figure) -> str:
    value = _value(figure, figure.value)
    return value if figure.nfe is None else f"{_nfe(figure)}: {value}"


def _nfe(figure: Figure) -> str:
    if figure.nfe is None:
        return "adaptive"
    if figure.evaluations not in (None, figure.nfe):
        return f"{figure.nfe} ({figure.evaluations} here)"
    return str(figure.nfe)


def _value(figure: Figure, value: float) -> str:
    return f"{value:.{figure.table.decimals}f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"
