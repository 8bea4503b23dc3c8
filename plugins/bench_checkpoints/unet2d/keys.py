"""The keys of diffusers' configurations, and which scheduler knows which of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench_checkpoints.keys import KeyTable, alike, keys

_STEPS = "the scheduler's own choice of steps"
_ORDER = "the scheduler's own solver"
_CLIP = "clipping of x_0 within the scheduler's own steps; D here is the network's own"
_RECORD = "bookkeeping"

SCHEDULER_KEYS = KeyTable(
    "diffusers: scheduler_config.json",
    (
        *keys(
            "honoured",
            _class_name="which scheduler; one that is not known is refused by name",
            num_train_timesteps="the number of labels; of flows what the time is multiplied by",
        ),
        *alike("honoured", "the table of noise levels", "beta_start beta_end beta_schedule"),
        *keys(
            "honoured",
            trained_betas="the table itself; must have num_train_timesteps entries",
            rescale_betas_zero_snr=(
                "the table without its last signal; a last level without any cannot be asked for"
            ),
            prediction_type="what the network gives; what the scheduler does not know is refused",
            variance_type=(
                "`learned`, `learned_range`: twice the channels, of which the second half is "
                "dropped"
            ),
            timestep_type=(
                "`continuous` with v_prediction: the label is ln(sigma) / 4; without, as "
                "diffusers has it, nothing"
            ),
            use_flow_sigmas=(
                "x_t = (1 - sigma) x_0 + sigma eps, label num_train_timesteps sigma; with "
                "v_prediction, or with another choice of sigmas than UniPC's Karras, refused"
            ),
            sigma_data="of EDM's preconditioning",
            sigma_min="range of EDM's, VE's and continuous labels; else the scheduler's own steps",
            sigma_max="range of EDM's, VE's and continuous labels; else the scheduler's own steps",
        ),
        *keys(
            "refused",
            predict_epsilon=(
                "the old name of prediction_type, which diffusers ignores now; unless it agrees"
            ),
            invert_sigmas="`true`: time runs the other way",
            interpolation_type=(
                "`log_linear`: labels that do not belong to their noise; unless they follow "
                "from it (Karras, exponential or beta sigmas, continuous labels)"
            ),
        ),
        *alike(
            "irrelevant",
            _STEPS,
            "timestep_spacing steps_offset use_karras_sigmas use_exponential_sigmas "
            "use_beta_sigmas use_lu_lambdas lambda_min_clipped sigma_schedule rho "
            "final_sigmas_type set_alpha_to_one set_alpha_to_zero flow_shift shift "
            "use_dynamic_shifting base_shift max_shift base_image_seq_len max_image_seq_len "
            "shift_terminal time_shift_type sampling_eps timestep_values",
        ),
        *alike(
            "irrelevant",
            _ORDER,
            "skip_prk_steps solver_order solver_type solver_p algorithm_type predictor_order "
            "corrector_order tau_func predict_x0 disable_corrector lower_order_final "
            "euler_at_final noise_sampler_seed stochastic_sampling snr correct_steps",
        ),
        *alike(
            "irrelevant",
            _CLIP,
            "clip_sample clip_sample_range thresholding dynamic_thresholding_ratio "
            "sample_max_value",
        ),
        *alike("irrelevant", _RECORD, "_diffusers_version _name_or_path tensor_format"),
    ),
)

LEFT_OUT = frozenset(
    key.name for key in SCHEDULER_KEYS.keys if key.words in (_STEPS, _ORDER, _CLIP)
)
"""Keys of the scheduler's own steps, which nothing here follows."""

_OWN_NETWORK = "diffusers' own network takes it into account"

UNET_KEYS = KeyTable(
    "diffusers: config.json of the UNet2DModel",
    (
        *keys(
            "honoured",
            _class_name="must be UNet2DModel",
            sample_size=(
                "the shape; without it, or where its sides do not divide by two as often as there "
                "are down-samplings, refused"
            ),
            in_channels="the channels of an image",
            out_channels="in_channels, or twice as many with learned variances; else refused",
            num_class_embeds="the number of classes",
            time_embedding_type=(
                "`positional`; `fourier` where labels are positive (VE, flows); `learned` is "
                "refused, as its labels are whole"
            ),
        ),
        *keys(
            "refused",
            class_embed_type="`timestep`, `identity`: classes that are no numbers of classes",
        ),
        *alike(
            "honoured",
            _OWN_NETWORK + "; values that it cannot have are refused",
            "down_block_types up_block_types block_out_channels layers_per_block "
            "downsample_padding downsample_type upsample_type act_fn norm_num_groups "
            "attn_norm_num_groups resnet_time_scale_shift",
        ),
        *alike(
            "honoured",
            _OWN_NETWORK,
            "center_input_sample time_embedding_dim freq_shift flip_sin_to_cos mid_block_type "
            "mid_block_scale_factor attention_head_dim norm_eps "
            "add_attention",
        ),
        *keys("irrelevant", num_train_timesteps="of learned time embeddings, which are refused"),
        *alike(
            "irrelevant",
            "of training",
            "dropout decay inv_gamma min_decay optimization_step power update_after_step "
            "use_ema_warmup",
        ),
        *alike("irrelevant", _RECORD, "_diffusers_version _name_or_path"),
    ),
)

INDEX_KEYS = KeyTable(
    "diffusers: model_index.json",
    (
        *keys(
            "honoured",
            _class_name="DDPMPipeline, DDIMPipeline, PNDMPipeline or ScoreSdeVePipeline",
            unet="must be diffusers' UNet2DModel",
            scheduler="must be diffusers', of the class that its own record names",
        ),
        *alike("irrelevant", _RECORD, "_diffusers_version _name_or_path"),
    ),
)
"""Any other part (`vqvae`, `vae`, `text_encoder`, ...) is refused by name."""

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
