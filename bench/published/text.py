"""Published figures and comparisons with them as tables, in the terminal and in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rich.console import Console
from rich.text import Text

from bench.printable import code, one_line, printable
from bench.printable import markdown as escape
from bench.published.figures import PublishedFigure
from bench.published.tables import PublishedTable
from bench.published.verdicts import FigureComparison, FigureVerdict
from bench.render.markdown import markdown_lines
from bench.render.table import Table, Wrap, number_columns, table_rows, text_columns
from bench.render.terminal import terminal

T = TypeVar("T")

_FIGURES = text_columns("figure", "solver here", "published, NFE: value", wrap=Wrap.CUT)
_COMPARISONS = (
    *text_columns("figure", wrap=Wrap.CUT),
    *number_columns("NFE", "published", "measured", "difference", "tolerance"),
    *text_columns("verdict", wrap=Wrap.CUT),
)


@dataclass(frozen=True)
class Block:
    """The lines of one published table.

    Attributes:
        source: where the figures come from.
        table: its lines; the notes say what readers have to know, each once.
    """

    source: PublishedTable
    table: Table


def listing(figures: Sequence[PublishedFigure]) -> tuple[Block, ...]:
    """The figures, table by table, a line for each curve."""
    blocks = []
    for mine in _by_table(figures, lambda figure: figure):
        curves: dict[tuple[str, str], list[str]] = {}
        for figure in mine:
            curves.setdefault((figure.label, figure.sampler), []).append(_point(figure))
        rows = ((*curve, ", ".join(points)) for curve, points in curves.items())
        notes = _group_notes(
            len({figure.label for figure in mine}),
            *((f.label, f"never comparable: {d}") for f in mine for d in f.deviations),
            *((f.label, f"not run: {f.unavailable}") for f in mine if f.unavailable),
            *((f.label, note) for f in mine for note in f.notes),
        )
        source = mine[0].table
        blocks.append(Block(source, Table(source.title, _FIGURES, table_rows(rows), notes)))
    return tuple(blocks)


def outcome(comparisons: Sequence[FigureComparison]) -> tuple[Block, ...]:
    """The comparisons, table by table; figures that were not run are counted, not listed."""
    blocks = []
    for mine in _by_table(comparisons, lambda item: item.figure):
        run = [item for item in mine if item.verdict is not FigureVerdict.NOT_RUN]
        reasons = Counter(item.reason for item in mine if item.verdict is FigureVerdict.NOT_RUN)
        notes = _group_notes(
            len({item.figure.label for item in run}),
            *((item.figure.label, str(d)) for item in run for d in item.differences),
            *((item.figure.label, note) for item in run for note in item.figure.notes),
        )
        notes += tuple(f"{count} not run: {reason}" for reason, count in reasons.items())
        source, rows = mine[0].figure.table, table_rows(map(line, run))
        blocks.append(Block(source, Table(source.title, _COMPARISONS, rows, notes)))
    return tuple(blocks)


def line(item: FigureComparison) -> tuple[str, ...]:
    """One comparison as a row of its table."""
    figure, found = item.figure, item.deviation
    first = (figure.label, _nfe(figure), figure.text)
    if found is None:
        return (*first, "–", "–", "–", verdict_text(item))
    digits = figure.table.decimals + 1
    return (
        *first,
        f"{found.measured:.{digits}f} ({found.how})",
        _difference(item),
        f"±{found.tolerance:.{digits}f}",
        verdict_text(item),
    )


def verdict_text(item: FigureComparison) -> str:
    """The verdict, with the numbers or the columns that belong to it."""
    if item.verdict is FigureVerdict.OFF:
        return f"{item.verdict} {_difference(item)}"
    if item.verdict is FigureVerdict.DIFFERS:
        fields = dict.fromkeys(difference.field for difference in item.differences)
        return f"{item.verdict}: {', '.join(fields)}"
    if item.verdict is FigureVerdict.NOT_RUN:
        return f"{item.verdict}: {item.reason}"
    return str(item.verdict)


def protocol(table: PublishedTable) -> str:
    """One line on how the numbers of a table came about."""
    runs = {"single": "one run", "mean": f"mean of {table.runs} runs"}.get(
        table.aggregate, f"minimum of {table.runs} runs"
    )
    return (
        f"{table.metric.name}, n = {table.metric.n:,}, {runs}; {table.dataset}; {table.model.about}"
        f"; s from {table.s_max:g} to {table.s_min:g}, finish: {table.finish}"
    )


def counts(comparisons: Sequence[FigureComparison]) -> str:
    """3 reproduced, 1 off, 4 with another protocol, 200 not run."""
    number = Counter(item.verdict for item in comparisons)
    return (
        f"{number[FigureVerdict.REPRODUCED]} reproduced, {number[FigureVerdict.OFF]} off, "
        f"{number[FigureVerdict.DIFFERS]} with another protocol, "
        f"{number[FigureVerdict.NOT_RUN]} not run"
    )


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown."""
    return "\n".join(text for block in blocks for text in _markdown(block))


def print_blocks(blocks: Sequence[Block], console: Console) -> None:
    """Print the blocks; names are never taken for markup."""
    for block in blocks:
        source = block.source
        title = Text(one_line(source.title), style="bold")
        console.print(Text.assemble(title, f" ({one_line(source.id)})"))
        paper = source.source
        console.print(Text(one_line(f"{paper.paper}, {paper.place}: {paper.url}")))
        console.print(Text(one_line(f"suite {source.suite}: {protocol(source)}")))
        if block.table.rows:
            console.print(terminal(replace(block.table, title="")))
        for note in block.table.notes:
            console.print(Text(f"- {one_line(note)}"))
        console.print()


def _markdown(block: Block) -> Iterator[str]:
    table, paper = block.source, block.source.source
    yield f"## {escape(table.title)}"
    yield ""
    yield (
        f"`{code(table.id)}`: {escape(paper.paper)}, {escape(paper.place)} "
        f"(<{printable(paper.url)}>). Suite `{code(table.suite)}`. {escape(protocol(table))}."
    )
    yield ""
    if block.table.rows:
        yield from markdown_lines(block.table)
        yield ""
    yield from (f"- {escape(note)}" for note in block.table.notes)
    if block.table.notes:
        yield ""


def _by_table(items: Sequence[T], figure_of: Callable[[T], PublishedFigure]) -> Iterable[list[T]]:
    tables: dict[str, list[T]] = {}
    for item in items:
        tables.setdefault(figure_of(item).table.id, []).append(item)
    return tables.values()


def _group_notes(total: int, *notes: tuple[str, str]) -> tuple[str, ...]:
    """Each note once, with the curves that it is about, unless these are all."""
    curves: dict[str, dict[str, None]] = {}
    for label, text in notes:
        curves.setdefault(text, {})[label] = None
    return tuple(
        text if len(labels) == total else f"{text} ({', '.join(labels)})"
        for text, labels in curves.items()
    )


def _difference(item: FigureComparison) -> str:
    if item.deviation is None:
        return ""
    share = "" if item.relative is None else f" ({100 * item.relative:+.1f} %)"
    return f"{item.deviation.difference:+.{item.figure.table.decimals + 1}f}{share}"


def _point(figure: PublishedFigure) -> str:
    return figure.text if figure.nfe is None else f"{_nfe(figure)}: {figure.text}"


def _nfe(figure: PublishedFigure) -> str:
    if figure.nfe is None:
        return "adaptive"
    if figure.evaluations not in (None, figure.nfe):
        return f"{figure.nfe} ({figure.evaluations} here)"
    return str(figure.nfe)
