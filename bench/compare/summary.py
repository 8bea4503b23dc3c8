"""A comparison as a whole, in sentences that all its forms share."""

from __future__ import annotations

from collections.abc import Iterator

from bench.compare import formatting
from bench.compare.result import NEVER_RAN, Comparison, ExitCode
from bench.compare.verdict import Verdict
from bench.render.labels import shorten_label

ORDER = (
    Verdict.WORSE,
    Verdict.BETTER,
    Verdict.CHANGED,
    Verdict.INCONCLUSIVE,
    Verdict.SAME,
)
"""Verdicts are listed in this order."""

NOTHING = "nothing could be compared"
"""Said where BASE and HEAD have no point in common, or none that may be compared."""


def headline(comparison: Comparison) -> str:
    """The verdict on the whole, in one line."""
    parts = list(comparison.unmet)
    if not len(comparison.points):
        parts = [NOTHING, *parts]
    moved = comparison.regressions["verdict"].ne(Verdict.WORSE).sum()
    if moved:
        parts.append(f"{moved} moved that a gate holds on both sides")
    if len(comparison.points):
        parts.append(f"{len(comparison.points)} comparisons: {counts(comparison)}")
        if not comparison.points["gated"].any():
            parts.append("none of them gated")
    parts += _missing(comparison)
    refused = sum(refusal.points for refusal in comparison.refused)
    if refused:
        parts.append(f"{refused} refused")
    return f"{_verdict(comparison)}: {'; '.join(parts)}"


def _verdict(comparison: Comparison) -> str:
    if comparison.exit_code is ExitCode.REGRESSION:
        failed = any(item.gated and item.status != NEVER_RAN for item in comparison.missing)
        return "REGRESSION" if len(comparison.regressions) or failed else "POINTS LOST"
    return "NOT COMPARABLE" if comparison.exit_code else "no regression"


def _missing(comparison: Comparison) -> Iterator[str]:
    """Counts of the numbers that HEAD lacks, those that fail the comparison first."""
    for verb, never_ran in (("failed", False), ("are missing", True)):
        for gated in (True, False):
            count = sum(
                item.points
                for item in comparison.missing
                if item.gated is gated and (item.status == NEVER_RAN) is never_ran
            )
            if count:
                yield f"{count} numbers of BASE {verb} in HEAD" + (
                    "" if gated else " (not gated)" if not never_ran else " (not gated, or allowed)"
                )


def counts(comparison: Comparison) -> str:
    """The number of points of each verdict."""
    found = comparison.points["verdict"].value_counts()
    identical = int(comparison.points["identical"].sum())
    parts = []
    for verdict in ORDER:
        count = int(found.get(verdict.value, 0))
        if count:
            bits = f" ({identical} bit-identical)" if verdict is Verdict.SAME and identical else ""
            parts.append(f"{count} {verdict.value}{bits}")
    return ", ".join(parts)


def method(comparison: Comparison) -> Iterator[str]:
    """The rules that the verdicts follow."""
    alpha, points = comparison.alpha, comparison.points
    if points.empty:
        yield (
            "What is compared: the same suites, models, processes, grids, solvers, budgets and "
            "metrics, where their protocols agree; --rename is for a solver of another name."
        )
        return
    level = f"{100 * (1 - alpha):g} %"
    yield (
        f"Intervals have level {level} each. worse and better: Holm's p below {alpha:g} within "
        "each metric, and the difference above the tolerance; same: the interval within it."
    )
    families = points[points["family"] > 0].groupby("metric", sort=False)["family"].first()
    if len(families):
        sizes = ", ".join(
            f"{shorten_label(str(m), formatting.WIDTH)} {n:.0f}" for m, n in families.items()
        )
        yield f"Families (comparisons that are not bit-identical): {sizes}."
    gates = ", ".join(gate.text for gate in comparison.gates) or "every metric by its tolerance"
    yield f"Gated: {gates}."


def overall(comparison: Comparison) -> Iterator[str]:
    """The summaries over all curves, one line for each metric."""
    for row in formatting.records(comparison.overall):
        ratio = f"{row['iqm']:.4g}" + formatting.interval(row, "iqm")
        better = f"{row['improvement']:.2f}" + formatting.interval(row, "improvement")
        metric = shorten_label(str(row["metric"]), formatting.WIDTH)
        yield (
            f"{metric} over {row['points']} points: interquartile "
            f"mean of HEAD/BASE {ratio}, probability of improvement {better}"
        )


def remarks(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Lists with their titles: what is not comparable, and what only one side has."""
    rows = formatting.records(comparison.new)
    for title, lines in (
        ("Not comparable", [formatting.refusal(item) for item in comparison.refused]),
        ("Lost in HEAD", [formatting.missing(item) for item in comparison.missing]),
        ("Only in HEAD", [formatting.new_points(row) for row in rows]),
    ):
        if lines:
            yield title, lines
