"""Random configurations of diffusers: the number that its own scheduler gives, or a refusal."""

from __future__ import annotations

import importlib
import inspect
import json
import random
import re
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.api import BenchError
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet
from bench_plugins.checkpoints.unet2d.keys import SCHEDULER_KEYS, UNET_KEYS
from bench_plugins.checkpoints.unet2d.schedulers import SCHEDULERS

diffusers = pytest.importorskip("diffusers")

# diffusers' own use of numpy and torch, and what it will drop itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

CPU = torch.device("cpu")
NEAR = 1e-5
REFUSED = ("LCMScheduler", "TCDScheduler", "CMStochasticIterativeScheduler", "IPNDMScheduler")


@cache
def scheduler_class(name: str) -> Any:
    """A scheduler of diffusers; one of them needs a library, for its noise alone."""
    if name == "DPMSolverSDEScheduler" and "torchsde" not in sys.modules:
        sys.modules["torchsde"] = types.ModuleType("torchsde")
        try:
            place = "diffusers.schedulers.scheduling_dpmsolver_sde"
            return getattr(importlib.import_module(place), name)
        finally:
            del sys.modules["torchsde"]
    return getattr(diffusers, name)


def own_keys(cls: Any) -> list[str]:
    """The keys that a class of diffusers has."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return [p.name for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD]


FLAGS = (
    "rescale_betas_zero_snr",
    "use_flow_sigmas",
    "thresholding",
    "clip_sample",
    "set_alpha_to_one",
    "skip_prk_steps",
    "predict_x0",
    "lower_order_final",
    "euler_at_final",
    "stochastic_sampling",
    "invert_sigmas",
)
CHOICES: dict[str, list[Any]] = {
    "num_train_timesteps": [1000, 1000, 100, 37, 2000],
    "beta_start": [1e-4, 0.00085, 1e-3],
    "beta_end": [0.02, 0.012, 0.03],
    "beta_schedule": ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace", "exp"],
    "prediction_type": ["epsilon", "sample", "v_prediction", "flow_prediction", "original_sample"],
    "variance_type": [None, "fixed_small", "fixed_large", "learned", "learned_range"],
    "timestep_type": ["discrete", "continuous"],
    "interpolation_type": ["linear", "linear", "log_linear"],
    "timestep_spacing": ["linspace", "leading", "trailing"],
    "steps_offset": [0, 1],
    "sigma_min": [0.002, 0.01, 0.1],
    "sigma_max": [20.0, 80.0, 700.0],
    "sigma_data": [0.5, 0.25, 1.0],
    "final_sigmas_type": ["zero", "sigma_min"],
    "flow_shift": [1.0, 3.0],
    "shift": [1.0, 3.0],
    "shift_terminal": [None],
    "use_dynamic_shifting": [False],
    "time_shift_type": ["exponential"],
    "algorithm_type": ["dpmsolver++", "sde-dpmsolver++"],
    "solver_type": ["midpoint", "heun"],
    "solver_order": [1, 2],
    "sigma_schedule": ["karras", "exponential"],
    "rho": [7.0, 3.0],
    "dynamic_thresholding_ratio": [0.995],
    "sample_max_value": [1.0],
    "clip_sample_range": [1.0, 2.0],
    **{flag: [False, True] for flag in FLAGS},
}
RARE = ("interpolation_type", "invert_sigmas", "beta_schedule", "prediction_type")
SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")


@dataclass(frozen=True)
class Case:
    """A scheduler's record and a network's."""

    scheduler: dict[str, Any]
    unet: dict[str, Any]
    steps: int


def draw(seed: int) -> Case:
    """A configuration of legal keys with legal values."""
    dice = random.Random(seed)
    name = dice.choice([*SCHEDULERS] * 3 + [*REFUSED])
    keys = own_keys(scheduler_class(name)) if name in SCHEDULERS else []
    record: dict[str, Any] = {"_class_name": name, "_diffusers_version": "0.42.1"}
    for key in keys:
        if key in CHOICES and dice.random() < 0.4:
            rare = key in RARE and dice.random() < 0.8
            record[key] = CHOICES[key][0] if rare else dice.choice(CHOICES[key])
    for key, other in (("algorithm_type", "DEIS"), ("algorithm_type", "SASolver")):
        if name.startswith(other):
            record.pop(key, None)
    if name.startswith(("UniPC", "DEIS")):
        record.pop("solver_type", None)
    if name.startswith("EDM") and "prediction_type" in record:
        record["prediction_type"] = dice.choice(["epsilon", "v_prediction"])
    sigmas = [key for key in SIGMAS if key in keys]
    if sigmas and dice.random() < 0.5:  # of several at once diffusers makes an error itself
        record[dice.choice(sigmas)] = True
    if "trained_betas" in keys and dice.random() < 0.15:
        levels = record.setdefault("num_train_timesteps", 37)
        record["trained_betas"] = np.linspace(1e-3, 0.02, levels).tolist()
    if record.get("use_flow_sigmas") and dice.random() < 0.8:
        record["prediction_type"] = dice.choice(["flow_prediction", "epsilon", "sample"])
        record.update({key: False for key in SIGMAS if key in record})
    if dice.random() < 0.1:
        foreign = dice.choice(["use_flow_sigmas", "timestep_type", "clip_sample", "variance_type"])
        record.setdefault(foreign, dice.choice(CHOICES[foreign]))
    return Case(record, _draw_unet(dice, name, record), dice.choice([4, 5, 10, 20]))


def _draw_unet(dice: random.Random, name: str, record: dict[str, Any]) -> dict[str, Any]:
    levels = dice.choice([1, 2, 2, 3])
    kinds = dice.choice(["plain", "plain", "attn", "resnet", "skip"])
    down = {"plain": "Down", "attn": "AttnDown", "resnet": "ResnetDownsample", "skip": "SkipDown"}
    up = {"plain": "Up", "attn": "AttnUp", "resnet": "ResnetUpsample", "skip": "SkipUp"}
    channels = 3 if kinds == "skip" else dice.choice([1, 3])
    learned = str(record.get("variance_type", "")).startswith("learned")
    made: dict[str, Any] = {
        "sample_size": dice.choice([8, 8, 8, 8, 8, 16, [8, 12], 12, 10, None]),
        "in_channels": channels,
        "out_channels": channels * (2 if learned != (dice.random() < 0.05) else 1),
        "block_out_channels": [8 * 2 ** min(i, 1) for i in range(levels)],
        "down_block_types": [down[kinds] + "Block2D"] * levels,
        "up_block_types": [up[kinds] + "Block2D"] * levels,
        "layers_per_block": 1,
        "norm_num_groups": dice.choice([4, 2]),
        "attention_head_dim": dice.choice([4, 8]),
    }
    if dice.random() < 0.05:
        made["in_channels"] = 2 * channels
    further = {
        "center_input_sample": [True, False],
        "time_embedding_type": ["positional"] * 8 + ["fourier", "learned"],
        "freq_shift": [0, 1],
        "flip_sin_to_cos": [True, False],
        "downsample_padding": [0, 1],
        "downsample_type": ["conv", "resnet"],
        "upsample_type": ["conv", "resnet"],
        "act_fn": ["silu", "relu", "mish", "gelu"],
        "resnet_time_scale_shift": ["default", "scale_shift"],
        "add_attention": [True, False],
        "num_class_embeds": [None, 4],
        "class_embed_type": [*[None] * 8, "timestep", "identity"],
        "mid_block_type": ["UNetMidBlock2D", None],
        "mid_block_scale_factor": [1, 1.414],
        "dropout": [0.0, 0.1],
        "norm_eps": [1e-5, 1e-6],
        "time_embedding_dim": [None, 16],
    }
    made.update({key: dice.choice(v) for key, v in further.items() if dice.random() < 0.3})
    if made.get("time_embedding_type") == "learned":
        made["num_train_timesteps"] = 1000
    if name == "ScoreSdeVeScheduler" and dice.random() < 0.7:
        made["time_embedding_type"] = "fourier"
    return made


def written(case: Case, folder: Path) -> Any:
    """The folder of a case; the network that is in it, None where diffusers can't make it."""
    torch.manual_seed(0)
    unet = {key: tuple(v) if isinstance(v, list) else v for key, v in case.unet.items()}
    try:
        network = diffusers.UNet2DModel(**unet)
    except Exception:
        network = diffusers.UNet2DModel(**_PLAIN)
    network.save_pretrained(folder / "unet")
    config = folder / "unet" / "config.json"
    record = {**json.loads(config.read_text("utf-8")), **case.unet}
    config.write_text(json.dumps(record), encoding="utf-8")
    (folder / "scheduler").mkdir()
    text = json.dumps(case.scheduler)
    (folder / "scheduler" / "scheduler_config.json").write_text(text, encoding="utf-8")
    return network.double().eval()


_PLAIN = {
    "sample_size": 8,
    "block_out_channels": (8,),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "down_block_types": ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",),
}


@dataclass(frozen=True)
class Point:
    """What diffusers tells the network at one step, and what it makes of the answer.

    Attributes:
        s: the noise-to-signal ratio.
        y: x_t / alpha.
        x, label: what the network sees and is told.
        denoised: pred_original_sample of the network's answer.
    """

    s: Tensor
    y: Tensor
    x: Tensor
    label: Tensor
    denoised: Callable[[Tensor], Tensor]


def made_scheduler(record: dict[str, Any]) -> Any:
    """diffusers' own, without clipping, its table in float64."""
    cls = scheduler_class(record["_class_name"])
    given = {key: value for key, value in record.items() if key in own_keys(cls)}
    scheduler = cls(**given)
    known = {key: False for key in ("clip_sample", "thresholding") if key in scheduler.config}
    scheduler.register_to_config(**known)
    if hasattr(scheduler, "alphas_cumprod"):
        last = float(scheduler.alphas_cumprod[-1])
        betas = scheduler.betas.double()
        scheduler.alphas_cumprod = (1 - betas).cumprod(0)
        if last == 2.0**-24:
            scheduler.alphas_cumprod[-1] = last
    return scheduler


def points(case: Case, shape: tuple[int, ...]) -> list[Point]:
    """Some of the steps that diffusers would make."""
    name = case.scheduler["_class_name"]
    family = next(f for key, f in FAMILIES.items() if name.startswith(key))
    found = []
    for i in {0, case.steps // 2, case.steps - 1}:
        scheduler = made_scheduler(case.scheduler)
        scheduler.set_timesteps(case.steps)
        noise = torch.randn(2, *shape, generator=torch.Generator().manual_seed(i)).double()
        point = family(scheduler, i, noise)
        if point is not None:
            found.append(point)
    return found


def of_alphas(scheduler: Any, i: int, noise: Tensor) -> Point | None:
    """DDPM, DDIM: x_t and a whole label."""
    label = scheduler.timesteps[i]
    if int(label) >= len(scheduler.alphas_cumprod):
        return None  # the offset goes past the table, and diffusers stumbles
    squared = scheduler.alphas_cumprod[label]
    if float(squared) == 0:
        return None  # no signal at all
    s = ((1 - squared) / squared).sqrt()
    y = noise * (s.square() + 1).sqrt()
    x = y * squared.sqrt()
    step = partial_step(scheduler, label, x)
    return Point(s, y, x, label.double(), step)


def partial_step(scheduler: Any, label: Any, x: Tensor) -> Callable[[Tensor], Tensor]:
    def denoised(out: Tensor) -> Tensor:
        result: Tensor = scheduler.step(out, label, x).pred_original_sample
        return result

    return denoised


def of_pndm(scheduler: Any, i: int, noise: Tensor) -> Point | None:
    """PNDM: its step to the very end, where squared alpha is 1, gives x_0."""
    point = of_alphas(scheduler, i, noise)
    if point is None:
        return None
    scheduler.final_alpha_cumprod = torch.tensor(1.0).double()
    label = int(point.label)

    def denoised(out: Tensor) -> Tensor:
        result: Tensor = scheduler._get_prev_sample(point.x, label, -1, out)
        return result

    return Point(point.s, point.y, point.x, point.label, denoised)


def label_of(scheduler: Any, sigma: Tensor, told: Tensor) -> Tensor:
    """diffusers' own label of a sigma, before some of its schedulers round or cut it off."""
    squared = scheduler.alphas_cumprod.numpy()
    logs = np.log(((1 - squared) / squared) ** 0.5)
    # EulerAncestral has none of its own, and interpolates sigma itself between whole labels.
    place = scheduler if hasattr(scheduler, "_sigma_to_t") else diffusers.EulerDiscreteScheduler()
    label = torch.from_numpy(np.asarray(place._sigma_to_t(sigma.double().numpy(), logs)))
    assert abs(float(label) - float(told)) <= 1.001
    return label


def of_sigmas(scheduler: Any, i: int, noise: Tensor) -> Point:
    """Euler, Heun, LMS and the like: y, which they scale themselves."""
    name = type(scheduler).__name__
    if name.startswith(("Heun", "KDPM2", "DPMSolverSDE")):
        i = 2 * i if i else 0  # between lie the second halves of steps
    told, sigma = scheduler.timesteps[i], scheduler.sigmas[i].double()
    y = noise * (sigma.square() + 1).sqrt()
    continuous = getattr(scheduler.config, "timestep_type", "") == "continuous"
    if continuous and scheduler.config.prediction_type == "v_prediction":
        label = told.double()
    else:
        label = label_of(scheduler, sigma, told)
    # Where two steps have one label, diffusers would look for the wrong one of them.
    scheduler._step_index = i
    x = scheduler.scale_model_input(y, told)
    scheduler.noise_sampler = lambda *_: torch.zeros_like(y)
    return Point(sigma, y, x, label, partial_step(scheduler, told, y))


def of_conversion(scheduler: Any, i: int, noise: Tensor) -> Point:
    """DPM-Solver, UniPC, DEIS, SA-Solver: x_t, and x_0 or eps of the answer."""
    sigma, told = scheduler.sigmas[i].double(), scheduler.timesteps[i]
    flow = bool(getattr(scheduler.config, "use_flow_sigmas", False))
    alpha, deviation = scheduler._sigma_to_alpha_sigma_t(sigma)
    x = noise
    if flow:
        label = sigma * scheduler.config.num_train_timesteps
        assert abs(float(label) - float(told)) <= 1.001
    else:
        label = label_of(scheduler, sigma, told)
    scheduler._step_index = i

    def denoised(out: Tensor) -> Tensor:
        # Of learned variances it takes three channels, however many there are.
        result: Tensor = scheduler.convert_model_output(out[:, : x.shape[1]], sample=x)
        gives_x0 = getattr(scheduler, "predict_x0", "++" in str(_algorithm(scheduler)))
        return result if gives_x0 else (x - deviation * result) / alpha

    return Point(deviation / alpha, x / alpha, x, label, denoised)


def _algorithm(scheduler: Any) -> str:
    return str(getattr(scheduler.config, "algorithm_type", ""))


def of_edm(scheduler: Any, i: int, noise: Tensor) -> Point:
    """EDM's preconditioning."""
    told, sigma = scheduler.timesteps[i], scheduler.sigmas[i].double()
    y = noise * (sigma.square() + scheduler.config.sigma_data**2).sqrt()
    scheduler._step_index = i
    x = scheduler.scale_model_input(y, told)
    return Point(
        sigma, y, x, told.double(), lambda out: scheduler.precondition_outputs(y, out, sigma)
    )


def of_flow(scheduler: Any, i: int, noise: Tensor) -> Point:
    """Flow matching: its step to sigma = 0 gives x_0."""
    j = 2 * i if "Heun" in type(scheduler).__name__ and i else i
    told, sigma = scheduler.timesteps[j], scheduler.sigmas[j].double()
    if float(sigma) == 1:
        sigma = torch.tensor(0.75).double()
        scheduler.sigmas[j], scheduler.timesteps[j] = sigma, 750.0
        told = scheduler.timesteps[j]
    scheduler._step_index = j
    scheduler.sigmas[j + 1] = 0.0
    label = sigma * scheduler.config.num_train_timesteps

    def denoised(out: Tensor) -> Tensor:
        result: Tensor = scheduler.step(out, told, noise).prev_sample
        return result

    return Point(sigma / (1 - sigma), noise / (1 - sigma), noise, label, denoised)


def of_ve(scheduler: Any, i: int, noise: Tensor) -> Point:
    """VE: its step to sigma = 0 gives x_0, of images in [0, 1]."""
    scheduler.set_sigmas(len(scheduler.timesteps))
    time = scheduler.timesteps[i]
    sigma = scheduler.discrete_sigmas[(time * (len(scheduler.timesteps) - 1)).long()].double()
    scheduler.get_adjacent_sigma = lambda timesteps, t: torch.zeros_like(t)
    x = 0.5 + noise * (sigma.square() + 0.25).sqrt()

    def denoised(out: Tensor) -> Tensor:
        return 2 * scheduler.step_pred(out, time, x).prev_sample_mean - 1

    return Point(2 * sigma, 2 * x - 1, x, sigma, denoised)


FAMILIES: dict[str, Callable[[Any, int, Tensor], Point | None]] = {
    "DDPM": of_alphas,
    "DDIM": of_alphas,
    "PNDM": of_pndm,
    "DPMSolverSDE": of_sigmas,
    "DPMSolver": of_conversion,
    "UniPC": of_conversion,
    "DEIS": of_conversion,
    "SASolver": of_conversion,
    "EDM": of_edm,
    "FlowMatch": of_flow,
    "ScoreSdeVe": of_ve,
    "LMS": of_sigmas,
    "Euler": of_sigmas,
    "Heun": of_sigmas,
    "KDPM2": of_sigmas,
}


def refusal_of(model: DiffusersUnet) -> str:
    """What the plan says against a model; empty: nothing."""
    try:
        model.contents()
    except BenchError as error:
        return str(error)
    return ""


def compared(seed: int, folder: Path) -> float | None:
    """The largest error of D in units of the largest D (at least 1); None: it is refused.

    Raises:
        AssertionError: another number, or a refusal that does not say which key.
    """
    case = draw(seed)
    network = written(case, folder)
    classes = bool(case.unet.get("num_class_embeds"))
    model = DiffusersUnet(path=str(folder), label=1 if classes else None)
    refusal = refusal_of(model)
    if refusal:
        named = re.search(r"config\.json: (\w+)", refusal)
        assert named is not None, refusal
        assert named[1] in SCHEDULER_KEYS.names() | UNET_KEYS.names(), refusal
        return None
    loaded = model.load(CPU, torch.float64)  # what the plan lets pass can be loaded
    labels = torch.ones(2, dtype=torch.long) if classes else None
    worst = 0.0
    for point in points(case, loaded.shape):
        with torch.no_grad():
            raw = network(point.x, point.label, class_labels=labels).sample
            wanted = point.denoised(raw)
            found = loaded.alike()(point.y, point.s)
        scale = max(1.0, float(wanted.abs().max()))
        worst = max(worst, float((found - wanted).abs().max()) / scale)
    assert worst <= NEAR, f"seed {seed}: D is off by {worst:.2g}"
    return worst


def errors_of(seeds: range, folder: Path) -> list[float]:
    """The errors of the configurations that are not refused."""
    logger = diffusers.utils.logging
    before = logger.get_verbosity()
    logger.set_verbosity_error()  # it warns of keys that it does not know
    try:
        found = [compared(seed, folder / str(seed)) for seed in seeds]
    finally:
        logger.set_verbosity(before)
    return [error for error in found if error is not None]


@pytest.mark.parametrize("block", range(6))
def test_random_configurations_agree_or_are_refused(block: int, tmp_path: Path) -> None:
    errors = errors_of(range(10 * block, 10 * block + 10), tmp_path)
    assert len(errors) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_five_hundred_configurations_agree_or_are_refused(block: int, tmp_path: Path) -> None:
    errors = errors_of(range(50 * block, 50 * block + 50), tmp_path)
    assert len(errors) > 20  # else it would test refusals alone


def test_every_scheduler_that_is_read_is_compared() -> None:
    drawn = {draw(seed).scheduler["_class_name"] for seed in range(500)}
    assert drawn == {*SCHEDULERS, *REFUSED}
