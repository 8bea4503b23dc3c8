"""The schedulers whose noise is known, by name, and the keys that each of them knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Noise = Literal["betas", "edm", "flow", "ve"]


@dataclass(frozen=True)
class Scheduler:
    """A scheduler whose noise is known.

    Attributes:
        noise: the kind of its noise levels.
        own: the keys that it knows.
        predictions: what networks may give it.
        ends: beta_start and beta_end where they are not given.
        schedules: the schedules of betas that it knows.
        last_alpha: of a rescaled table: the last squared alpha.
    """

    noise: Noise
    own: frozenset[str]
    predictions: tuple[str, ...] = ("epsilon", "sample", "v_prediction")
    ends: tuple[float, float] = (1e-4, 0.02)
    schedules: tuple[str, ...] = ("linear", "scaled_linear", "squaredcos_cap_v2")
    last_alpha: float = 0.0


def _names(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


_BETAS = "num_train_timesteps beta_start beta_end beta_schedule trained_betas prediction_type"
_SPACED = "timestep_spacing steps_offset"
_SIGMAS = "use_karras_sigmas use_exponential_sigmas use_beta_sigmas"
_FLOW = "use_flow_sigmas flow_shift"
_DYNAMIC = "use_dynamic_shifting time_shift_type"
_CLIPPED = "clip_sample clip_sample_range"
_THRESHOLD = "thresholding dynamic_thresholding_ratio sample_max_value"
_ZERO = "rescale_betas_zero_snr"
_MULTISTEP = "solver_order solver_type algorithm_type lower_order_final"

_ALL = ("epsilon", "sample", "v_prediction", "flow_prediction")
_TWO = ("epsilon", "v_prediction")
_STABLE = (0.00085, 0.012)
_SMALL = 2.0**-24

_DDPM = Scheduler(
    "betas",
    _names(_BETAS, _SPACED, _CLIPPED, _THRESHOLD, _ZERO, "variance_type"),
    schedules=("linear", "scaled_linear", "squaredcos_cap_v2", "laplace", "sigmoid"),
)
_DDIM = Scheduler("betas", _names(_BETAS, _SPACED, _CLIPPED, _THRESHOLD, _ZERO, "set_alpha_to_one"))
_K_DPM_2 = Scheduler("betas", _names(_BETAS, _SPACED, _SIGMAS), _TWO, _STABLE)

SCHEDULERS: dict[str, Scheduler] = {
    "DDPMScheduler": _DDPM,
    "DDPMParallelScheduler": _DDPM,
    "DDIMScheduler": _DDIM,
    "DDIMParallelScheduler": _DDIM,
    "PNDMScheduler": Scheduler(
        "betas", _names(_BETAS, _SPACED, "skip_prk_steps set_alpha_to_one"), _TWO
    ),
    "DPMSolverMultistepScheduler": Scheduler(
        "betas",
        _names(_BETAS, _SPACED, _SIGMAS, _FLOW, _DYNAMIC, _THRESHOLD, _ZERO, _MULTISTEP)
        | _names(
            "use_lu_lambdas lambda_min_clipped final_sigmas_type variance_type euler_at_final"
        ),
        _ALL,
        last_alpha=_SMALL,
    ),
    "DPMSolverSinglestepScheduler": Scheduler(
        "betas",
        _names(_BETAS, _SIGMAS, _FLOW, _DYNAMIC, _THRESHOLD, _MULTISTEP)
        | _names("lambda_min_clipped final_sigmas_type variance_type"),
        _ALL,
    ),
    "UniPCMultistepScheduler": Scheduler(
        "betas",
        _names(_BETAS, _SPACED, _SIGMAS, _FLOW, _DYNAMIC, _THRESHOLD, _ZERO)
        | _names("solver_order solver_type solver_p lower_order_final predict_x0")
        | _names("disable_corrector final_sigmas_type sigma_min sigma_max shift_terminal"),
        _ALL,
        last_alpha=_SMALL,
    ),
    "DEISMultistepScheduler": Scheduler(
        "betas", _names(_BETAS, _SPACED, _SIGMAS, _FLOW, _DYNAMIC, _THRESHOLD, _MULTISTEP), _ALL
    ),
    "SASolverScheduler": Scheduler(
        "betas",
        _names(_BETAS, _SPACED, _SIGMAS, _FLOW, _THRESHOLD, "algorithm_type lower_order_final")
        | _names("predictor_order corrector_order tau_func lambda_min_clipped variance_type"),
        _ALL,
    ),
    "LMSDiscreteScheduler": Scheduler("betas", _names(_BETAS, _SPACED, _SIGMAS)),
    "EulerDiscreteScheduler": Scheduler(
        "betas",
        _names(_BETAS, _SPACED, _SIGMAS, _ZERO)
        | _names("interpolation_type timestep_type sigma_min sigma_max final_sigmas_type"),
        ("epsilon", "sample", "original_sample", "v_prediction"),
        last_alpha=_SMALL,
    ),
    "EulerAncestralDiscreteScheduler": Scheduler(
        "betas", _names(_BETAS, _SPACED, _ZERO), _TWO, last_alpha=_SMALL
    ),
    "HeunDiscreteScheduler": Scheduler(
        "betas",
        _names(_BETAS, _SPACED, _SIGMAS, _CLIPPED),
        ends=_STABLE,
        schedules=("linear", "scaled_linear", "squaredcos_cap_v2", "exp"),
    ),
    "KDPM2DiscreteScheduler": _K_DPM_2,
    "KDPM2AncestralDiscreteScheduler": _K_DPM_2,
    "DPMSolverSDEScheduler": Scheduler(
        "betas", _names(_BETAS, _SPACED, _SIGMAS, "noise_sampler_seed"), _TWO, _STABLE
    ),
    "EDMEulerScheduler": Scheduler(
        "edm",
        _names("sigma_min sigma_max sigma_data sigma_schedule num_train_timesteps rho")
        | _names("prediction_type final_sigmas_type"),
        _TWO,
    ),
    "EDMDPMSolverMultistepScheduler": Scheduler(
        "edm",
        _names("sigma_min sigma_max sigma_data sigma_schedule num_train_timesteps rho")
        | _names("prediction_type final_sigmas_type euler_at_final", _THRESHOLD, _MULTISTEP),
        _TWO,
    ),
    "FlowMatchEulerDiscreteScheduler": Scheduler(
        "flow",
        _names("num_train_timesteps shift base_shift max_shift base_image_seq_len", _DYNAMIC)
        | _names("max_image_seq_len invert_sigmas shift_terminal stochastic_sampling", _SIGMAS),
        (),
    ),
    "FlowMatchHeunDiscreteScheduler": Scheduler("flow", _names("num_train_timesteps shift"), ()),
    "ScoreSdeVeScheduler": Scheduler(
        "ve",
        _names("num_train_timesteps snr sigma_min sigma_max sampling_eps correct_steps"),
        (),
    ),
}

_DISTILLED = "its networks jump to the end of the path, which is not the mean that D is"
_UNSAID = "it does not say what label its networks are told"
_BACKWARDS = "it runs from data to noise; save the folder with the one that samples"
NOT_READ = {
    "LCMScheduler": _DISTILLED,
    "TCDScheduler": _DISTILLED,
    "CMStochasticIterativeScheduler": _DISTILLED,
    "ScoreSdeVpScheduler": _UNSAID,
    "KarrasVeScheduler": _UNSAID,
    "DDIMInverseScheduler": _BACKWARDS,
    "DPMSolverMultistepInverseScheduler": _BACKWARDS,
    "RePaintScheduler": "it fills in images; save the folder with a DDPMScheduler of its betas",
    "UnCLIPScheduler": "its networks are conditioned on more than classes",
    "IPNDMScheduler": "its labels are angles of networks for sound",
}
"""Schedulers that are known, and why they are not read."""
