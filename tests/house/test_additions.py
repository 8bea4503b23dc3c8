"""An addition costs a file and a line, counted in a copy of the house, and is found everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

SOLVER = '''\
"""A solver for the test of the house."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import OdeSolver, combine


@dataclass(frozen=True)
class House(OdeSolver[None]):
    """DDIM once more."""

    name: ClassVar[str] = "NAME"
    reference: ClassVar[str] = "House 2026, arXiv:2601.00001"
    order: ClassVar[int] = 1

    def start(self, times):
        return None

    def step(self, problem, x, now, then, state):
        d, keep = problem.denoise(x, now), then.sigma / now.sigma
        return combine((keep, x), (then.alpha - keep * now.alpha, d)), None
'''
METRIC = '''\
"""A metric for the test of the house."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import Measurement, SolverMetric


@dataclass(frozen=True)
class House(SolverMetric):
    """The number of steps."""

    name: ClassVar[str] = "house_metric"
    reference: ClassVar[str] = "House 2026, arXiv:2601.00001"
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "steps"

    def measure(self, trial):
        return [Measurement("house_metric", float(len(trial.times) - 1), "1", 1)]
'''
MODEL = '''\
"""A model for the test of the house."""

from dataclasses import dataclass
from typing import ClassVar

from bench.api import Model, ScoreModel, Target


@dataclass(frozen=True)
class House(Model):
    """All data are zero."""

    name: ClassVar[str] = "house_model"
    reference: ClassVar[str] = "House 2026, arXiv:2601.00001"

    def load(self, device, dtype):
        return ScoreModel(lambda y, s: 0 * y, (2,), 0.01, 10.0, "zero", Target("zero"))
'''
NETWORK = '''\
"""A network for the test of the house."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.api import Trainable


class Zero(nn.Module):
    def forward(self, y, s):
        return 0 * y


@dataclass(frozen=True)
class HouseNetwork(Trainable):
    """All data are zero."""

    name: ClassVar[str] = "house_network"
    reference: ClassVar[str] = "House 2026, arXiv:2601.00001"

    def build(self, task):
        return Zero()

    def save(self, path, network, record):
        path.write_bytes(b"")
'''
FIGURE = '''\
"""A figure for the test of the house."""

from bench.extend import RunFigure

FIGURE = RunFigure(name="house", title="House", rank=999, views=lambda run: ())
'''
COMMAND = '''\
"""A command for the test of the house."""

from bench.extend import Command


def house() -> None:
    """Say where the house is."""
    print("here")


COMMAND = Command("house", house)
'''
FAMILY = "from bench.api import family\n\n" + SOLVER.partition("\n\n")[2]
FAMILY = FAMILY.replace("NAME", "house_family_solver") + "\n\nbench_family = family(__name__)\n"

FILES = {
    "plugins/bench_plugins/ddim/house.py": SOLVER.replace("NAME", "house_solver"),
    "plugins/bench_plugins/house_family/__init__.py": FAMILY,
    "plugins/bench_plugins/metrics/house.py": METRIC,
    "plugins/bench_plugins/models/house.py": MODEL,
    "plugins/bench_plugins/models/house_network.py": NETWORK,
    "bench/report/figures/house.py": FIGURE,
    "bench/cli/commands/house.py": COMMAND,
}
# File, the beginning of the line before, and the line.
LINES = (
    *(
        (
            f"plugins/bench_plugins/{family}/__init__.py",
            "from bench.api import",
            f"from bench_plugins.{family}.house import House as House",
        )
        for family in ("ddim", "metrics", "models")
    ),
    (
        "plugins/bench_plugins/models/__init__.py",
        "from bench.api import",
        "from bench_plugins.models.house_network import HouseNetwork as HouseNetwork",
    ),
    ("pyproject.toml", 'ddim = "', 'house_family = "bench_plugins.house_family"'),
    ("bench/results/schema.py", 'text("suite"', 'text("house", "no cell has it", Use.ORIGIN),'),
)


@dataclass(frozen=True)
class House:
    """A copy of the house with one addition of each kind."""

    folder: Path

    def python(self, *arguments: str) -> str:
        """Standard output of Python in the copy."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "COLUMNS": "200", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def bench(self, *arguments: str) -> str:
        """Standard output of the command line."""
        return self.python("-c", "from bench.cli.main import main; main()", *arguments)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The copy, installed by its metadata alone: as `pip install` writes them."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("needs the source tree")
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "bench", folder / "bench")
    for package in sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")):
        shutil.copytree(ROOT / "plugins" / package, folder / package)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, content in FILES.items():
        target = folder / path.removeprefix("plugins/")
        target.parent.mkdir(exist_ok=True)
        target.write_text(content, encoding="utf-8")
    for path, before, line in LINES:
        _insert(folder / path.removeprefix("plugins/"), before, line)
    _write_metadata(folder)
    return House(folder)


def _insert(path: Path, before: str, line: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(i for i, text in enumerate(lines) if text.strip().startswith(before))
    # An import or a call may go on over lines.
    while lines[place].count("(") > lines[place].count(")") and ")" not in lines[place]:
        place += 1
    indentation = re.match(r" *", lines[place])
    lines.insert(place + 1, f"{indentation[0] if indentation else ''}{line}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_metadata(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = (folder / "bench" / "project.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'__version__ = "(.*)"', source)
    target = folder / f"scorebench-{version}.dist-info"
    target.mkdir()
    requirements = "".join(f"Requires-Dist: {item}\n" for item in project["dependencies"])
    (target / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: scorebench\nVersion: {version}\n{requirements}"
    )
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    ]
    (target / "entry_points.txt").write_text("\n\n".join(groups) + "\n")


@pytest.fixture(scope="module")
def listed(house: House) -> Mapping[str, Any]:
    """`bench plugins --json`."""
    answer: Mapping[str, Any] = json.loads(house.bench("plugins", "--json"))
    return answer


def test_nothing_is_broken(listed: Mapping[str, Any]) -> None:
    assert listed["broken"] == []
    assert listed["meddling"] == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ode_solver", "house_solver"),
        ("ode_solver", "house_family_solver"),
        ("metric", "house_metric"),
        ("model", "house_model"),
        ("network", "house_network"),
    ],
)
def test_a_plugin_is_listed(listed: Mapping[str, Any], kind: str, name: str) -> None:
    (found,) = (plugin for plugin in listed["plugins"] if plugin["name"] == name)
    assert (found["kind"], found["distribution"]) == (kind, "scorebench")


def test_solvers_are_in_the_suite_of_all(house: House) -> None:
    plan = json.loads(house.bench("run", "all-solvers", "--dry-run", "--json"))["plan"]
    for name in ("house_solver", "house_family_solver"):
        assert any(f" {name} " in cell["title"] for cell in plan)


PAGE = """
from dataclasses import replace
from bench.registry import load_registry
from bench.testing.catalogue import catalogue
registry = load_registry()
own = tuple(entry for entry in registry.entries if entry.name.startswith("house_"))
print(catalogue(replace(registry, entries=own)))
"""


def test_solvers_are_documented(house: House) -> None:
    page = house.python("-c", PAGE)
    for name in ("house_solver", "house_family_solver"):
        assert f"### {name}\n" in page
        assert f"| [`{name}`](#{name}) | 1 | 1.0, 1.0 | N |" in page


def test_a_command_has_its_page(house: House) -> None:
    assert "Say where the house is." in house.bench("--help")
    assert house.bench("house") == "here\n"


def test_a_column_is_documented(house: House) -> None:
    assert "`house`" in house.bench("schema")


FIGURES = """
from bench.extensions.find import FIGURES, extensions
found = extensions(FIGURES, "bench_figures")
assert not [extension.fault for extension in found if extension.fault]
print(*(figure.name for extension in found for figure in extension.items))
"""


def test_a_figure_is_found(house: House) -> None:
    names = house.python("-c", FIGURES).split()
    assert "house" in names
    assert len(names) > 5


SUITE = """
suites:
  a: {models: [house_model], solvers: [house_solver], nfe: [5], metrics: [house_metric]}
"""
ROWS = """
import bench
(row,) = bench.load_results("results/small").to_dict("records")
print(row["status"], row["value"], row["house"])
"""


def test_they_run_together(house: House) -> None:
    (house.folder / "small.yaml").write_text(SUITE, encoding="utf-8")
    house.bench("run", "small.yaml", "--workers", "1")
    assert house.python("-c", ROWS).split()[:2] == ["ok", "4.0"]
