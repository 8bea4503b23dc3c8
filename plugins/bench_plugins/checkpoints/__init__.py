"""Score models read from the checkpoints that people publish."""

from collections.abc import Sequence

from bench.api import Asset, family, hookimpl
from bench_plugins.checkpoints.catalogue import ASSETS
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet as DiffusersUnet
from bench_plugins.checkpoints.discrete import DiscreteModel as DiscreteModel
from bench_plugins.checkpoints.edm import Edm as Edm
from bench_plugins.checkpoints.k_diffusion import KDiffusion as KDiffusion
from bench_plugins.checkpoints.module import ModuleModel as ModuleModel
from bench_plugins.checkpoints.score_sde import ScoreSde as ScoreSde
from bench_plugins.checkpoints.trainable import Ddpmpp as Ddpmpp
from bench_plugins.checkpoints.trainable import EdmDdpmpp as EdmDdpmpp
from bench_plugins.checkpoints.trainable import EdmNcsnpp as EdmNcsnpp
from bench_plugins.checkpoints.trainable import Ncsnpp as Ncsnpp

bench_family = family(__name__)


@hookimpl
def bench_assets() -> Sequence[Asset]:
    return ASSETS
