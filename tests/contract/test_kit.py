"""The conformance kit against evil plugins, each of which the host survives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import bench

# Each evil solver: the check that catches it, and words of what was seen.
CAUGHT = {
    "evil_cheats": ("cost", "3"),
    "evil_twice": ("cost", "2"),
    "evil_joined": ("cost", "2 (several of them joined in one call)"),
    "evil_unwrapped": ("cost", "2"),
    "evil_unburied": ("cost", "2 evaluations a sample reached the network, 1 were counted"),
    "evil_boastful": ("order", "1.0"),
    "evil_crowd": ("batch", "differ by"),
    "evil_seeds": ("randomness", "torch, numpy, random changed"),
    "evil_draws": ("randomness", "the state of torch changed"),
    "evil_overwrites": ("input", "modified in place"),
    "evil_remembers": ("randomness", "two runs"),
    "evil_narrow": ("device", "not on the expected device"),
    "evil_unscaled": ("order", "under vp"),
    "evil_unexplained": ("documented", "none"),
    "evil_hangs": ("state", "still running"),
    "evil_exits": ("state", "died (exit code 1)"),
    "evil_kills": ("state", "died (exit code -9)"),
    "evil_quits": ("cost", "SystemExit: 3"),
    "evil_interrupts": ("cost", "KeyboardInterrupt"),
    "evil_raises": ("cost", "RuntimeError: first line second line"),
    "evil_unprintable": ("cost", ""),
    "evil_prints": ("cost", "bytes on standard output and error, beginning 'blah blah"),
    "evil_divides": ("parameters", "rho = 0.0 raises ZeroDivisionError"),
    "evil_shape": ("cost", "(5, 1"),
}


def _failures(site: Any, folder: Path, target: str) -> dict[str, dict[str, Any]]:
    """The failed findings by plugin and check."""
    done = site.bench(folder, "plugins", "check", target, "--json", "--timeout", "15")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)  # and not a word of the chatter
    assert answer["conforms"] is False
    found: dict[str, dict[str, Any]] = {}
    for finding in answer["findings"]:
        failed = found.setdefault(finding["plugin"], {})
        if finding["verdict"] == "failed":
            failed[finding["check"]] = finding
    return found


@pytest.fixture(scope="module")
def failures(evil: Any, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What was found of all evil solvers, by two commands."""
    folder = tmp_path_factory.mktemp("kit")
    return _failures(evil, folder, "evil_subtle") | _failures(evil, folder, "evil_solvers")


@pytest.mark.parametrize("plugin", CAUGHT)
def test_an_evil_plugin_is_caught(plugin: str, failures: Mapping[str, Any]) -> None:
    check, words = CAUGHT[plugin]
    assert check in failures[plugin], failures[plugin]
    assert words in failures[plugin][check]["seen"]
    assert failures[plugin][check]["expected"]
    assert failures[plugin][check]["remedy"]


def test_nothing_escapes(failures: Mapping[str, Any]) -> None:
    assert all(failures.values())
    assert set(failures) >= set(CAUGHT)


SURVIVED = """\
name: subtle
defaults: {models: [gaussian_mixture], nfe: [5], samples: 128}
suites:
  a:
    solvers:
      - ddim
      - evil_twice
      - evil_joined
      - evil_unwrapped
      - evil_unburied
      - evil_boastful
      - evil_crowd
      - evil_seeds
      - evil_draws
      - evil_overwrites
      - evil_remembers
      - evil_narrow
    metrics: [rmse]
"""


def test_the_host_survives_them_and_counts_what_they_hide(evil: Any, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(SURVIVED, encoding="utf-8")
    done = evil.bench(tmp_path, "run", "b.yaml", "--no-report", "--workers", "2")
    assert done.returncode == 0, done.stderr
    table = bench.load_results(tmp_path / "results" / "subtle")
    rows = table[table.metric == "rmse"].set_index("solver")
    assert (rows.status == "ok").all()
    assert rows.value["ddim"] == pytest.approx(rows.value["evil_overwrites"], rel=1e-4)
    assert rows.value["ddim"] == pytest.approx(rows.value["evil_seeds"], rel=1e-9)
    for name in ("evil_twice", "evil_joined", "evil_unwrapped"):
        assert rows.nfe[name] == 9
        assert rows.over_budget[name]
    assert not rows.over_budget["ddim"]


def test_a_stranger_conforms(stranger: Any, tmp_path: Path) -> None:
    done = stranger.bench(tmp_path, "plugins", "check", "ralston")
    assert done.returncode == 0, done.stdout
    assert "13 passed" in done.stdout


def test_a_name_that_is_taken_is_found(thief: Any, tmp_path: Path) -> None:
    done = thief.bench(tmp_path, "plugins", "check", "thief")
    assert done.returncode == 1
    assert "the ode solver name 'ddim' is also claimed by 'scorebench'; rename it" in done.stdout
    run = tmp_path / "b.yaml"
    run.write_text(SURVIVED.partition("      - evil_twice")[0] + "    metrics: [rmse]\n")
    refused = thief.bench(tmp_path, "run", "b.yaml", "--dry-run")
    assert refused.returncode == 2
    assert "'ddim' is claimed by 'scorebench' and 'thief'; uninstall one" in refused.stderr


def test_a_package_for_another_version_is_refused_before_its_import(
    future: Any, tmp_path: Path
) -> None:
    done = future.bench(tmp_path, "plugins", "check", "from-the-future")
    assert done.returncode == 1
    assert "requires scorebench>=99, and this is" in done.stdout
    listed = json.loads(future.bench(tmp_path, "plugins", "--json").stdout)
    (item,) = listed["broken"]
    assert item["entry_point"] == "future"
    assert "imported" not in item["reason"]


def test_an_unknown_name_is_bad_input(stranger: Any, tmp_path: Path) -> None:
    done = stranger.bench(tmp_path, "plugins", "check", "raslton")
    assert done.returncode == 2
    assert "no plugin, entry point or distribution 'raslton'; did you mean 'ralston'?" in (
        done.stderr
    )
