"""`bench compare`: the verdict on a change. Imports are lazy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Format, write_file
from bench.core.errors import BenchError
from bench.extend import Command

if TYPE_CHECKING:
    from bench.compare.question import CompareOptions
    from bench.compare.result import Comparison

_EPILOG = """
BASE and HEAD are folders of a run (results/quick), folders of several runs (results/baseline), or
git revisions: REV means results/baseline as it stood there, REV:PATH another folder. BASE may also
be the published figures of a suite: published:cifar10-edm.

    bench compare results/baseline results/quick
    bench compare main results/quick --gate 'fd_*:+2%' --gate 'rmse:+5%'
    bench compare results/mine results/mine --rename ddim=my_solver --only suite=digits

worse: not by chance, and by more than the tolerance (2% without --gate). same: the interval of the
difference lies within the tolerance. inconclusive: neither, with what it would take. Points of BASE
that HEAD never ran are lost and fail the comparison, unless --allow-lost says that they may be.
Several --out are written at once, the form by the suffix: .txt, .md, .json, .xml (JUnit).

Exit codes: 0 fine, 1 a gated metric got worse or a point of BASE is lost, 2 nothing (or nothing
that was asked for) could be compared, some must not be, or bad input.
"""


_SUFFIXES = {
    ".txt": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".json": Format.JSON,
    ".xml": Format.JUNIT,
}


Base = Annotated[
    str, typer.Argument(help="What to compare with: a folder, a git revision, published:SUITE.")
]
Head = Annotated[str, typer.Argument(help="What to judge: a folder or a git revision.")]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric", help="Only these metrics (names or globs). Default: all with a direction."
    ),
]
Gates = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        help="METRIC:+2% or METRIC:+0.1: what may be lost (METRIC:±2%: or gained); only "
        "gated metrics decide the exit code. Default: every metric with a direction, +2%.",
    ),
]
Alpha = Annotated[
    float, typer.Option(help="Probability of a false alarm in the family of a metric.")
]
Printed = Annotated[Format, typer.Option("--format", help="What is printed to standard output.")]
Only = Annotated[
    list[str] | None, typer.Option(help="FIELD=GLOB, as of `bench run`: only what fits.")
]
Renames = Annotated[
    list[str] | None,
    typer.Option(
        "--rename",
        help="OLD=NEW: BASE's solver (or sampler) OLD is compared with HEAD's NEW.",
    ),
]
Times = Annotated[
    bool, typer.Option("--times", help="Compare sampling times, too (same hardware only).")
]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", help="METRIC=VALUE to reach. Default: what both curves reach."),
]
AllowLost = Annotated[
    bool, typer.Option("--allow-lost", help="HEAD may lack points of BASE that it never ran.")
]
Out = Annotated[list[Path] | None, typer.Option(help="Write to a file, too; the suffix says how.")]


def compare(
    base: Base,
    head: Head,
    metrics: Metrics = None,
    gates: Gates = None,
    alpha: Alpha = 0.05,
    printed: Printed = Format.TEXT,
    only: Only = None,
    renames: Renames = None,
    times: Times = False,
    targets: Targets = None,
    allow_lost: AllowLost = False,
    out: Out = None,
) -> None:
    """Say whether HEAD is better or worse than BASE, curve by curve, and how sure that is."""
    from bench.compare.gates import Gate
    from bench.compare.question import CompareOptions

    question = CompareOptions(
        metrics=tuple(metrics or ()),
        gates=tuple(Gate.parse(text) for text in gates or ()),
        alpha=alpha,
        only=tuple(only or ()),
        renames=tuple(_split(text, "--rename", "OLD=NEW") for text in renames or ()),
        times=times,
        targets=tuple(_target(text) for text in targets or ()),
        allow_lost=allow_lost,
    )
    found = _compare(base, head, question)
    for path in out or ():
        write_file(path, _forms()[_SUFFIXES.get(path.suffix, printed)](found))
    if printed is Format.TEXT:
        _print(found)
    else:
        sys.stdout.write(_forms()[printed](found))
    if found.exit_code:
        raise typer.Exit(int(found.exit_code))


def _compare(base: str, head: str, question: CompareOptions) -> Comparison:
    from bench.compare.compare import compare
    from bench.compare.inputs import open_results

    if base.startswith("published:"):
        return _compare_published(base, head, question)
    with open_results(base) as before, open_results(head) as after:
        return compare(before, after, question)


def _compare_published(base: str, head: str, question: CompareOptions) -> Comparison:
    from bench.compare.compare import compare
    from bench.compare.inputs import open_results
    from bench.compare.published import published_inputs

    with open_results(head) as after:
        inputs = published_inputs(base, after)
        found = compare(inputs.base, inputs.head, question)
    return replace(found, refused=(*found.refused, *inputs.refused))


def _forms() -> Mapping[Format, Callable[[Comparison], str]]:
    from bench.compare.json_form import as_json
    from bench.compare.junit import junit
    from bench.compare.markdown import markdown
    from bench.compare.text import text

    return {
        Format.TEXT: text,
        Format.MARKDOWN: markdown,
        Format.JSON: as_json,
        Format.JUNIT: junit,
    }


def _print(found: Comparison) -> None:
    from rich.console import Console

    from bench.compare.text import print_text

    terminal = sys.stdout.isatty()
    print_text(found, Console(highlight=False, width=None if terminal else 160))


def _split(text: str, option: str, form: str) -> tuple[str, str]:
    left, equals, right = text.rpartition("=") if option == "--target" else text.partition("=")
    if not equals or not left or not right:
        raise BenchError(f"{option} {text}: write {form}")
    return left, right


def _target(text: str) -> tuple[str, float]:
    metric, value = _split(text, "--target", "METRIC=VALUE")
    try:
        return metric, float(value)
    except ValueError:
        raise BenchError(f"--target {text}: '{value}' is no number") from None


COMMAND = Command("compare", compare, _EPILOG, rank=40)
