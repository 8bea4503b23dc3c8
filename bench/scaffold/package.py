"""Write the package from the templates beside this module."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import jinja2

from bench.core.errors import BenchError
from bench.project import API_VERSION, GROUP, __version__
from bench.registry import Kind, load_registry

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", re.IGNORECASE)

_FILES: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml.jinja",
    "README.md": "README.md.jinja",
    "benchmarks.yaml": "benchmarks.yaml.jinja",
    ".gitignore": "gitignore.jinja",
    ".github/workflows/check.yml": "check.yml.jinja",
    "src/{module}/__init__.py": "init.py.jinja",
    "src/{module}/py.typed": "py.typed.jinja",
    "tests/test_{module}.py": "test.py.jinja",
}


def write_package(name: str, folder: Path, stochastic: bool, author: str) -> list[Path]:
    """Write a package called ``name`` into ``folder`` and return its files.

    Args:
        name: of the distribution; the module and the plugin have the same with underscores.
        folder: must not exist, or be empty.
        stochastic: start from a predictor (ancestral sampling) instead of an ODE solver (DDIM).
        author: for pyproject.toml.

    Raises:
        BenchError: a bad or taken name, a folder that holds something or cannot be written.
    """
    module = name.replace("-", "_").lower()
    _check_name(name, module)
    _check_folder(folder)
    solver = "predictor.py.jinja" if stochastic else "ode_solver.py.jinja"
    files = {**_FILES, "src/{module}/solver.py": solver}
    values = {
        "name": name.lower(),
        "module": module,
        "cls": "".join(part.capitalize() for part in module.split("_")),
        "author": author,
        "year": str(datetime.now(UTC).year),
        "version": __version__,
        "api": API_VERSION,
        "group": GROUP,
        "stochastic": stochastic,
    }
    try:
        return [
            _write(folder / path.format(module=module), template, values)
            for path, template in files.items()
        ]
    except OSError as error:
        raise BenchError(
            f"{folder}: cannot be written ({error.strerror}); choose another --folder"
        ) from None


def _check_name(name: str, module: str) -> None:
    if not _NAME.fullmatch(name):
        raise BenchError(
            f"'{name}' cannot name a package; use letters, digits and '-', such as my-solver"
        )
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or find_spec(module):
        raise BenchError(f"'{module}' is the name of a Python module already; choose another")
    taken = [e for e in load_registry().of(Kind.PREDICTOR, Kind.ODE_SOLVER) if e.name == module]
    if taken:
        raise BenchError(
            f"'{module}' is a solver of '{taken[0].source.distribution}' already; choose another"
        )


def _check_folder(folder: Path) -> None:
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise BenchError(f"{folder}: cannot be read ({error.strerror})") from None
    if taken:
        raise BenchError(f"{folder}: exists and is not empty; choose another --folder")


def _write(path: Path, template: str, values: Mapping[str, object]) -> Path:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.scaffold"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # source code, not HTML
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(environment.get_template(template).render(values), encoding="utf-8")
    return path
