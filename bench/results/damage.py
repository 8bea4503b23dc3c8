"""Damaged files of a run: found, named, and set aside, never deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.core.errors import BenchError
from bench.results import seal
from bench.results.seal import DamagedError, OldError
from bench.results.store import Store

ASIDE = "set-aside"

LOG = "workers.log"
"""The file that holds what workers print."""

_THREADS, _SHARE = 4, 256


def samples(store: Store, keys: Iterable[str]) -> tuple[DamagedError, ...]:
    """Return what is damaged of the samples of these cells."""
    return _of_cells(store.sample_path, "samples", keys)


def answers(store: Store, keys: Iterable[str]) -> tuple[DamagedError, ...]:
    """Return what is damaged of what the samples of these cells answer."""
    return _of_cells(store.answer_path, "answers", keys)


def evidence(store: Store, keys: Iterable[str]) -> tuple[DamagedError, ...]:
    """Return what is damaged of the evidence of these cells."""
    return _of_cells(store.evidence_path, "evidence", keys)


def _of_cells(
    path_of: Callable[[str], Path], folder: str, keys: Iterable[str]
) -> tuple[DamagedError, ...]:
    try:
        there = frozenset(os.listdir(path_of("").parent))
    except OSError:
        return ()
    files = ((path_of(key), f"{folder}/{key}") for key in sorted(keys))
    return _check([(path, place) for path, place in files if path.name in there])


def paths(store: Store) -> tuple[DamagedError, ...]:
    """Return what is damaged of the paths of processes."""
    files = sorted((store.root / "paths").glob("*.npz"))
    return _check([(path, f"paths/{path.stem}") for path in files])


def singles(store: Store) -> tuple[DamagedError, ...]:
    """Return what is damaged of the files that a run has once.

    Table and log are no results: what is in them does no harm, but they must be files.
    """
    files = [(store.plan_path, "plan"), (store.references_path, "references")]
    errors = [error for error in _check(files) if not isinstance(error, OldError)]
    blocked = [
        DamagedError(path, "is no file")
        for path in (store.table_path, store.root / LOG)
        if os.path.lexists(path) and not path.is_file()
    ]
    return (*errors, *blocked)


def _check(files: Sequence[tuple[Path, str]]) -> tuple[DamagedError, ...]:
    shares = [files[first : first + _SHARE] for first in range(0, len(files), _SHARE)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return tuple(error for found in pool.map(_share, shares) for error in found)


def _share(files: Sequence[tuple[Path, str]]) -> list[DamagedError]:
    errors = (seal.check(path, place) for path, place in files)
    return [error for error in errors if error is not None]


def set_aside(root: Path, damaged: Iterable[DamagedError]) -> list[tuple[Path, Path]]:
    """Move files into `<root>/set-aside/`; return where each was and is.

    Raises:
        BenchError: one cannot be moved.
    """
    moved = []
    for error in damaged:
        target = _free(root / ASIDE / error.path.relative_to(root))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            error.path.rename(target)
        except FileNotFoundError:  # somebody else was quicker
            continue
        except OSError as reason:
            raise BenchError(
                f"{error.path}: {error.why}, and cannot be set aside ({reason.strerror}); move it "
                "away and run again"
            ) from None
        moved.append((error.path, target))
    return moved


def lines(damaged: Sequence[DamagedError], most: int = 10) -> list[str]:
    """Return what is damaged, for people."""
    named = [f"{seal.show(error.path)} {error.why}" for error in damaged[:most]]
    more = len(damaged) - most
    return [*named, f"and {more} files more"] if more > 0 else named


def _free(path: Path) -> Path:
    """Return the path, or one beside it with a number, where nothing is yet."""
    free, number = path, 1
    while free.is_symlink() or free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
