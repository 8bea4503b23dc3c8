"""Published checkpoints and statistics: their list, and `published:NAME` as a path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bench.api import Asset, BenchError
from bench.files.contents import contents
from bench.files.pins import Pin, set_pin
from bench_plugins.checkpoints.catalogue import ASSETS, local_path, preset_of
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.k_diffusion import KDiffusion
from bench_plugins.checkpoints.module import ModuleModel
from bench_plugins.checkpoints.score_sde import ScoreSde
from bench_plugins.checkpoints.score_sde_recipes import PRESETS
from bench_plugins.fidelity.catalogue import ASSETS as STATISTICS
from bench_plugins.fidelity.fid import FrechetInception

ALL = (*ASSETS, *STATISTICS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_names_and_places_are_unique() -> None:
    assert len({asset.name for asset in ALL}) == len(ALL)
    assert len({asset.file for asset in ALL}) == len(ALL)


@pytest.mark.parametrize("asset", ALL, ids=lambda asset: asset.name)
def test_each_asset_is_whole(asset: Asset) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", asset.name)
    assert asset.url.startswith("https://")
    assert asset.about
    assert asset.licence
    assert re.fullmatch(r"([0-9a-f]{64})?", asset.sha256)
    place = PurePosixPath(asset.file)
    assert len(place.parts) == 2
    assert not place.is_absolute()
    # What nobody but a person can download comes from pages, all else from files.
    assert bool(asset.manual) == ("drive.google.com" in asset.url)


def test_every_checkpoint_of_score_sde_has_a_preset() -> None:
    names = [asset.name for asset in ASSETS if asset.name.startswith("score-sde-")]
    assert len(names) > 10
    for name in names:
        preset = preset_of(f"published:{name}")
        assert preset in PRESETS
        (asset,) = (asset for asset in ASSETS if asset.name == name)
        assert asset.about.endswith(f"preset {preset}")


def _put(asset_name: str, content: bytes) -> Path:
    (asset,) = (asset for asset in ALL if asset.name == asset_name)
    asset.path.parent.mkdir(parents=True, exist_ok=True)
    asset.path.write_bytes(content)
    return asset.path


def test_a_published_name_is_a_path() -> None:
    path = _put("edm-cifar10-32x32-uncond-vp", b"weights")
    assert local_path("published:edm-cifar10-32x32-uncond-vp") == path
    model = Edm(path="published:edm-cifar10-32x32-uncond-vp")
    assert contents(model) == {"path": "sha256:" + hashlib.sha256(b"weights").hexdigest()}
    assert [asset.path for asset in model.assets()] == [path]
    assert list(Edm(path=str(path)).assets()) == []


def test_a_missing_one_says_what_to_do() -> None:
    with pytest.raises(BenchError, match=r"run `bench models fetch edm-ffhq-64x64-uncond-vp`"):
        contents(Edm(path="published:edm-ffhq-64x64-uncond-vp"))
    with pytest.raises(BenchError, match=r"no program can download it: take the checkpoint .*http"):
        contents(ScoreSde(path="published:score-sde-vp-cifar10-ddpmpp-continuous"))


def test_an_unknown_one_is_told_with_what_is_near() -> None:
    with pytest.raises(BenchError, match=r"did you mean 'published:edm-cifar10-32x32-uncond-vp'"):
        contents(Edm(path="published:edm-cifar10-uncond-vp"))


def test_statistics_are_published_too() -> None:
    metric = FrechetInception(against="published:edm-fid-refs-cifar10-32x32")
    names = [asset.name for asset in metric.assets()]
    assert names == ["inception-v3-weights", "edm-fid-refs-cifar10-32x32"]
    own = FrechetInception(against="published:edm-fid-refs-cifar10-32x32", weights="mine.pth")
    assert [asset.name for asset in own.assets()] == names[1:]
    with pytest.raises(BenchError, match="edm-fid-refs-cifar10-32x32 is missing"):
        metric.source()


def test_a_published_checkpoint_of_score_sde_knows_its_preset() -> None:
    name = "score-sde-subvp-cifar10-ddpmpp-continuous"
    _put(name, b"no checkpoint")
    wrong = ScoreSde(path=f"published:{name}", preset="vp/cifar10_ddpmpp_continuous")
    with pytest.raises(BenchError, match="trained with preset subvp/cifar10_ddpmpp_continuous"):
        wrong._recipe(Path("x"))
    assert ScoreSde(path=f"published:{name}")._recipe(Path("x")).sde == "subvp"


def _k_diffusion(path: str) -> KDiffusion:
    return KDiffusion(path=path)


def _module(path: str) -> ModuleModel:
    return ModuleModel(weights=path, factory="torch.nn:Identity", data="mine")


@pytest.mark.parametrize("of", [_k_diffusion, _module])
def test_files_of_ones_own_are_known_by_their_names(
    of: Callable[[str], Any], zoo: Any, cache: Path
) -> None:
    path = cache / "own" / "mine.safetensors"
    path.parent.mkdir(parents=True)
    if of is _module:
        save_file({}, path)
    else:
        path.write_bytes(Path(zoo.model("image_v1").path).read_bytes())
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    set_pin("mine", Pin(digest, len(content), "https://x/y", "own/mine.safetensors", own=True))
    by_name, by_path = of("published:mine"), of(str(path))
    assert [asset.path for asset in by_name.assets()] == [path]
    assert list(by_path.assets()) == []
    assert contents(by_name) == contents(by_path)
    assert by_name.load(torch.device("cpu"), torch.float32).weights == digest
    path.write_bytes(content + b"x")
    with pytest.raises(BenchError, match="the file is damaged or another one"):
        by_name.load(torch.device("cpu"), torch.float32)
