"""The source of the house, read once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of source.

    Attributes:
        path: from the root of the repository.
        lines: how many it has.
        tree: its syntax.
    """

    path: str
    lines: int
    tree: ast.Module

    def functions(self) -> Iterator[Function]:
        """All functions and methods."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def classes(self) -> Iterator[ast.ClassDef]:
        """All classes."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


@pytest.fixture(scope="session")
def modules() -> tuple[Module, ...]:
    """All modules of the host and of its plugins."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("needs the source tree")
    files = [file for top in ("bench", "plugins") for file in sorted((ROOT / top).rglob("*.py"))]
    return tuple(_module(file) for file in files)


@pytest.fixture(scope="session")
def host(modules: tuple[Module, ...]) -> tuple[Module, ...]:
    """The modules of the host."""
    return tuple(module for module in modules if module.path.startswith("bench/"))


def _module(file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    path = file.relative_to(ROOT).as_posix()
    return Module(path, len(text.splitlines()), ast.parse(text, path))
