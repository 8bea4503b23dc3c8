"""Network, SDE and data of score_sde's checkpoints, under the authors' names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from bench.api import require
from bench_plugins.checkpoints.networks.ncsnpp import NCSNppConfig


@dataclass(frozen=True)
class ScoreSdeRecipe:
    """The training of a checkpoint; as JSON, the content of a recipe file.

    Attributes:
        sde: the noise: `ve`, `vp` or `subvp`.
        continuous: whether it saw all noise levels, or a table of network.num_scales.
        data: name of the data set.
        network: the network's sizes and parts.
        beta_min, beta_max: of vp and subvp; a table of N levels has beta / N.
    """

    # A recipe comes from a file: misspelt names must not pass.
    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    sde: Literal["ve", "vp", "subvp"]
    continuous: bool
    data: str
    network: NCSNppConfig
    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        require(0 < self.beta_min < self.beta_max, "0 < beta_min < beta_max must hold")
        require(
            self.continuous or self.sde != "subvp", "subvp was never trained on a table of levels"
        )
        require(
            self.continuous or self.network.embedding == "positional",
            "a table of levels goes with embedding 'positional'",
        )
        require(
            self.sde == "ve" or self.network.embedding == "positional",
            "vp and subvp go with embedding 'positional'",
        )
        require(
            self.sde == "ve" or not self.network.scale_by_sigma,
            "scale_by_sigma goes with sde 've'",
        )
        require(self.sde == "ve" or self.network.centered, "vp and subvp go with centered: true")
        require(
            self.continuous or self.sde != "vp" or self.beta_max < self.network.num_scales,
            "beta_max must be below network.num_scales: a table's betas are beta / num_scales",
        )


_NCSNPP = NCSNppConfig()
_TABLE = replace(_NCSNPP, embedding="positional")
_NCSNPP_VP = replace(_TABLE, scale_by_sigma=False, centered=True)
_DDPMPP = replace(_NCSNPP_VP, fir=False, progressive_input="none")
_DDPM = replace(_DDPMPP, resblock="ddpm", skip_rescale=False, num_res_blocks=2)
_LARGE = replace(
    _NCSNPP,
    image_size=256,
    ch_mult=(1, 1, 2, 2, 2, 2, 2),
    num_res_blocks=2,
    progressive="output_skip",
    progressive_input="input_skip",
    num_scales=2000,
)
_HUGE = replace(
    _LARGE,
    image_size=1024,
    nf=16,
    ch_mult=(1, 2, 4, 8, 16, 32, 32, 32),
    num_res_blocks=1,
    sigma_max=1348.0,
)


def _cifar10(
    sde: Literal["ve", "vp", "subvp"], network: NCSNppConfig, continuous: bool = True
) -> ScoreSdeRecipe:
    return ScoreSdeRecipe(sde, continuous, "cifar10", network)


def _deep(network: NCSNppConfig) -> NCSNppConfig:
    return replace(network, num_res_blocks=8)


def _ve(data: str, network: NCSNppConfig, sigma_max: float) -> ScoreSdeRecipe:
    return ScoreSdeRecipe("ve", True, data, replace(network, sigma_max=sigma_max))


PRESETS: dict[str, ScoreSdeRecipe] = {
    "ve/cifar10_ncsnpp_continuous": _cifar10("ve", _NCSNPP),
    "ve/cifar10_ncsnpp_deep_continuous": _cifar10("ve", _deep(_NCSNPP)),
    "ve/cifar10_ncsnpp": _cifar10("ve", _TABLE, continuous=False),
    "ve/celebahq_256_ncsnpp_continuous": _ve("celebahq256", _LARGE, 348.0),
    "ve/ffhq_256_ncsnpp_continuous": _ve("ffhq256", _LARGE, 348.0),
    "ve/bedroom_ncsnpp_continuous": _ve("lsun_bedroom256", _LARGE, 378.0),
    "ve/church_ncsnpp_continuous": _ve("lsun_church256", _LARGE, 380.0),
    "ve/celebahq_ncsnpp_continuous": _ve("celebahq1024", _HUGE, 1348.0),
    "ve/ffhq_ncsnpp_continuous": _ve("ffhq1024", _HUGE, 1348.0),
    "vp/cifar10_ncsnpp_continuous": _cifar10("vp", _NCSNPP_VP),
    "vp/cifar10_ncsnpp_deep_continuous": _cifar10("vp", _deep(_NCSNPP_VP)),
    "vp/cifar10_ddpmpp_continuous": _cifar10("vp", _DDPMPP),
    "vp/cifar10_ddpmpp_deep_continuous": _cifar10("vp", _deep(_DDPMPP)),
    "vp/cifar10_ddpmpp": _cifar10("vp", _DDPMPP, continuous=False),
    "vp/cifar10_ncsnpp": _cifar10("vp", _NCSNPP_VP, continuous=False),
    "vp/ddpm/cifar10_continuous": _cifar10("vp", _DDPM),
    "vp/ddpm/cifar10": _cifar10("vp", _DDPM, continuous=False),
    "subvp/cifar10_ncsnpp_continuous": _cifar10("subvp", _NCSNPP_VP),
    "subvp/cifar10_ncsnpp_deep_continuous": _cifar10("subvp", _deep(_NCSNPP_VP)),
    "subvp/cifar10_ddpmpp_continuous": _cifar10("subvp", _DDPMPP),
    "subvp/cifar10_ddpmpp_deep_continuous": _cifar10("subvp", _deep(_DDPMPP)),
    "subvp/cifar10_ddpm_continuous": _cifar10("subvp", _DDPM),
}
