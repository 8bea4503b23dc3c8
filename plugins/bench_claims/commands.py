"""`bench claims`; its modules with pandas and torch are imported when called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.extend import BenchError, Command, hookimpl
from bench_claims.names import NAMES

if TYPE_CHECKING:
    from rich.console import Console

    from bench_claims.claim import Claim
    from bench_claims.page import Judged

_EPILOG = """
Claims that are tested:

CLAIMS

A run takes some minutes on two cores, and goes on where it was cut. It leaves in OUT the results
of `bench run` (which `bench report OUT` shows, the verdicts among them), claims.yaml with all that
was run, and in OUT/verdicts claims.md, claims.html, claims.json and a figure for each claim.

Each verdict has its test, its interval and the effect that it could have seen:

    holds       every number lies where the claim says, with its whole interval
    fails       some number lies elsewhere, with its whole interval, and none where it says
    depends     some do the one and some the other; the sentence says which
    undecided   none lies elsewhere, but an interval covers both; more seeds would tell
    not run     there are no results of it

Examples:

    bench claims
    bench claims --only rk45_saves --only orders
    bench claims results/claims --json        judge a finished folder again

Exit codes: 0 every verdict was had (a claim that fails is a finding, no error), 1 some cells
failed or a claim has no results, 2 bad input.
"""

Results = Annotated[
    Path | None,
    typer.Argument(help="Judge the results in this folder, of an earlier call, and run nothing."),
]
Only = Annotated[
    list[str] | None, typer.Option(help="Test this claim alone (listed below). Repeat for more.")
]
Out = Annotated[Path, typer.Option(help="Folder of results and verdicts, named after the run.")]
Seed = Annotated[int, typer.Option(min=0, help="The first seed of all replicates.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes. Default: one per core.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


def claims(
    results: Results = None,
    only: Only = None,
    out: Out = Path("results/claims"),
    seed: Seed = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Test what tutorials and papers say of samplers, on the models that ship."""
    wanted = _choose(only or ())

    from rich.console import Console

    console = Console(stderr=json, highlight=False)
    faults = False
    if results is None:
        faults = _run(wanted, out, seed, workers, console)
    folder = results or out
    judged = _judge(wanted, folder)
    _show(judged, folder / "verdicts", console, json)
    if faults or any(item.verdict.outcome.value == "not run" for item in judged):
        raise typer.Exit(1)


def _choose(only: Sequence[str]) -> list[Claim]:
    """The claims of these names, all without any, in the order of the page."""
    for name in only:
        if name not in NAMES:
            raise BenchError(f"--only {name}: there is no such claim; there are {', '.join(NAMES)}")

    from bench_claims.claims import CLAIMS

    return [claim for claim in CLAIMS if not only or claim.name in only]


def _run(
    wanted: Sequence[Claim], out: Path, seed: int, workers: int | None, console: Console
) -> bool:
    """Run the suites of the claims; tell whether some cells failed."""
    from bench_claims.claims import CLAIMS
    from bench_claims.execution import Job, execute

    try:
        outcome = execute(Job(CLAIMS, wanted, out, seed, workers), console)
    except KeyboardInterrupt:
        print("bench: interrupted; finished cells are kept, run again to go on", file=sys.stderr)
        raise typer.Exit(130) from None
    for cell, status, reason in outcome.faults:
        console.print(f"{cell.title}: {status.value}: {reason}", markup=False, soft_wrap=True)
    return bool(outcome.faults)


def _judge(wanted: Sequence[Claim], folder: Path) -> list[Judged]:
    from bench_claims.page import Judged
    from bench_claims.rows import read_rows

    rows = read_rows(folder)
    return [Judged(claim, claim.judge(rows)) for claim in wanted]


def _show(judged: Sequence[Judged], folder: Path, console: Console, json: bool) -> None:
    """Write the verdicts in every form, and print the table or the JSON."""
    from bench.render.terminal import terminal
    from bench_claims.files import write_verdicts
    from bench_claims.page import json_form, overview

    written = write_verdicts(judged, folder)
    if json:
        import json as standard

        print(standard.dumps({**json_form(judged), "page": str(written)}, indent=1))
        return
    console.print(terminal(overview(judged)))
    console.print(f"verdicts: {written}", markup=False, soft_wrap=True)


def _list_claims() -> str:
    width = max(map(len, NAMES))
    return "\n".join(f"    {name:{width}}  {title}" for name, title in NAMES.items())


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [Command("claims", claims, _EPILOG.replace("CLAIMS", _list_claims()), rank=70)]
