"""`bench plugins new`: from a name to a curve in the report."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import bench
from bench.cli.main import app
from bench.core.errors import BenchError
from bench.scaffold import write_package


@pytest.fixture(scope="module", params=[False, True], ids=["ode", "stochastic"])
def package(
    request: pytest.FixtureRequest,
    installed_from: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Any, str]:
    """A new package, the folder where it is installed, and the name of its solver."""
    folder = tmp_path_factory.mktemp("new") / "brand-new"
    write_package("brand-new", folder, stochastic=request.param, author='Ada "Countess" L.')
    return folder, installed_from(folder), "brand_new"


def test_new_installs_and_passes_its_check(package: tuple[Path, Any, str], tmp_path: Path) -> None:
    _, site, solver = package
    done = site.bench(tmp_path, "plugins", "check", solver)
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout


def test_new_appears_in_a_run_and_its_report(
    package: tuple[Path, Any, str], tmp_path: Path
) -> None:
    folder, site, solver = package
    limits = ("--only", "seed=0", "--only", "nfe=5", "--only", "nfe=10")
    done = site.bench(tmp_path, "run", str(folder / "benchmarks.yaml"), *limits)
    assert done.returncode == 0, done.stderr
    table = bench.load_results(tmp_path / "results" / "brand-new")
    rows = table[table.solver == solver]
    assert set(rows.status) == {"ok"}
    assert rows.solver_source.str.startswith("brand-new 0.1.0").all()
    page = (tmp_path / "results" / "brand-new" / "report" / "index.html").read_text()
    assert solver in page


def test_the_packages_own_tests_pass(package: tuple[Path, Any, str]) -> None:
    folder, site, _ = package
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(site.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    assert "failed" not in done.stdout


def test_files_are_sound(package: tuple[Path, Any, str]) -> None:
    folder, _, solver = package
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["authors"] == [{"name": 'Ada "Countess" L.'}]
    assert project["entry-points"]["scorebench.plugins"] == {solver: solver}
    workflow = YAML(typ="safe").load((folder / ".github" / "workflows" / "check.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["check"]["steps"]]
    assert "bench plugins check brand-new" in steps
    assert any("bench run benchmarks.yaml" in step for step in steps)
    files = [f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert "{{" not in "".join(file.read_text() for file in files)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ddim", "'ddim' is a solver of 'scorebench' already"),
        ("json", "'json' is the name of a Python module already"),
        ("torch", "'torch' is the name of a Python module already"),
        ("class", "'class' is the name of a Python module already"),
        ("a b", "'a b' cannot name a package"),
        ("../up", "'../up' cannot name a package"),
        ("", "'' cannot name a package"),
        ("9lives", "'9lives' cannot name a package"),
    ],
)
def test_bad_names_are_refused(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=words.replace(".", r"\.")):
        write_package(name, tmp_path / "x", stochastic=False, author="")
    assert not (tmp_path / "x").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(BenchError, match="exists and is not empty"):
        write_package("brand-new", tmp_path, stochastic=False, author="")
    assert [f.name for f in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(BenchError, match="cannot be written"):
        write_package("brand-new", tmp_path / "file" / "x", stochastic=False, author="")


def test_the_command_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["plugins", "new", "brand-new"])
    assert done.exit_code == 0
    assert "pip install ./brand-new && bench plugins check brand_new" in done.output
