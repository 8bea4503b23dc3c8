"""Every key of a foreign configuration is honoured, refused or irrelevant, as the docs say."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from bench.api import BenchError
from bench_plugins.checkpoints import author_keys
from bench_plugins.checkpoints.all_keys import TABLES, document
from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.k_diffusion_config import recipe_of
from bench_plugins.checkpoints.k_diffusion_records import ImageTransformerV2Record, ImageV1Record
from bench_plugins.checkpoints.keys import Key, KeyTable, markdown
from bench_plugins.checkpoints.networks.edm_unet import EdmUnetConfig
from bench_plugins.checkpoints.networks.ncsnpp import NCSNppConfig
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe
from bench_plugins.checkpoints.unet2d.keys import SCHEDULER_KEYS, UNET_KEYS
from bench_plugins.checkpoints.unet2d.schedulers import SCHEDULERS

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs" / "checkpoints.md"


def _fields(*classes: type) -> set[str]:
    return {field.name for cls in classes for field in dataclasses.fields(cls)}


def _fixture(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((HERE / name).read_text("utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("table", "classes", "more"),
    [
        (author_keys.SCORE_SDE_KEYS, (ScoreSdeRecipe,), set()),
        (author_keys.NCSNPP_KEYS, (NCSNppConfig,), set()),
        (author_keys.EDM_RECIPE_KEYS, (EdmRecipe,), set()),
        # The class is the file's own, and says the family.
        (author_keys.EDM_NETWORK_KEYS, (EdmUnetConfig,), {"label_dropout"}),
        (author_keys.IMAGE_V1_KEYS, (ImageV1Record,), set()),
        (author_keys.TRANSFORMER_V2_KEYS, (ImageTransformerV2Record,), set()),
    ],
)
def test_the_tables_have_the_keys_that_the_readers_take(
    table: KeyTable, classes: tuple[type, ...], more: set[str]
) -> None:
    assert table.names() == (_fields(*classes) | more) - {"family"}


def test_every_key_of_the_fixtures_is_in_a_table() -> None:
    for case in _fixture("score_sde.json").values():
        author_keys.NCSNPP_KEYS.check(case["config"], "score_sde.json")
    edm = _fixture("edm.json")
    for case in (*edm["networks"].values(), *edm["preconditionings"].values()):
        config = {key: item for key, item in case["config"].items() if key != "family"}
        author_keys.EDM_NETWORK_KEYS.check(config, "edm.json")
    models = {
        "image_v1": author_keys.IMAGE_V1_KEYS,
        "image_transformer_v2": author_keys.TRANSFORMER_V2_KEYS,
    }
    for case in _fixture("k_diffusion.json")["networks"].values():
        config = case["config"]
        author_keys.K_DIFFUSION_KEYS.check(config, "k_diffusion.json")
        author_keys.K_DATASET_KEYS.check(config["dataset"], "k_diffusion.json")
        models[config["model"]["type"]].check(config["model"], "k_diffusion.json")


@pytest.mark.parametrize("place", [("epochs",), ("dataset", "flip"), ("model", "rope")])
def test_a_new_key_of_k_diffusion_is_refused_by_name(place: tuple[str, ...]) -> None:
    config = _fixture("k_diffusion.json")["networks"]["image_v1"]["config"]
    assert recipe_of(json.dumps(config), "config.json").sigma_data == 0.5
    inner = config
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = 1
    with pytest.raises(BenchError, match=rf"config\.json.*{place[-1]}"):
        recipe_of(json.dumps(config), "config.json")


def test_the_schedulers_have_the_keys_that_diffusers_gives_them() -> None:
    """A new version's new key has to be decided here before it is read."""
    for name, known in SCHEDULERS.items():
        parameters = inspect.signature(_scheduler(name).__init__).parameters.values()
        own = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}
        assert own == known.own, name
        assert own <= SCHEDULER_KEYS.names(), name


def test_the_network_has_the_keys_that_diffusers_gives_it() -> None:
    diffusers = pytest.importorskip("diffusers")
    own = set(inspect.signature(diffusers.UNet2DModel.__init__).parameters) - {"self"}
    training = {key.name for key in UNET_KEYS.keys if key.meaning == "of training"} - {"dropout"}
    assert {name for name in UNET_KEYS.names() if not name.startswith("_")} == own | training


def _scheduler(name: str) -> Any:
    diffusers = pytest.importorskip("diffusers")
    if name != "DPMSolverSDEScheduler":
        return getattr(diffusers, name)
    missing = "torchsde" not in sys.modules  # it is asked for noise alone
    if missing:
        sys.modules["torchsde"] = types.ModuleType("torchsde")
    try:
        place = importlib.import_module("diffusers.schedulers.scheduling_dpmsolver_sde")
    finally:
        if missing:
            del sys.modules["torchsde"]
    return getattr(place, name)


def test_the_documentation_holds_every_table() -> None:
    text = DOCS.read_text("utf-8")
    assert document() in text, "run `python -m bench_plugins.checkpoints.all_keys`, and paste"
    for table in TABLES:
        for key in table.keys:
            assert f"`{key.name}`" in text


def test_keys_are_named_once() -> None:
    for table in TABLES:
        names = [key.name for key in table.keys]
        assert len(names) == len(set(names)), table.title


def test_keys_of_which_the_same_is_said_share_a_line() -> None:
    alike = KeyTable("a file", (Key("a", "honoured", "x"), Key("b", "honoured", "x")))
    assert "| `a`, `b` | honoured | x |" in markdown([alike])
    with pytest.raises(BenchError, match=r"f\.json: c: a key that is not known"):
        alike.check({"a": 1, "c": 2}, "f.json")
