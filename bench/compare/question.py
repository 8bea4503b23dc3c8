"""The question of a comparison: metrics, gates, filters, targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pandas as pd

from bench.compare.gates import TIME, Gate, gate_of
from bench.core.errors import BenchError


@dataclass(frozen=True)
class CompareOptions:
    """Options of `bench compare`.

    Attributes:
        metrics: names or globs; none: all that have a direction.
        gates: what must not get worse; none: every metric that has a direction.
        alpha: family-wise error, in (0, 1).
        only: FIELD=GLOB, as of `bench run`.
        renames: (old, new) names of solvers or samplers.
        times: whether sampling times are compared, too.
        targets: (metric, value) to reach.
        allow_lost: whether HEAD may lack points of BASE that it never ran.
    """

    metrics: Sequence[str] = ()
    gates: Sequence[Gate] = ()
    alpha: float = 0.05
    only: Sequence[str] = ()
    renames: Sequence[tuple[str, str]] = ()
    times: bool = False
    targets: Sequence[tuple[str, float]] = ()
    allow_lost: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise BenchError(f"--alpha {self.alpha:g}: must lie between 0 and 1, such as 0.05")

    @property
    def about_times(self) -> bool:
        """True where an option or a gate names times."""
        return self.times or any(gate.pattern == TIME for gate in self.gates)


def select_metrics(rows: pd.DataFrame, question: CompareOptions) -> list[str]:
    """The metrics that are compared.

    Raises:
        BenchError: a metric or gate that fits none.
    """
    names = [str(name) for name in rows["metric"].unique()]
    for option, patterns in (
        ("--metric", question.metrics),
        ("--gate", [gate.pattern for gate in question.gates]),
        ("--target", [metric for metric, _ in question.targets]),
    ):
        for pattern in patterns:
            known = [*names, TIME]
            if not any(fnmatchcase(name, pattern) for name in known):
                raise BenchError(
                    f"{option} {pattern}: no result has such a metric; there are: "
                    f"{', '.join(sorted(known))}"
                )
    wanted = {name for name in names if _fits(name, question.metrics)}
    wanted = wanted or set(rows.loc[rows["ranked"], "metric"])
    return [n for n in names if n in wanted or gate_of(n, question.gates) is not None]


def unmet(points: pd.DataFrame, curves: pd.DataFrame, question: CompareOptions) -> Iterator[str]:
    """Options that name numbers of which none could be compared."""
    compared = {str(name) for name in points["metric"].unique()}
    for pattern in question.metrics:
        if not any(fnmatchcase(name, pattern) for name in compared):
            yield f"--metric {pattern}: none of its numbers could be compared"
    for i, gate in enumerate(question.gates):
        named = {name for name in compared if fnmatchcase(name, gate.pattern)}
        if not named:
            yield f"--gate {gate.text}: none of its numbers could be compared"
        elif not any(gate_of(name, question.gates[:i]) is None for name in named):
            yield f"--gate {gate.text}: decides nothing: gates before it name all that it names"
    whole = {str(name) for name in curves["metric"].unique()}
    for i, (pattern, _) in enumerate(question.targets):
        before = [earlier for earlier, _ in question.targets[:i]]
        if not any(fnmatchcase(n, pattern) and not _fits(n, before) for n in whole):
            yield f"--target {pattern}: none of its curves could be compared"
    if question.times and TIME not in compared:
        yield "--times: no sampling time could be compared"


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
