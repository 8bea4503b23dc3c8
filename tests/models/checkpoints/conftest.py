"""How the weights of the parity fixtures are made, and which numbers of an output are kept.

The same rule was applied to the authors' networks, outside of this repository, in float64:

* tensors are taken in the order of the state dict; those named `sigmas`, `resample_filter`,
  `kernel` or `u` keep their values;
* the i-th (counting all) is drawn by numpy: `default_rng([seed, i]).standard_normal(shape)`;
* with two or more dimensions it is divided by the root of the product of all but the first;
* with one dimension it is multiplied by 0.1, and 1 is added if its name ends in `weight` or
  `scale`.

Inputs are `default_rng([seed, 10**6]).standard_normal(shape)`. Kept of an output (flattened) are
its first six entries, the root of its mean square, and its mean product with
`default_rng([seed, 10**6 + 1]).standard_normal(size)`, and of the state dict the sha256 of its
lines `name (shape)`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.k_diffusion import KDiffusion
from bench_plugins.checkpoints.k_diffusion_config import maker, recipe_of
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig
from bench_plugins.checkpoints.networks.ncsnpp import NCSNpp, NCSNppConfig
from bench_plugins.checkpoints.precision import NetworkModel
from bench_plugins.checkpoints.reading.safe_files import RECORD
from bench_plugins.checkpoints.score_sde import ScoreSde
from bench_plugins.checkpoints.score_sde_recipes import ScoreSdeRecipe

KEPT = ("sigmas", "resample_filter", "kernel", "u")


@dataclass(frozen=True)
class Rule:
    """The rule above."""

    seed: int

    def normal(self, stream: int, shape: tuple[int, ...]) -> Tensor:
        return torch.from_numpy(np.random.default_rng([self.seed, stream]).standard_normal(shape))

    def weights(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        made = {}
        for i, (name, tensor) in enumerate(state.items()):
            if name.split(".")[-1] in KEPT:
                made[name] = tensor
                continue
            value = self.normal(i, tuple(tensor.shape))
            if tensor.ndim > 1:
                value = value / math.sqrt(math.prod(tensor.shape[1:]))
            else:
                value = 0.1 * value + (1.0 if name.endswith(("weight", "scale")) else 0.0)
            made[name] = value
        return made

    def input(self, shape: tuple[int, ...]) -> Tensor:
        return self.normal(10**6, shape)

    def figures(self, output: Tensor) -> list[float]:
        flat = output.detach().double().flatten()
        against = self.normal(10**6 + 1, (flat.numel(),))
        rms = float(flat.square().mean().sqrt())
        return [*flat[:6].tolist(), rms, float((flat * against).mean())]

    @staticmethod
    def keys(state: Mapping[str, Tensor]) -> str:
        lines = [f"{name} {tuple(tensor.shape)}" for name, tensor in state.items()]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.fixture(scope="session")
def rule_of() -> type[Rule]:
    """The class of the rule: `rule_of(seed)`."""
    return Rule


@dataclass(frozen=True)
class Zoo:
    """A tiny checkpoint of every kind, with weights drawn by the rule."""

    folder: Path

    def model(self, kind: str) -> NetworkModel:
        """The checkpoint of ``kind``, written when it is first asked for."""
        return _tiny(self, kind)

    def edm(self, precond: str = "edm") -> Edm:
        config = EdmUnetConfig(
            img_resolution=16, model_channels=32, channel_mult=(1, 2), num_blocks=1, label_dim=10
        )
        recipe = EdmRecipe(cast(Any, precond), config, sigma_max=100.0, M=100)
        path = self.folder / f"edm-{precond}.safetensors"
        self._write(path, EdmUnet(config), {"edm": asdict(recipe)})
        return Edm(path=str(path), label=3, s_max=100.0)

    def score_sde(self, sde: Literal["ve", "vp"], continuous: bool = True) -> ScoreSde:
        config = NCSNppConfig(image_size=16, nf=32, ch_mult=(1, 2), num_res_blocks=1)
        if sde == "ve":  # the widest noise of the published files
            config = replace(config, sigma_max=1348.0, attn_resolutions=(8,))
        else:
            config = replace(
                config,
                embedding="positional",
                scale_by_sigma=False,
                centered=True,
                fir=False,
                progressive_input="none",
            )
        recipe = ScoreSdeRecipe(sde, continuous, "tiny", config)
        path = self.folder / f"{sde}-{continuous}.safetensors"
        self._write(path, NCSNpp(config), {"score_sde": asdict(recipe)})
        return ScoreSde(path=str(path))

    def k_diffusion(self, title: str) -> KDiffusion:
        recorded = json.loads((Path(__file__).parent / "k_diffusion.json").read_text("utf-8"))
        config = recorded["networks"][title]["config"]
        recipe = recipe_of(json.dumps(config), "the fixture")
        network = maker(recipe)()
        path = self.folder / f"{title}.safetensors"
        weights = {k: t.float() for k, t in Rule(5).weights(network.state_dict()).items()}
        save_file(weights, path, {"config": json.dumps(config)})
        return KDiffusion(path=str(path))

    def diffusers(self) -> DiffusersUnet:
        diffusers = pytest.importorskip("diffusers")
        network = diffusers.UNet2DModel(
            sample_size=16,
            block_out_channels=(16, 32),
            layers_per_block=1,
            norm_num_groups=4,
            attention_head_dim=8,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        )
        network.load_state_dict(Rule(6).weights(network.state_dict()))
        network.save_pretrained(self.folder / "pipeline" / "unet")
        diffusers.DDPMScheduler().save_pretrained(self.folder / "pipeline" / "scheduler")
        return DiffusersUnet(path=str(self.folder / "pipeline"))

    def _write(self, path: Path, network: torch.nn.Module, record: dict[str, object]) -> None:
        weights = {k: t.float() for k, t in Rule(7).weights(network.state_dict()).items()}
        save_file(weights, path, {RECORD: json.dumps(record)})


@cache
def _tiny(zoo: Zoo, kind: str) -> NetworkModel:
    makers: dict[str, Callable[[], NetworkModel]] = {
        "edm": zoo.edm,
        "ncsnpp": partial(zoo.score_sde, "ve"),
        "ddpmpp": partial(zoo.score_sde, "vp"),
        "diffusers": zoo.diffusers,
        "image_v1": partial(zoo.k_diffusion, "image_v1"),
        "hdit": partial(zoo.k_diffusion, "image_transformer_v2, neighbourhoods"),
        **{f"edm-{p}": partial(zoo.edm, p) for p in ("vp", "ve", "iddpm")},
        "discrete": partial(zoo.score_sde, "vp", continuous=False),
    }
    return makers[kind]()


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Tiny checkpoints of every kind."""
    return Zoo(tmp_path_factory.mktemp("zoo"))
