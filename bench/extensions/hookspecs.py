"""Hooks of extensions. Their modules never load torch, so that ``bench --help`` is immediate.

[project.entry-points."scorebench.commands"]
my_command = "my_package.commands"

[project.entry-points."scorebench.figures"]
my_figure = "my_package.figures"
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.extensions.command import Command
from bench.extensions.figure import Figure
from bench.project import hookspec


@hookspec
def bench_commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Commands of ``bench``."""


@hookspec
def bench_figures() -> Sequence[Figure]:  # type: ignore[empty-body]
    """Figures of the report."""
