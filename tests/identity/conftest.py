"""Trees of modules that are found on the path and not imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bench.identity.cache import CodeCache
from bench.identity.host import host_modules
from bench.identity.walk import Identity, identity_of

Write = Callable[[Mapping[str, str | bytes]], Path]
Look = Callable[..., Identity]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files, by their names, into a folder that modules are looked for in."""
    monkeypatch.syspath_prepend(tmp_path)

    def files(contents: Mapping[str, str | bytes]) -> Path:
        for name, content in contents.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        importlib.invalidate_caches()
        return tmp_path

    return files


@pytest.fixture
def look() -> Look:
    """The identity of modules, read anew."""

    def identity(*modules: str) -> Identity:
        importlib.invalidate_caches()
        return identity_of(modules, CodeCache(host_modules()))

    return identity
