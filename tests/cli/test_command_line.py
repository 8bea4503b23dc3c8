"""The command line: help, versions, exit codes, and JSON with nothing beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.cli import main as cli
from bench.results.schema import markdown

ROOT = Path(__file__).parents[2]
BENCH = str(Path(sys.executable).with_name("bench"))
MATRIX = """\
suites:
  a:
    models: [gaussian_mixture]
    solvers: [ddim, heun]
    nfe: [5, 9]
    samples: 64
    metrics: [rmse]
"""


def _process(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [BENCH, *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )


def _call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


@pytest.mark.parametrize("command", ["run", "report", "plugins", "schema"])
def test_each_command_has_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _call(monkeypatch, capsys, command, "--help")
    assert (code, err) == (0, "")
    assert f"bench {command}" in out
    assert _call(monkeypatch, capsys, command, "-h")[1] == out


def test_version() -> None:
    done = _process("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{bench.__version__}\n", "")


def test_an_unknown_command_and_an_unknown_option() -> None:
    for arguments in (["rnu"], ["run", "b.yaml", "--dryrun"], ["run"]):
        done = _process(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_an_unknown_kind_of_plugin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _call(monkeypatch, capsys, "plugins", "--kind", "nonsense")
    assert (code, out) == (2, "")
    assert err.startswith("bench: --kind nonsense: is not a kind; there are: process, grid, ")
    assert len(err.splitlines()) == 1


def test_an_unknown_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(MATRIX, encoding="utf-8")
    code, out, err = _call(monkeypatch, capsys, "run", str(file), "--device", "tpu")
    assert (code, out) == (2, "")
    assert err == "bench: --device tpu: is not a device; use auto, cpu, cuda or cuda:0\n"


def test_plugins_as_json_and_as_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _call(monkeypatch, capsys, "plugins", "--json", "--kind", "grid")
    assert (code, err) == (0, "")
    listed = json.loads(out)
    karras = next(plugin for plugin in listed["plugins"] if plugin["name"] == "karras")
    assert karras["distribution"] == "scorebench"
    assert karras["parameters"] == {"rho": {"type": "float", "default": 7.0}}
    assert {plugin["kind"] for plugin in listed["plugins"]} == {"grid"}
    code, out, err = _call(monkeypatch, capsys, "plugins")
    assert (code, err) == (0, "")
    assert all(name in out for name in ("karras", "dopri5", "fd_mnist", "rectified_flow"))


def test_schema_is_the_document_of_the_repository(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _call(monkeypatch, capsys, "schema")
    assert (code, err) == (0, "")
    assert out == markdown()
    assert (ROOT / "docs" / "schema.md").read_text(encoding="utf-8") == out


def test_a_report_of_nothing_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _call(monkeypatch, capsys, "report", str(tmp_path))
    assert (code, out) == (2, "")
    assert err.startswith(f"bench: {tmp_path}: holds no results")
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_and_its_report(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    done = _process("run", "b.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)  # and nothing else on standard output
    assert summary["cells"] == {"ok": 4}
    assert summary["faults"] == []
    assert (tmp_path / summary["report"]).is_file()
    done = _process("report", "results/b", "--out", "elsewhere", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / json.loads(done.stdout)["page"]
    assert page.parent == tmp_path / "elsewhere"
    assert "heun" in page.read_text(encoding="utf-8")


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, bench.cli.main; "
        "print([m for m in ('torch', 'pandas', 'pydantic', 'numpy', 'pyarrow', 'matplotlib') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_help_is_immediate() -> None:
    """A start without what takes long to import."""
    code = "import sys, bench.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"torch", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "pydantic", "ruamel"}
    loaded = set(done.stdout.split())
    assert not slow & loaded
    commands = {"bench.cli.commands.run", "bench_train.commands", "bench_latents.commands"}
    assert commands <= loaded  # every command's page
