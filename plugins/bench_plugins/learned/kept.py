"""Learned numbers in files: what they were learned for, and which of them a cell may use."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import TypeAdapter, ValidationError

from bench.api import (
    BenchError,
    Calibration,
    FilePath,
    Plugin,
    Time,
    UnsupportedError,
    atomic_write,
)

FORMAT, VERSION = "scorebench-learned", 1

Rows = tuple[tuple[float, ...], ...]
_STRICT: dict[str, object] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


class Learning(Protocol):
    """A plugin whose numbers are learned for a cell."""

    name: ClassVar[str]

    @property
    def file(self) -> FilePath | None:
        """The file that has the numbers; None: they are learned."""

    def learn(self, cell: Calibration) -> Rows:
        """The numbers for a cell, by evaluating its network."""

    def times_of(self, cell: Calibration, rows: Rows) -> Sequence[Time]:
        """The times that belong to ``rows``; raises BenchError for numbers that are none."""


@dataclass(frozen=True)
class Method:
    """A plugin by its name and all parameters that decide what is learned."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    name: str
    parameters: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name} {json.dumps(self.parameters, sort_keys=True)}"


@dataclass(frozen=True)
class Spent:
    """The cost of learning: rows of evaluations and of gradients, and seconds."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    evaluations: int
    vjps: int
    seconds: float


@dataclass(frozen=True)
class Entry:
    """The numbers learned for one plugin, number of steps and range.

    Attributes:
        plugin: the grid or solver that learned them.
        solver: that for which a grid learned them; None for solvers.
        steps, s_min, s_max: of the cell.
        levels: s of its times, falling.
        numbers: rows of the plugin's own.
        spent: the cost, once.
        origin: model, weights and others, for the record; decides nothing.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    plugin: Method
    solver: Method | None
    steps: int
    s_min: float
    s_max: float
    levels: tuple[float, ...]
    numbers: Rows
    spent: Spent
    origin: dict[str, str]

    def fits(self, cell: Calibration) -> bool:
        """True for the cell's range of levels."""
        return _close((self.s_min, self.s_max), (cell.s_min, cell.s_max))

    @property
    def remark(self) -> str:
        """For readers of the numbers: on what it was learned, and at what cost."""
        origin = ", ".join(f"{key} {value}" for key, value in self.origin.items())
        return (
            f"its numbers are from a file, learned with {self.spent.evaluations} network "
            f"evaluations and {self.spent.vjps} vector-Jacobian products on {origin}"
        )

    @property
    def label(self) -> tuple[object, ...]:
        """All that a cell is matched by; no two entries of a file have it in common."""
        return str(self.plugin), str(self.solver), self.steps, self.s_min, self.s_max


@dataclass(frozen=True)
class Kept:
    """A file of learned numbers."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    entries: tuple[Entry, ...]
    format: str = field(kw_only=True)
    version: int = field(kw_only=True)


def learned_rows(plugin: Learning, cell: Calibration) -> Rows:
    """The numbers that ``plugin`` learns for ``cell``, or finds in its file at no evaluation.

    Raises:
        BenchError: the file cannot be read, or is of another plugin or other parameters.
        UnsupportedError: it has nothing for these steps, this range, solver or grid.
    """
    return plugin.learn(cell) if not plugin.file else entry_for(plugin, plugin.file, cell).numbers


def entry_for(plugin: Learning, file: str, cell: Calibration) -> Entry:
    """The entry of ``file`` for a cell; raises as `learned_rows`."""
    entries = read_kept(Path(file)).entries
    own, solver = method_of(plugin), student_method(cell)
    found = [entry for entry in entries if entry.plugin == own]
    if not found:
        known = "; ".join(sorted({str(entry.plugin) for entry in entries})) or "nothing"
        raise BenchError(f"'{plugin.name}': {file} was learned for {known}, not for {own}")
    place = f"'{plugin.name}': {file}"
    if not (found := [entry for entry in found if entry.solver == solver]):
        raise UnsupportedError(f"{place} has no times for solver {solver}; learn them for it")
    steps = sorted({entry.steps for entry in found})
    if not (found := [entry for entry in found if entry.steps == cell.steps]):
        raise UnsupportedError(
            f"{place} was learned for {', '.join(map(str, steps))} steps, and the cell takes "
            f"{cell.steps}"
        )
    ranges = ", ".join(f"{entry.s_min:g} to {entry.s_max:g}" for entry in found)
    if not (found := [entry for entry in found if entry.fits(cell)]):
        raise UnsupportedError(
            f"{place} was learned for s from {ranges}, and the cell has {cell.s_min:g} to "
            f"{cell.s_max:g}"
        )
    levels = [time.s for time in plugin.times_of(cell, found[0].numbers)]
    if not _close(found[0].levels, levels):
        raise UnsupportedError(
            f"{place} was learned on other levels than those of the cell's grid; name the grid "
            "that it was learned on"
        )
    return found[0]


def read_kept(path: Path) -> Kept:
    """The content of a file; nothing in it is run.

    Raises:
        BenchError: it is not readable, of another format or version, or says a thing twice.
    """
    try:
        kept = TypeAdapter(Kept).validate_json(path.read_bytes())
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; `bench calibrate` makes it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise BenchError(f"{path}: {where}: {first['msg']}; make it by `bench calibrate`") from None
    if (kept.format, kept.version) != (FORMAT, VERSION):
        raise BenchError(
            f"{path}: is {kept.format!r} of version {kept.version}, and {FORMAT!r} of version "
            f"{VERSION} is read; make it anew by `bench calibrate`"
        )
    _check_distinct(path, kept.entries)
    return kept


def write_kept(path: Path, entries: Sequence[Entry]) -> None:
    """Write ``entries``, whole or not at all; raises BenchError as `read_kept`."""
    _check_distinct(path, entries)
    content = {"format": FORMAT, "version": VERSION}
    entry_forms = [dataclasses.asdict(entry) for entry in entries]
    text = json.dumps(content | {"entries": entry_forms}, indent=1, allow_nan=False)
    with atomic_write(path, "write to another place") as place:
        place.write_text(text + "\n", encoding="utf-8")


def make_entry(
    plugin: Learning, cell: Calibration, rows: Rows, spent: Spent, origin: Mapping[str, str]
) -> Entry:
    """The entry of what ``plugin`` has learned for ``cell``."""
    levels = tuple(time.s for time in plugin.times_of(cell, rows))
    solver = student_method(cell)
    ends = cell.s_min, cell.s_max
    return Entry(method_of(plugin), solver, cell.steps, *ends, levels, rows, spent, dict(origin))


def student_method(cell: Calibration) -> Method | None:
    """The solver that a grid learns for; None in the cell of a solver, which has times."""
    return None if cell.times or cell.stepper is None else method_of(cell.stepper)


def method_of(plugin: Learning | Plugin) -> Method:
    """Name and parameters, as JSON has them; where learned numbers lie decides none of them."""
    own: Any = plugin
    learned = hasattr(plugin, "learn")
    given = {
        item.name: getattr(own, item.name)
        for item in dataclasses.fields(own)
        if not (learned and item.name == "file")
    }
    return Method(plugin.name, json.loads(json.dumps(given, default=str)))


def _check_distinct(path: Path, entries: Sequence[Entry]) -> None:
    for place, entry in enumerate(entries):
        if entry.label in [other.label for other in entries[:place]]:
            raise BenchError(
                f"{path}: two entries for {entry.plugin} in {entry.steps} steps; keep the numbers "
                "of one model, process, grid, guidance and seed in a file"
            )


def _close(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9) for a, b in zip(one, other, strict=True)
    )
