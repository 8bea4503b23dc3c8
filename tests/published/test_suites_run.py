"""The suites of published experiments run, with small networks in the place of the large ones.

The files lie in the cache folder under the names that the suites have; the networks are of the same
kind and a few channels wide, the extractor is a linear map, samples are ten.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

from bench.api import Asset, find_published
from bench.config.load import load_config
from bench.config.suites import names, resolve
from bench.published.figures import load_figures
from bench.published.protocol import SOURCE
from bench.published.verdicts import FigureVerdict, compare
from bench.registry import load_registry
from bench.run.cell import Cell
from bench.run.execute import load_model, run_cell
from bench.run.machine import WorkerOptions
from bench.run.params import Params
from bench.run.plan import make_plan
from bench_plugins.checkpoints.catalogue import ASSETS as MODELS
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp
from bench_plugins.checkpoints.score_sde_recipes import PRESETS, ScoreSdeRecipe
from bench_plugins.fidelity.catalogue import ASSETS as REFERENCES
from bench_plugins.fidelity.extractors import _load
from bench_plugins.fidelity.kinds import EXTRACTORS, INCEPTION, Kind, build_plain
from bench_plugins.fidelity.reference import _features, _load_cached, _load_published
from bench_plugins.fidelity.weights import PublishedWeights

diffusers = pytest.importorskip("diffusers")
QUICK = frozenset({"cifar10-edm", "imagenet64-edm", "cifar10-ddpm-hf"})
# Of the suites that repeat a paper's experiment, celebahq256's has no figure of its own.
PUBLISHED = [
    pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow])
    for name in names()
    if name in {"celebahq256-score-sde", *(figure.table.suite for figure in load_figures())}
]
D = 16


class Linear16(FeatureExtractorBase):  # type: ignore[misc]
    """16 features and 10 logits of images of any size."""

    def __init__(
        self,
        name: str,
        features_list: list[str],
        feature_extractor_weights_path: Any = None,
        **_options: object,
    ) -> None:
        super().__init__(name, features_list)
        self.features = nn.Linear(48, D)
        self.classes = nn.Linear(D, 10)
        self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=True))

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("16", "classes")

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "classes" if metric == "isc" else "16"

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        coarse = nn.functional.adaptive_avg_pool2d(images.float() / 64, 4).flatten(1)
        pooled = self.features(coarse).relu()
        named = {"16": pooled, "classes": self.classes(pooled)}
        return tuple(named[name].double() for name in self.features_list)


if "scorebench-linear16" not in FEATURE_EXTRACTORS_REGISTRY:
    register_feature_extractor("scorebench-linear16", Linear16)


class Persistent:
    """Pickles as EDM's `torch_utils.persistence` does: a call with source text and state."""

    def __init__(self, kind: str, state: dict[str, Any]) -> None:
        self.meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit('was executed')",
            "class_name": kind,
            "state": state,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        function = sys.modules["torch_utils.persistence"].__dict__["_reconstruct_persistent_obj"]
        return function, (self.meta,), None


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder with small files under the names of the published ones."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    for known in (_load, _load_cached, _features, _load_published, load_model):
        known.cache_clear()
    _extractor(tmp_path, monkeypatch)
    module = types.ModuleType("torch_utils.persistence")
    exec("def _reconstruct_persistent_obj(meta): raise AssertionError", module.__dict__)
    monkeypatch.setitem(sys.modules, "torch_utils", types.ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for preset, recipe in list(PRESETS.items()):
        monkeypatch.setitem(PRESETS, preset, _narrow(recipe))
    yield tmp_path
    load_model.cache_clear()


def _extractor(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "features.weight": (D, 48),
        "features.bias": (D,),
        "classes.weight": (10, D),
        "classes.bias": (10,),
    }
    path = cache / "extractors" / "linear16.pth"
    path.parent.mkdir(parents=True)
    torch.save({k: torch.randn(s, generator=generator) for k, s in shapes.items()}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    asset = Asset("linear16", "https://example.org/x.pth", "extractors/linear16.pth", digest)
    published = PublishedWeights("scorebench-linear16", asset)
    monkeypatch.setitem(EXTRACTORS, INCEPTION, Kind(published, build_plain))


def _narrow(recipe: ScoreSdeRecipe) -> ScoreSdeRecipe:
    network = replace(
        recipe.network, image_size=8, nf=8, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=(4,)
    )
    return replace(recipe, network=network)


def _asset(path: str) -> Asset:
    found = find_published(path, [*MODELS, *REFERENCES])
    assert found is not None
    return found


def _provide(cell: Cell, cache: Path) -> None:
    """Writes the files that ``cell`` reads, where they are not there yet."""
    params = {**cell.model.params, **cell.model.paths}
    if cell.model.name == "diffusers_unet":
        _hub(cache / "hub" / "models--google--ddpm-cifar10-32")
    else:
        path = _asset(params["path"]).path
        path.parent.mkdir(parents=True, exist_ok=True)
        if cell.model.name == "edm":
            _edm(path, 10 if "-cond-" in path.name else 0)
        else:
            _score_sde(path, PRESETS[params["preset"]])
    for spec in cell.metrics:
        against = spec.paths.get("against", "")
        if against:
            _reference(_asset(against).path)


def _reference(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, mu=np.zeros(D), sigma=np.eye(D))


def _edm(path: Path, classes: int) -> None:
    torch.manual_seed(0)
    asked: dict[str, Any] = {
        "img_resolution": 8,
        "in_channels": 3,
        "out_channels": 3,
        "label_dim": classes,
        "model_channels": 8,
        # ADM's attention has heads of 64 channels.
        "channel_mult": [1, 8] if "adm" in path.name else [1, 2],
        "num_blocks": 1,
        "attn_resolutions": [4],
    }
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in asked.items()}
    family = "dhariwal" if "adm" in path.name else "song"
    network = EdmUnet(EdmUnetConfig(family=family, **tuples))
    kind = "DhariwalUNet" if family == "dhariwal" else "SongUNet"
    inner = _tree(network, kind, _init_kwargs=asked, _init_args=())
    outer = {
        "_parameters": OrderedDict(),
        "_buffers": OrderedDict(),
        "_modules": OrderedDict(model=inner),
        "sigma_min": 0,
        "sigma_max": float("inf"),
        "sigma_data": 0.5,
    }
    content = {"ema": Persistent("EDMPrecond", outer), "dataset_kwargs": {"path": "images.zip"}}
    path.write_bytes(pickle.dumps(content))


def _tree(module: nn.Module, kind: str, **more: object) -> Persistent:
    state = {
        "training": False,
        "_parameters": OrderedDict(module._parameters.items()),
        "_buffers": OrderedDict(
            (k, v) for k, v in module._buffers.items() if k in module.state_dict()
        ),
        "_modules": OrderedDict(
            (name, _tree(part, type(part).__name__)) for name, part in module._modules.items()
        ),
    }
    return Persistent(kind, {**state, **more})


def _score_sde(path: Path, recipe: ScoreSdeRecipe) -> None:
    torch.manual_seed(0)
    network = NCSNpp(recipe.network)
    shadows = [p.detach() for p in network.parameters() if p.requires_grad]
    model = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"model": model, "ema": {"shadow_params": shadows}, "step": 1}, path)


def _hub(place: Path) -> None:
    commit = "0" * 40
    (place / "refs").mkdir(parents=True, exist_ok=True)
    (place / "refs" / "main").write_text(commit, encoding="ascii")
    torch.manual_seed(0)
    diffusers.UNet2DModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
    ).save_pretrained(place / "snapshots" / commit)
    diffusers.DDPMScheduler().save_pretrained(place / "snapshots" / commit)


def _cells(suite: str) -> tuple[Cell, ...]:
    return make_plan(load_config(resolve(Path(suite))), load_registry(), "cpu")


def _small(cell: Cell, most: int = 10) -> Cell:
    """The cell with ten samples, and few evaluations or a loose tolerance."""
    protocol = replace(cell.protocol, samples=10, batch=10, shard=10)
    solver, metrics = cell.solver, cell.metrics
    if cell.ladder:
        solver = replace(solver, params=Params.of({**solver.params, cell.ladder: 0.5}))
    if cell.metrics[0].name == "rmse":
        params = {**metrics[0].params, "samples": 4, "reference_steps": 4}
        metrics = (replace(metrics[0], params=Params.of(params)), *metrics[1:])
    return replace(
        cell,
        protocol=protocol,
        solver=solver,
        metrics=metrics,
        budget=cell.budget and min(cell.budget, most),
    )


def _first(suite: str) -> list[Cell]:
    """A cell of each sampler and of each network, that of the first budget."""
    first: dict[tuple[str, ...], Cell] = {}
    for cell in _cells(suite):
        first.setdefault((cell.suite, cell.sampler, cell.model.label()), cell)
    return list(first.values())


@pytest.mark.parametrize("suite", PUBLISHED)
def test_every_sampler_and_network_of_a_suite_runs_and_is_known_to_the_figures(
    suite: str, stand_ins: Path
) -> None:
    """Under the suite's names, and but for the number of samples with the figures' protocol."""
    cells, machine = _first(suite), WorkerOptions(1, 1).on("cpu", 1)
    for cell in cells:
        _provide(cell, stand_ins)
    cells = _first(suite)  # a plan is made anew once its files are there
    written = []
    for cell in cells:
        rows = run_cell(_small(cell), machine).rows
        assert [row["reason"] for row in rows] == [""] * len(rows), cell.title
        assert {row["status"] for row in rows} == {"ok"}
        assert {row["metric"] for row in rows} >= {spec.name for spec in cell.metrics}
        asked = {"solver_params": cell.solver.changed.json, "budget": cell.budget}
        written += [{**row, **asked, "nfe": cell.budget or row["nfe"]} for row in rows]
    found = compare(load_figures(), pd.DataFrame(written))
    run = [item for item in found if item.verdict is not FigureVerdict.NOT_RUN]
    assert bool(run) == (suite != "celebahq256-score-sde")
    for item in run:
        # The continuous process ends a little below the last level of a table of betas.
        table = {"s_max"} if "table of betas" in str(item.figure.deviations) else set()
        assert {d.field for d in item.differences} - {SOURCE} == {"n"} | table, item.figure.id
    known = {item.figure.label for item in run}
    wanted = {f.label for f in load_figures() if f.table.suite == suite and not f.unavailable}
    missing = wanted - known
    assert all(f.table.metric.name == "nll_bpd" for f in load_figures() if f.label in missing)
