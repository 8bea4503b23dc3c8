"""Distributions that do not exist, with plugin modules that do."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from bench.project import GROUP
from bench.registry import Registry, load_registry

_serial = itertools.count()

Install = Callable[..., None]


class FakeDistribution:
    """What the registry asks of a distribution."""

    def __init__(self, name: str, version: str, requires: list[str] | None = None) -> None:
        self.metadata = {"Name": name}
        self.version = version
        self.requires = requires


class FakeEntryPoint:
    """What the registry asks of an entry point; the module behind it is real."""

    def __init__(self, name: str, module: str, dist: FakeDistribution | None) -> None:
        self.name, self.module, self.dist = name, module, dist

    def load(self) -> Any:
        return metadata.EntryPoint(self.name, self.module, GROUP).load()


@pytest.fixture
def points() -> list[FakeEntryPoint]:
    """The entry points that the fake environment has."""
    return []


@pytest.fixture
def install(
    points: list[FakeEntryPoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Install:
    """``install(name, source)`` writes a plugin module and gives it an entry point."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(
        name: str,
        source: str,
        distribution: str = "",
        version: str = "1.0",
        requires: list[str] | None = None,
    ) -> None:
        module = f"scorebench_test_plugin_{next(_serial)}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        owner = FakeDistribution(distribution or f"dist-{name}", version, requires)
        points.append(FakeEntryPoint(name, module, owner))

    return write


@pytest.fixture
def load(points: list[FakeEntryPoint], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Registry]:
    """Loads the registry of the fake environment, beside the cache of the real one."""

    def entry_points(*, group: str) -> list[FakeEntryPoint]:
        return points if group == GROUP else []

    def registry() -> Registry:
        monkeypatch.setattr(metadata, "entry_points", entry_points)
        return load_registry.__wrapped__()

    return registry
