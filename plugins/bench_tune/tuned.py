"""The file to run next: the suite with the chosen values, on the test's draws."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench_tune.choice import TUNED, Choice
from bench_tune.draws import TEST, Draws
from bench_tune.suite import TunedSuite, with_split

_CHOSEN = ("models", "tasks", "processes", "grids", "solvers", "guidance", "nfe")
"""Keys of a suite that the choices stand for."""


def tuned_file(suite: TunedSuite, choices: Sequence[Choice]) -> dict[str, Any]:
    """The content of the file: one suite, or one for each combination with choices of its own."""
    rest = {key: value for key, value in suite.body.items() if key not in _CHOSEN}
    bodies = [body | rest for body in _bodies(choices)]
    names = [suite.name] if len(bodies) == 1 else _names(suite.name, bodies)
    return {"name": f"{suite.run[:56]}-tuned", "suites": dict(zip(names, bodies, strict=True))}


def remarks(command: str, choices: Sequence[Choice], draws: Draws) -> Iterator[str]:
    """The comments that say how the values were chosen."""
    yield f"Chosen by `{command}` on {draws.kind} alone; run with `bench run`."
    yield from draws.remarks()
    for choice in choices:
        budgets = ", ".join(map(str, choice.place["budgets"]))
        where = f"{choice.model}, {choice.task}, {choice.sampler}"
        where += f", NFE {budgets}" if budgets else ""
        if choice.chosen is None:
            yield f"{where}: left out, no usable number: {choice.candidates[0].reason}"
            continue
        values = ", ".join(f"{name} = {value}" for name, value in choice.tuned.items())
        edge = f"; at the edge of what was tried: {', '.join(choice.edges)}"
        number = f"{choice.chosen.value:.5g} +- {choice.chosen.std_error:.2g}"
        text = f"{where}: {values or 'nothing to choose'} ({number})"
        yield text + (edge if choice.edges else "")


def _bodies(choices: Sequence[Choice]) -> Iterator[dict[str, Any]]:
    """Suites, each of one model, task and process, those with equal samplers joined by budget."""
    blocks: dict[str, dict[str, Any]] = {}
    for choice in choices:
        if choice.chosen is None:
            continue
        place, budgets = choice.place, list(choice.place["budgets"])
        head = {
            "models": [_item(choice, "model")],
            "tasks": [_task(choice)],
            "processes": [_item(choice, "process")],
            "nfe": budgets,
        }
        key = json.dumps(head, sort_keys=True)
        block = blocks.setdefault(key, head | {"solvers": []})
        block["solvers"].append(_solver(choice, place))
    joined: dict[str, dict[str, Any]] = {}
    for block in blocks.values():
        alike = json.dumps({k: v for k, v in block.items() if k != "nfe"}, sort_keys=True)
        if alike in joined and block["nfe"] and joined[alike]["nfe"]:
            joined[alike]["nfe"] += block["nfe"]
        else:
            joined[alike] = block
    for body in joined.values():
        yield {k: v for k, v in body.items() if k != "nfe" or v}


def _task(choice: Choice) -> dict[str, Any] | None:
    """The task on the test's draws; None without."""
    task = _item(choice, "task") if choice.place["task"] else None
    if task is None or "split" not in task:
        return task
    return with_split({k: v for k, v in task.items() if k != "split"}, TEST)


def _solver(choice: Choice, place: Mapping[str, Any]) -> dict[str, Any]:
    item = _item(choice, "solver")
    if place["corrector"]:
        item["corrector"] = _item(choice, "corrector")
    if place["grid"]:
        item["grids"] = [_item(choice, "grid")]
    item["guidance"] = [_item(choice, "guidance") if place["guidance"] else None]
    return item


def _item(choice: Choice, column: str) -> dict[str, Any]:
    """A plugin with its parameters: those that were chosen, even if they are the defaults."""
    if column in TUNED and choice.chosen is not None:
        own = {
            k.partition(".")[2]: v for k, v in choice.tuned.items() if k.startswith(f"{column}.")
        }
        params = {**choice.chosen.params[column], **own}
    else:
        params = json.loads(choice.place[f"{column}_params"] or "{}")
    return {"name": str(choice.place[column]), **{k: _path(v, choice) for k, v in params.items()}}


def _path(value: Any, choice: Choice) -> Any:
    """A file by its path, which the digest in the results stands for."""
    return choice.files.get(value, value) if isinstance(value, str) else value


def _names(suite: str, bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    names: list[str] = []
    for body in bodies:
        parts = [suite, body["models"][0]["name"]]
        parts += [task["name"] for task in body["tasks"] if task]
        parts += [f"nfe{'-'.join(map(str, body['nfe']))}"] if "nfe" in body else []
        name = re.sub(r"[^A-Za-z0-9._-]", "-", "-".join(parts))[:58]
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    return names
