"""Results of edited code are never taken for those of the old: planned, edited, planned again."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bench import load_results
from bench.cli import main as cli
from bench.project import GROUP
from bench.registry import load_registry
from bench.results.store import Row
from bench.run.execute import load_model, run_cell
from bench.run.machine import Machine
from bench.run.runner import Plan, Request, plan_run

FACTORY = """\
suites:
  a:
    models: [{name: module, factory: "edited_net.models:make", weights: w.safetensors, shape: [4]}]
    processes: [edm]
    solvers: [ddim]
    nfe: [10]
    samples: 16
    metrics: [rmse]
"""

NETWORK = """\
import torch
from torch import nn
from edited_net.layers import SCALE

class Gaussian(nn.Module):
    def __init__(self):
        super().__init__()
        self.tau = nn.Parameter(torch.tensor(0.3))

    def forward(self, y, s):
        s = s.reshape(-1, *[1] * (y.ndim - 1)).to(y.dtype)
        return SCALE * self.tau**2 * y / (self.tau**2 + s * s)

def make():
    return Gaussian()
"""

Job = Callable[[], tuple[Plan, list[Row]]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A model of one's own, whose factory imports from a sibling module, and a suite of it."""
    package = tmp_path / "edited_net"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "models.py").write_text(NETWORK)
    (package / "layers.py").write_text("SCALE = 1.0\n")
    (tmp_path / "m.yaml").write_text(FACTORY)
    save_file({"tau": torch.tensor(0.3)}, tmp_path / "w.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    _forget()


def _forget() -> None:
    """What another process would not have loaded."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "edited_net"]:
        del sys.modules[name]
    load_model.cache_clear()
    importlib.invalidate_caches()


@pytest.fixture
def job(folder: Path) -> Job:
    """Plans, and runs what is missing, as another process would."""

    def once() -> tuple[Plan, list[Row]]:
        _forget()
        plan = plan_run(
            Request(folder / "m.yaml", folder / "results", device="cpu"), load_registry()
        )
        for cell in plan.missing:
            result = run_cell(cell, Machine("cpu", 1, 1))
            plan.store.write(cell.key, result.rows, None)
        return plan, plan.store.cell(plan.wanted[0].key)

    return once


def test_what_a_factory_imports_decides(folder: Path, job: Job) -> None:
    plan, (row, *_) = job()
    assert len(plan.missing) == 1
    assert row["value"] == pytest.approx(0.0877, abs=1e-3)
    assert not job()[0].missing
    (folder / "edited_net/layers.py").write_text("SCALE = 0.20\n")
    plan, (row, *_) = job()
    assert len(plan.missing) == 1
    assert row["value"] == pytest.approx(0.0014, abs=1e-4)
    assert not job()[0].missing


@pytest.mark.parametrize("edited", ["README.md", "elsewhere.py", "results/x/report/page.html"])
def test_files_beside_it_decide_nothing(folder: Path, job: Job, edited: str) -> None:
    job()
    (folder / edited).parent.mkdir(parents=True, exist_ok=True)
    (folder / edited).write_text("1")
    assert not job()[0].missing


@pytest.fixture
def unreadable(folder: Path) -> None:
    """The sibling module is chosen at run time."""
    models = folder / "edited_net/models.py"
    chosen = "import importlib\nname = 'edited_net.layers'\n"
    load = "SCALE = importlib.import_module(name).SCALE"
    models.write_text(
        models.read_text().replace("from edited_net.layers import SCALE", chosen + load)
    )


@pytest.mark.usefixtures("unreadable")
def test_code_that_cannot_be_followed_runs_again_every_time(folder: Path, job: Job) -> None:
    plan, (row, *_) = job()
    reason = "module 'edited_net.models' runs code that reading cannot follow: importlib"
    assert reason in row["note"]
    assert row["status"] == "ok"
    (folder / "edited_net/layers.py").write_text("SCALE = 0.20\n")
    plan, (row, *_) = job()
    assert len(plan.missing) == 1
    assert row["value"] == pytest.approx(0.0014, abs=1e-4)
    assert len(job()[0].missing) == 1


@pytest.mark.usefixtures("unreadable")
def test_a_dry_run_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["bench", "run", "m.yaml", "--dry-run", *arguments])
        with pytest.raises(SystemExit, match="0"):
            cli.main()
        return capsys.readouterr().out

    (line,) = (line for line in told().splitlines() if "again" in line)
    assert line.startswith("runs again every time: model 'module': module 'edited_net.models' ")
    assert json.loads(told("--json"))["unknown_code"] == [line.partition(": ")[2]]


def test_code_that_changes_between_plan_and_run_is_refused(folder: Path) -> None:
    (cell,) = plan_run(
        Request(folder / "m.yaml", folder / "r", device="cpu"), load_registry()
    ).cells
    (folder / "edited_net/layers.py").write_text("SCALE = 0.20\n")
    (row,) = run_cell(cell, Machine("cpu", 1, 1)).rows
    assert row["status"] == "failed"
    assert "what model 'module' reads changed since the run was planned" in row["reason"]


@pytest.mark.parametrize("part", ["core", "solver", "metric"])
def test_a_worker_with_other_code_is_refused(folder: Path, part: str) -> None:
    (cell,) = plan_run(
        Request(folder / "m.yaml", folder / "r", device="cpu"), load_registry()
    ).cells

    def edited(spec: Any) -> Any:
        return replace(spec, source=replace(spec.source, code="0" * 16))

    changed = {
        "core": lambda: replace(cell, core="0.0.0+0"),
        "solver": lambda: replace(cell, solver=edited(cell.solver)),
        "metric": lambda: replace(cell, metrics=tuple(map(edited, cell.metrics))),
    }[part]()
    assert changed.key != cell.key
    (row,) = run_cell(changed, Machine("cpu", 1, 1)).rows
    assert row["status"] == "failed"
    assert "changed since the run was planned; run again" in row["reason"]


SOLVER = """\
from dataclasses import dataclass
from typing import ClassVar
from bench.api import OdeSolver, combine, hookimpl
{line}

@dataclass(frozen=True)
class Solver(OdeSolver[None]):
    name: ClassVar[str] = "{name}"
    reference: ClassVar[str] = "none"
    order: ClassVar[int] = 1

    def step(self, problem, x, now, then, state):
        d, keep = problem.denoise(x, now), then.sigma / now.sigma
        return combine((keep, x), (FACTOR * (then.alpha - keep * now.alpha), d)), None

@hookimpl
def bench_ode_solvers():
    return [Solver]
"""

MATRIX = """\
suites:
  a:
    models: [gaussian_mixture]
    processes: [edm]
    solvers: [edited_space, edited_second, edited_sibling]
    nfe: [10]
    samples: 256
    metrics: [rmse]
"""

PLUGINS = {
    "space": ("edited_lab/samplers/plugin.py", "FACTOR = 1.0", "edited_lab/samplers/plugin.py"),
    "second": ("edited_plugin.py", "from edited_core import FACTOR", "edited_core.py"),
    "sibling": (
        "edited_b/solver.py",
        "from edited_c.deep import *",
        "edited_c/deep.py",
    ),
}
"""Where the plugin lies, its line of FACTOR, and the file that holds it."""


@pytest.mark.slow
def test_plugins_in_namespaces_and_of_several_modules(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "p.yaml").write_text(MATRIX)
    for name, (file, line, holds) in PLUGINS.items():
        for path in (tmp_path / file, tmp_path / holds):
            path.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / holds).write_text("FACTOR = 1.0\n")
        (tmp_path / file).write_text(SOLVER.format(line=line, name=f"edited_{name}"))
        info = tmp_path / f"edited_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.stem}\nVersion: 1.0\n")
        module = file.removesuffix(".py").replace("/", ".")
        (info / "entry_points.txt").write_text(f"[scorebench.plugins]\n{name} = {module}\n")
    (tmp_path / "edited_b/__init__.py").write_text("")
    (tmp_path / "edited_c/__init__.py").write_text("")

    def values() -> tuple[str, list[float]]:
        done = bench("run", "p.yaml", "--workers", "1", "--no-report", "--device", "cpu")
        assert done.returncode == 0, done.stderr
        rows = load_results(tmp_path / "results/p")
        return done.stdout.splitlines()[0], list(rows["value"][rows["metric"] == "rmse"])

    line, first = values()
    assert line == "p: 3 cells to run, 0 finished before"
    assert first == pytest.approx([0.177] * 3, abs=1e-3)
    assert values() == ("p: 0 cells to run, 3 finished before", first)
    for _, _, holds in PLUGINS.values():
        text = (tmp_path / holds).read_text()
        (tmp_path / holds).write_text(text.replace("FACTOR = 1.0", "FACTOR = 0.50"))
    line, second = values()
    assert line == "p: 3 cells to run, 0 finished before"
    assert second == pytest.approx([0.716] * 3, abs=1e-3)
    assert values() == ("p: 0 cells to run, 3 finished before", second)


BUILT_IN = """\
suites:
  a:
    models: [gaussian_mixture]
    processes: [edm]
    solvers: [deis_tab, ddim]
    nfe: [5]
    samples: 64
    metrics: [swd]
"""


@pytest.mark.slow
def test_built_in_plugins_and_the_host(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of all code is edited, one file after the other."""
    copy = tmp_path / "copy"
    points = metadata.entry_points(group=GROUP)
    for package in {"bench", *(p.module for p in points if p.dist and p.dist.name == "scorebench")}:
        (place,) = importlib.import_module(package).__path__
        shutil.copytree(place, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(copy))
    (tmp_path / "p.yaml").write_text(BUILT_IN)

    def missing() -> list[str]:
        done = bench("run", "p.yaml", "--dry-run", "--json", "--device", "cpu")
        cells = json.loads(done.stdout)["plan"]
        return [cell["title"].split()[4] for cell in cells if cell["missing"]]

    done = bench("run", "p.yaml", "--workers", "1", "--no-report", "--device", "cpu")
    assert done.returncode == 0, done.stdout
    assert missing() == []
    for edited, again in [
        ("bench/report/page.py", []),
        ("bench_plugins/unipc/unipc.py", []),
        ("bench_plugins/deis/rhork.py", ["deis_tab"]),
        (
            "bench_plugins/odes/tableau.py",
            ["deis_tab", "ddim"],
        ),  # of swd's package too, by its `rmse`
        ("bench/core/sample.py", ["deis_tab", "ddim"]),
    ]:
        before = (copy / edited).read_text()
        (copy / edited).write_text(before + "\n# edited\n")
        assert missing() == again, edited
        (copy / edited).write_text(before)
    assert missing() == []
