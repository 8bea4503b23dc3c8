"""The report's section on claims, for a run that has the suites of some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from bench.extend import Canvas, Figure, RunData, RunFigure, View, hookimpl

if TYPE_CHECKING:
    from bench_claims.verdict import Verdict

_CAPTION = (
    "Left, means over seeds with 95 % intervals; right, the numbers that decide, each on a scale "
    "of its own, with intervals that hold at once with 95 % and, shaded, the values for which the "
    "claim holds. `bench claims RESULTS` gives them as a table."
)


def views(run: RunData) -> Iterator[View]:
    """Judge the claims whose suites have run."""
    from bench_claims.claims import CLAIMS
    from bench_claims.rows import Rows
    from bench_claims.suite import suites_of
    from bench_claims.verdict import Outcome

    present = set(run.rows["suite"].unique())
    wanted = [claim for claim in CLAIMS if set(suites_of(claim)) & present]
    rows = Rows(run.rows[run.rows["usable"]])
    for claim in wanted:
        verdict = claim.judge(rows)
        if verdict.outcome is not Outcome.NOT_RUN:
            yield View(
                partial(draw, verdict, claim.statement),
                title=f"{claim.title}: {verdict.outcome.value}",
                suffix=claim.name.replace("_", "-"),
                section="Claims",
            )


def draw(verdict: Verdict, statement: str, canvas: Canvas) -> str:
    """Draw a claim's curves and its numbers."""
    from bench_claims.drawing import fill, size_of

    fill(canvas.open(*size_of(verdict)), verdict)
    return f"Claim: {statement} {verdict.sentence} {_CAPTION}"


@hookimpl
def bench_figures() -> Sequence[Figure]:
    return [RunFigure(name="claims", title="Claims", rank=5, views=views)]
