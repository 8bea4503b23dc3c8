"""`bench claims` from the outside."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bench.extend import BenchError
from bench.run.cell import Cell
from bench_claims.claim import Claim
from bench_claims.claims import CLAIMS
from bench_claims.commands import bench_commands
from bench_claims.drawing import png, svg
from bench_claims.figures import bench_figures, views
from bench_claims.names import NAMES
from bench_claims.networks import folder_of, missing_networks
from bench_claims.page import Judged, html, json_form, markdown, overview
from bench_claims.rows import Rows
from bench_claims.suite import benchmark_file, filters, suites_of
from bench_claims.verdict import Outcome


def _call(*arguments: str) -> tuple[int, str]:
    """Exit code and output; raises what the command raises."""
    app = typer.Typer()
    (command,) = bench_commands()
    assert not isinstance(command.run, typer.Typer)
    app.command(command.name)(command.run)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_every_claim_is_a_module_that_help_lists() -> None:
    folder = Path(sys.modules["bench_claims.claims"].__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == set(NAMES) == {claim.name for claim in CLAIMS}
    (command,) = bench_commands()
    assert all(f"{name} " in command.epilog for name in NAMES)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_says_who_says_it(claim: Claim) -> None:
    assert claim.statement.endswith(".")
    assert claim.source
    assert any(name.startswith(claim.name) for name in suites_of(claim)) or claim.suites in {
        other.suites for other in CLAIMS if other is not claim
    }
    # Suites that claims share have one content and one number of seeds.
    for other in CLAIMS:
        for name, body in suites_of(other).items():
            if name in suites_of(claim):
                assert body == suites_of(claim)[name]
                assert other.replicates == claim.replicates


def test_the_benchmark_file_has_seeds_and_the_weights_of_networks(tmp_path: Path) -> None:
    (claim,) = (claim for claim in CLAIMS if claim.networks)
    text = benchmark_file([claim], "mine", 7, tmp_path)
    assert "name: mine" in text
    assert "- 7" in text
    for network in claim.networks:
        assert str(tmp_path / folder_of(network) / "weights.safetensors") in text
    assert filters([claim]) == tuple(f"suite={name}" for name in suites_of(claim))


def test_a_network_of_another_recipe_is_trained_anew(tmp_path: Path) -> None:
    (claim,) = (claim for claim in CLAIMS if claim.networks)
    first, *others = claim.networks
    weights = tmp_path / folder_of(first) / "weights.safetensors"
    weights.parent.mkdir()
    weights.touch()
    assert missing_networks(claim.networks, tmp_path) == others
    changed = dataclasses.replace(first, options=(*first.options, "--ema", "0.1"))
    assert missing_networks([changed], tmp_path) == [changed]


def test_help_loads_nothing_slow() -> None:
    code = "import sys, bench_claims.commands; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"torch", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "seaborn", "ruamel"}
    assert not slow & set(done.stdout.split())


def test_judging_loads_no_torch() -> None:
    code = (
        "import sys, bench_claims.claims, bench_claims.files, bench_claims.figures; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_unknown_claim_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BenchError, match="--only rk46: there is no such claim; there are rk45_sav"):
        _call("--only", "rk46")


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="holds no results"):
        _call(str(tmp_path / "nothing"))


@pytest.fixture
def judged(planned: object) -> list[Judged]:
    """One claim that holds, and one that was not run."""
    claims = {claim.name: claim for claim in CLAIMS}

    def numbers(cell: Cell) -> Mapping[str, float]:
        better = 1.0 if cell.protocol.finish == "denoise" else 2.0
        return dict.fromkeys(("fd_digits", "swd"), better + 0.01 * cell.seed)

    rows = planned("last_denoise", numbers)  # type: ignore[operator]
    return [Judged(claims[name], claims[name].judge(rows)) for name in ("last_denoise", "orders")]


def test_every_form_has_verdict_number_and_interval(judged: list[Judged]) -> None:
    assert [item.verdict.outcome for item in judged] == [Outcome.HOLDS, Outcome.NOT_RUN]
    figures = {item.claim.name: svg(item.verdict) for item in judged}
    page, text = html(judged, figures), markdown(judged, "images")
    form = json.loads(json.dumps(json_form(judged)))
    finding = form["claims"][0]["findings"][0]
    assert finding["verdict"] == "holds"
    assert finding["interval"][0] <= finding["estimate"] <= finding["interval"][1] < 0
    assert finding["region"] == [None, 0.0]
    assert finding["n"] == 5
    for shown in (page, text):
        assert "digits_mlp, samples end at s" in shown.replace("\\", "")
        assert f"{finding['estimate']:.3g}" in shown
        assert judged[0].claim.statement in shown
    assert page.count("<svg") == 2
    assert "![The last denoising step matters](images/last_denoise.svg)" in text
    assert [row[1].text for row in overview(judged).rows] == ["holds", "not run"]
    assert svg(judged[0].verdict) == figures["last_denoise"]
    assert png(judged[0].verdict).startswith(b"\x89PNG")


def test_the_report_shows_the_claims_whose_suites_it_has(planned: object) -> None:
    def numbers(cell: Cell) -> Mapping[str, float]:
        return dict.fromkeys(("fd_digits", "swd"), 1.0 + 0.01 * cell.seed)

    rows: Rows = planned("last_denoise", numbers)  # type: ignore[operator]

    class _Run:
        """What the figure reads of a run."""

        def __init__(self) -> None:
            self.rows = rows.frame

    found = list(views(_Run()))  # type: ignore[arg-type]
    assert [(view.section, view.suffix) for view in found] == [("Claims", "last-denoise")]
    assert [figure.name for figure in bench_figures()] == ["claims"]


@pytest.mark.slow
def test_claims_are_run_judged_and_judged_again(tmp_path: Path) -> None:
    out = tmp_path / "claims"
    arguments = ("--only", "orders", "--only", "last_denoise", "--workers", "2")
    code, printed = _call("--out", str(out), *arguments)
    assert code == 0, printed
    first = json.loads((out / "verdicts" / "claims.json").read_text())
    verdicts = {claim["name"]: claim["verdict"] for claim in first["claims"]}
    assert set(verdicts) == {"orders", "last_denoise"}
    assert "not run" not in verdicts.values()
    for finding in next(c for c in first["claims"] if c["name"] == "orders")["findings"]:
        if "euler_maruyama" not in finding["label"]:
            assert finding["verdict"] == "holds", finding
    for name in ("claims.html", "claims.md", "orders.svg", "last_denoise.svg"):
        assert (out / "verdicts" / name).stat().st_size > 1000
    code, _ = _call(str(out), "--only", "orders", "--only", "last_denoise")
    assert code == 0
    assert json.loads((out / "verdicts" / "claims.json").read_text()) == first
    code, printed = _call(str(out))
    assert code == 1  # claims without results
    assert "not run" in printed
