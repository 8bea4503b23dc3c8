"""`bench plugins new`: the package of a new plugin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

EPILOG = """
    bench plugins new my-solver && pip install ./my-solver
    bench plugins check my_solver
    bench run my-solver/benchmarks.yaml

The package has one solver (DDIM, to be replaced by yours), its tests with the conformance kit, a
suite that compares it with known solvers, and a workflow that does all this on GitHub.
"""

Name = Annotated[str, typer.Argument(help="Name of the package, such as my-solver.")]
Folder = Annotated[
    Path | None, typer.Option(help="Where to write it; default: a folder of that name here.")
]
Stochastic = Annotated[bool, typer.Option(help="Start from a stochastic step of the reverse SDE.")]
Author = Annotated[str, typer.Option(help="Your name, for pyproject.toml.")]


def new(
    name: Name, folder: Folder = None, stochastic: Stochastic = False, author: Author = ""
) -> None:
    """Write a complete plugin package: a solver, its tests, a suite, a workflow."""
    from bench.scaffold import write_package

    files = write_package(name, folder or Path(name), stochastic, author)
    for file in files:
        print(f"wrote {file}", file=sys.stderr)
    where = folder or Path(name)
    print(f"now: pip install {_local(where)} && bench plugins check {name.replace('-', '_')}")


def _local(path: Path) -> str:
    return str(path) if path.is_absolute() else f"./{path}"
