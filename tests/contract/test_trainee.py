"""A network in a distribution of its own: trained, loaded and run without a change to the host."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench
from bench.api import read_weights

MATRIX = """\
suites:
  a:
    models: [{name: shrink, weights: out/weights.safetensors}]
    processes: [vp]
    solvers: [ddim]
    nfe: [5]
    samples: 16
    grids: [karras]
    metrics: [rmse]
"""


@pytest.fixture(scope="module")
def site(installed: Callable[..., Any]) -> Any:
    """The network of someone else, installed."""
    return installed("trainee")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 8, (40, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "toy.npz", x_train=images[:30], x_test=images[30:])
    return tmp_path


def _train(site: Any, folder: Path, *arguments: str) -> Any:
    common = ("--out", "out", "--data", "toy.npz", "--levels", "8", "--batch", "8")
    return site.bench(folder, "train", *common, "--images", "24", *arguments)


def test_is_trained_and_sampled(site: Any, data: Path) -> None:
    done = _train(site, data, "--network", "{name: shrink, width: 5}", "--process", "vp")
    assert done.returncode == 0, done.stderr
    file = read_weights(data / "out" / "weights.safetensors")
    assert file.record["shrink"] == {"shape": [1, 4, 4], "width": 5}
    assert file.record["images"] == 24
    assert "--network" in file.record["recipe"]["command"]
    (data / "b.yaml").write_text(MATRIX, encoding="utf-8")
    done = site.bench(data, "run", "b.yaml", "--no-report", "--workers", "1")
    assert done.returncode == 0, done.stderr
    rows = bench.load_results(data / "results" / "b")
    assert set(rows.status) == {"ok"}
    assert set(rows.model) == {"shrink"}


def test_takes_its_own_sizes_as_options(site: Any, data: Path) -> None:
    done = _train(site, data, "--preset", "ddpmpp-vp-small", "--network", "shrink", "--width", "3")
    assert done.returncode == 0, done.stderr
    assert read_weights(data / "out" / "weights.safetensors").record["shrink"]["width"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--network", "shrink", "--blocks", "2"), "bench: --network 'shrink': --blocks: unknown"),
        (("--network", "{name: shrink, depth: 2}"), "parameter 'depth' depth: unknown key"),
        (("--network", "shrunk"), "unknown network 'shrunk'; did you mean 'shrink'?"),
    ],
)
def test_what_it_does_not_take(
    site: Any, data: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = _train(site, data, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_is_listed_and_conforms(site: Any, tmp_path: Path) -> None:
    listed = json.loads(site.bench(tmp_path, "plugins", "--json", "--kind", "network").stdout)
    (found,) = [plugin for plugin in listed["plugins"] if plugin["name"] == "shrink"]
    assert found["distribution"] == "stranger-shrink"
    done = site.bench(tmp_path, "plugins", "check", "stranger-shrink", "--json")
    checked = {
        f["check"]: f["verdict"]
        for f in json.loads(done.stdout)["findings"]
        if f["kind"] == "network"
    }
    assert {checked[name] for name in ("seed", "denoiser", "file", "parameters")} == {"passed"}
