"""The suite to tune, and the same on validation draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.extend import BenchError
from bench_tune.catalogue import Catalogue
from bench_tune.draws import TEST, VALIDATION, Draws, make_draws
from bench_tune.yaml_text import read_yaml

_OWN = ("name", "grids", "corrector", "guidance")
"""Keys of a solver that are no parameters of it."""


@dataclass(frozen=True)
class TunedSuite:
    """A suite of a file.

    Attributes:
        path: of the file.
        run: name of its run.
        name: of the suite.
        body: its keys, defaults included.
    """

    path: Path
    run: str
    name: str
    body: Mapping[str, Any]

    def check(self, catalogue: Catalogue) -> None:
        """Refuse what cannot be tuned.

        Raises:
            BenchError: a task names its split, or nothing has several values.
        """
        for task in self._tasks:
            if _splits(task, catalogue) and _params(task).get("split", TEST) != TEST:
                raise self._error(f"task '{_name(task)}' names its split; leave `split` away")
        if any("every" in _params(item) for item in _items(self.body.get("solvers"))):
            raise self._error("`every` stands for solvers that are not tuned; name solvers")
        if not any(_alternatives(self.body)):
            raise self._error(
                "nothing to choose: give a parameter of a guidance, solver or corrector a list "
                "of values"
            )

    def draws(self, catalogue: Catalogue, seeds: list[int] | None) -> Draws:
        """The draws to choose on, perhaps with other seeds.

        Raises:
            BenchError: the suite's seeds are none, or ``seeds`` are the test's where they must not.
        """
        own = self.body.get("seeds", [0])
        if not isinstance(own, list) or not own or not all(map(_is_seed, own)):
            raise self._error("`seeds` must be a list of whole numbers, such as [0, 1, 2]")
        unsplit = [_task_name(task) for task in self._tasks if not _splits(task, catalogue)]
        return make_draws(own, unsplit, seeds)

    def validation(self, draws: Draws) -> dict[str, Any]:
        """The file of the suite on these draws."""
        tasks = [
            task if _task_name(task) in draws.unsplit else with_split(task, VALIDATION)
            for task in self._tasks
        ]
        body = dict(self.body) | {"tasks": tasks, "seeds": list(draws.seeds)}
        return {"name": f"{self.run[:50]}-{VALIDATION}", "suites": {self.name: body}}

    @property
    def _tasks(self) -> list[Any]:
        return _items(self.body.get("tasks")) or [None]

    def _error(self, message: str) -> BenchError:
        return BenchError(f"{self.path}: suites.{self.name}: {message}")


def read_suite(path: Path, name: str | None) -> TunedSuite:
    """Read a suite of ``path`` or of what it includes.

    Raises:
        BenchError: there is none of that name, or several where none is named.
    """
    content = read_yaml(path)
    found = dict(_suites(path, ()))
    if name is None and len(found) != 1:
        named = ", ".join(found) or "none"
        raise BenchError(f"{path}: name one of its suites with --suite: {named}")
    chosen = next(iter(found)) if name is None else name
    if chosen not in found:
        raise BenchError(f"{path}: has no suite '{chosen}', only: {', '.join(found) or 'none'}")
    return TunedSuite(path, str(content.get("name") or path.stem), chosen, found[chosen])


def _suites(path: Path, chain: tuple[Path, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.resolve() in chain:
        raise BenchError(f"{path}: includes itself; remove the `include:`")
    content = read_yaml(path)
    for other in _items(content.get("include")):
        yield from _suites(path.parent / str(other), (*chain, path.resolve()))
    defaults, suites = content.get("defaults") or {}, content.get("suites") or {}
    if not all(isinstance(part, dict) for part in (defaults, suites, *suites.values())):
        raise BenchError(f"{path}: `defaults`, `suites` and each suite must be mappings")
    for name, body in suites.items():
        yield str(name), {**defaults, **body}


def with_split(task: Any, split: str) -> dict[str, Any]:
    """A task of a suite with its split."""
    return {"name": _name(task), **_params(task), "split": split}


def _splits(task: Any, catalogue: Catalogue) -> bool:
    """True if the observations of a task have a split of their own for validation."""
    return "split" in catalogue.of("task", _task_name(task))


def _task_name(task: Any) -> str:
    """As the results name it: "" for none."""
    return "" if task is None else _name(task)


def _is_seed(value: object) -> bool:
    return type(value) is int and value >= 0


def _alternatives(body: Mapping[str, Any]) -> Iterator[bool]:
    """For each place of the suite, True if it has several values of one plugin."""
    solvers = _items(body.get("solvers"))
    places = [solvers, _items(body.get("guidance"))]
    for solver in solvers:
        places += [_items(_params(solver).get(key)) for key in ("corrector", "guidance")]
    for items in places:
        names = [_name(item) for item in items if item is not None]
        yield len(set(names)) < len(names)
        for item in items:
            values = (v for k, v in _params(item).items() if k not in _OWN)
            yield any(isinstance(value, list) and len(value) > 1 for value in values)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _name(item: Any) -> str:
    return str(item.get("name")) if isinstance(item, dict) else str(item)


def _params(item: Any) -> dict[str, Any]:
    return {k: v for k, v in item.items() if k != "name"} if isinstance(item, dict) else {}
