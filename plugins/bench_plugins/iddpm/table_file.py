"""Tables of discrete schedules: what is valid, and the files that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from bench.api import BenchError, first_line, load_tensors, require

TableKind = Literal["betas", "alphas_cumprod"]
_KINDS: tuple[TableKind, ...] = get_args(TableKind)
_FORMATS = ".json, .csv, .npy, .npz or .safetensors"
_MOST = 100_000
_UNNAMED = ""


@dataclass(frozen=True)
class Table:
    """A table of levels, from data to noise.

    Attributes:
        kind: what its numbers are.
        values: one for each level.
    """

    kind: TableKind
    values: tuple[float, ...]


def integral_of(table: Table) -> Tensor:
    """B = -ln alpha^2 before the first level (0) and at each, rising, float64, (N + 1,).

    Raises:
        ValueError: the numbers are no schedule.
    """
    values = torch.tensor(table.values, dtype=torch.float64)
    require(2 <= len(values) <= _MOST, f"{table.kind} must be 2 to {_MOST} numbers")
    require(
        bool(((values > 0) & (values < 1)).all()),
        f"{table.kind} must be between 0 and 1, without them"
        + ("" if table.kind == "betas" else " (leave out a level without signal)"),
    )
    if table.kind == "betas":
        levels = (-torch.log1p(-values)).cumsum(0)
    else:
        require(bool((values.diff() < 0).all()), "alphas_cumprod must fall from level to level")
        levels = -values.log()
    return torch.cat([levels.new_zeros(1), levels])


def read_table(path: Path, kind: TableKind | None) -> Table:
    """The table in a file.

    Args:
        path: .json (a list of numbers, or an object with lists), .csv (a column of numbers, or
            columns with names in the first line), .npy, .npz or .safetensors.
        kind: which table to take; None: the one that the file names.

    Raises:
        BenchError: the file cannot be read, is of another kind, or does not say what it holds.
    """
    readers = {".json": _json, ".csv": _csv}
    suffix = path.suffix.lower()
    if suffix not in (*readers, ".npy", ".npz", ".safetensors"):
        raise BenchError(f"process 'table': {path}: unknown kind of file; use {_FORMATS}")
    try:
        arrays = _arrays(path) if suffix not in readers else readers[suffix](_text(path))
    except (ValueError, RecursionError) as error:
        raise BenchError(
            f"process 'table': {path}: holds no table ({first_line(error)}); give a list of numbers"
        ) from None
    return _choose(path, arrays, kind)


def _choose(path: Path, arrays: Mapping[str, Sequence[float]], kind: TableKind | None) -> Table:
    place = f"process 'table': {path}"
    named = [name for name in _KINDS if name in arrays]
    if not named and set(arrays) == {_UNNAMED}:
        if kind is None:
            raise BenchError(
                f"{place}: does not say what it holds; set kind: betas, or alphas_cumprod"
            )
        return Table(kind, tuple(arrays[_UNNAMED]))
    wanted = kind or (named[0] if len(named) == 1 else None)
    if wanted is None or wanted not in named:
        held = ", ".join(repr(name) for name in list(arrays)[:8]) or "nothing"
        asked = f"'{kind}'" if kind else "just one of 'betas' and 'alphas_cumprod'"
        raise BenchError(f"{place}: holds {held}, not {asked}; set kind, or rename the array")
    return Table(wanted, tuple(arrays[wanted]))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BenchError(
            f"process 'table': {path}: cannot be read ({error.strerror}); check the path"
        ) from None


def _arrays(path: Path) -> dict[str, list[float]]:
    found = load_tensors(path)
    unnamed = path.suffix.lower() == ".npy"
    return {_UNNAMED if unnamed else name: _plain(value) for name, value in found.items()}


def _plain(value: Tensor) -> list[float]:
    if value.ndim != 1 or value.is_complex() or value.dtype == torch.bool:
        kind = f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
        raise ValueError(f"an array of {kind}, not of numbers in a row")
    return [float(x) for x in value.double()]


def _json(text: str) -> dict[str, list[float]]:
    found = json.loads(text)
    if isinstance(found, list):
        return {_UNNAMED: _numbers(found)}
    if not isinstance(found, dict):
        raise ValueError("neither a list nor an object")
    return {name: _numbers(found[name]) for name in _KINDS if isinstance(found.get(name), list)}


def _numbers(found: Sequence[object]) -> list[float]:
    for item in found:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise ValueError(f"{str(item)[:40]!r} is no number")
    return [float(str(item)) for item in found]


def _csv(text: str) -> dict[str, list[float]]:
    rows = [
        [cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()
    ]
    if not rows:
        raise ValueError("it is empty")
    names = rows.pop(0) if _is_header(rows[0]) else [_UNNAMED] * len(rows[0])
    if names == [_UNNAMED] * len(names) and len(names) > 1:
        raise ValueError(f"{len(names)} columns without names in the first line")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ValueError(f"row {number} has {len(row)} numbers, not {len(names)}")
    wanted = [i for i, name in enumerate(names) if name in (*_KINDS, _UNNAMED)]
    return {names[i]: [float(row[i]) for row in rows] for i in wanted}


def _is_header(row: Sequence[str]) -> bool:
    return any(cell in _KINDS for cell in row)
