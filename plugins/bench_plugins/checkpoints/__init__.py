"""Score models read from the checkpoints that people publish."""

from collections.abc import Sequence

from bench.api import Asset, Model, Trainable, hookimpl
from bench_plugins.checkpoints.catalogue import ASSETS
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet
from bench_plugins.checkpoints.discrete import DiscreteModel
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.k_diffusion import KDiffusion
from bench_plugins.checkpoints.module import ModuleModel
from bench_plugins.checkpoints.score_sde import ScoreSde
from bench_plugins.checkpoints.trainable import Ddpmpp, EdmDdpmpp, EdmNcsnpp, Ncsnpp


@hookimpl
def bench_models() -> Sequence[type[Model]]:
    return [ScoreSde, Edm, DiffusersUnet, KDiffusion, ModuleModel, DiscreteModel]


@hookimpl
def bench_networks() -> Sequence[type[Trainable]]:
    return [Ncsnpp, Ddpmpp, EdmNcsnpp, EdmDdpmpp]


@hookimpl
def bench_assets() -> Sequence[Asset]:
    return ASSETS
