"""Choices for people and for scripts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench_tune.choice import Candidate, Choice
from bench_tune.draws import Draws


def make_table(choices: Sequence[Choice], metric: str, draws: Draws) -> Table:
    """A line for each combination: what was chosen, its mean and standard error, the runner-up."""
    table = Table(title=f"chosen by {escape(metric)} on {draws.kind}")
    for head in ("model", "task", "process", "sampler"):
        table.add_column(head)
    for head in ("NFE", "chosen", escape(metric), "next best", "tried"):
        table.add_column(head, justify="right")
    for choice in choices:
        place = choice.place
        names = (choice.model, choice.task, place["process"], choice.sampler)
        budgets = ", ".join(map(str, place["budgets"])) or "adaptive"
        numbers = (*_cells(choice), _next(choice), str(len(choice.candidates)))
        table.add_row(*(escape(str(cell)) for cell in (*names, budgets, *numbers)))
    return table


def warnings(choices: Sequence[Choice]) -> Iterator[str]:
    """Choices at the edge of what was tried, ties, and candidates without a number."""
    for choice in choices:
        where = f"{choice.model}, {choice.task}, {choice.sampler}"
        budgets = ", ".join(map(str, choice.place["budgets"]))
        where += f", NFE {budgets}" if budgets else ""
        if choice.chosen is None:
            yield f"{where}: no usable number: {choice.candidates[0].reason}"
            continue
        if choice.edges:
            named = ", ".join(f"{name} = {choice.tuned[name]}" for name in choice.edges)
            yield f"{where}: {named} is at the edge of what was tried; try values beyond it"
        if choice.tied:
            yield f"{where}: several have the same mean; the first in the file was taken"
        left = [candidate for candidate in choice.candidates if candidate.reason]
        if left:
            yield f"{where}: {len(left)} of {len(choice.candidates)} left out: {left[0].reason}"


def as_json(choice: Choice) -> dict[str, Any]:
    """A choice as JSON; what is not known is null."""
    place = {name: value for name, value in choice.place.items() if name != "budgets"}
    return {
        **{name: str(value) for name, value in place.items()},
        "budgets": list(choice.place["budgets"]),
        "chosen": None if choice.chosen is None else _candidate(choice.chosen),
        "tuned": dict(choice.tuned),
        "at_edge": list(choice.edges),
        "tied": choice.tied,
        "candidates": [_candidate(candidate) for candidate in choice.candidates],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "params": {kind: dict(values) for kind, values in candidate.params.items()},
        "value": _known(candidate.value),
        "std_error": _known(candidate.std_error),
        "seeds": candidate.seeds,
        "reason": candidate.reason,
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _cells(choice: Choice) -> tuple[str, str]:
    if choice.chosen is None:
        return "–", "no number"
    values = ", ".join(
        f"{name} = {value}{' (edge)' if name in choice.edges else ''}"
        for name, value in choice.tuned.items()
    )
    return values or "–", _number(choice.chosen)


def _next(choice: Choice) -> str:
    """The nearest other mean."""
    chosen = choice.chosen
    others = [c for c in choice.candidates if c is not chosen and not c.reason]
    if chosen is None or not others:
        return "–"
    return _number(min(others, key=lambda other: abs(other.value - chosen.value)))


def _number(candidate: Candidate) -> str:
    error = "" if math.isnan(candidate.std_error) else f" ± {candidate.std_error:.2g}"
    return f"{candidate.value:.5g}{error}"
