"""The noise levels of diffusers' schedulers: where each evaluates, and what its state is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

State = Literal["vp", "ve", "flow"]


@dataclass(frozen=True, eq=False)
class Levels:
    """Noise-to-signal ratios s of a scheduler, after its `set_timesteps`.

    Attributes:
        asked: of each evaluation, float64, in order; infinite where x is noise alone.
        steps: the points between which it steps, repetitions included; its end is the last, 0
            where it ends in x_0.
    """

    asked: Tensor
    steps: Tensor


@dataclass(frozen=True)
class Dialect:
    """A scheduler's conventions.

    Attributes:
        state: `vp`: x = (x_0 + s eps) / sqrt(1 + s^2); `ve`: x = x_0 + s eps; `flow`:
            x = (x_0 + s eps) / (1 + s).
        levels: reads them from the scheduler.
        prediction: that it takes, where its configuration does not say.
        edm: its network has EDM's preconditioning.
        told_next: `step` is told the next timestep.
    """

    state: State
    levels: Callable[[Any], Levels]
    prediction: str = ""
    edm: bool = False
    told_next: bool = False

    def state_of(self, scheduler: Any) -> State:
        """The state, which flow matching's levels change."""
        return "flow" if scheduler.config.get("use_flow_sigmas") else self.state

    def prediction_of(self, scheduler: Any) -> str:
        """The prediction that `step` takes for the network's output."""
        name = self.prediction or str(scheduler.config.prediction_type)
        return f"edm_{name}" if self.edm else name


def _of_sigmas(scheduler: Any) -> Levels:
    sigmas = scheduler.sigmas.double().cpu()
    return Levels(sigmas[: len(scheduler.timesteps)], sigmas)


def _of_either(scheduler: Any) -> Levels:
    """Multistep schedulers: s, or flow matching's sigma."""
    return _of_flow(scheduler) if scheduler.config.get("use_flow_sigmas") else _of_sigmas(scheduler)


def _of_flow(scheduler: Any) -> Levels:
    found = _of_sigmas(scheduler)
    return Levels(found.asked / (1 - found.asked), found.steps / (1 - found.steps))


def _of_middles(scheduler: Any) -> Levels:
    """KDPM2: every second evaluation is at the middle of the step that it belongs to."""
    found = _of_sigmas(scheduler)
    asked, middles = found.asked.clone(), scheduler.sigmas_interpol.double().cpu()
    asked[1::2] = middles[1 : len(asked) : 2]
    return Levels(asked, found.steps)


def _of_ancestral_middles(scheduler: Any) -> Levels:
    """The same, of half a step down."""
    found = _of_sigmas(scheduler)
    asked, middles = found.asked.clone(), scheduler.sigmas_interpol.double().cpu()
    asked[1::2] = middles[: len(asked) - 1 : 2]
    return Levels(asked, found.steps)


def _of_geometric_middles(scheduler: Any) -> Levels:
    """DPM-Solver++ SDE: the middle in ln s."""
    found = _of_sigmas(scheduler)
    asked = found.asked.clone()
    asked[1::2] = (found.steps[: len(asked) - 1 : 2] * found.steps[1 : len(asked) : 2]).sqrt()
    return Levels(asked, found.steps)


def _of_table(end: Callable[[Any], float]) -> Callable[[Any], Levels]:
    """Timesteps that point into a table; ``end`` is alpha^2 where the last step leads."""

    def levels(scheduler: Any) -> Levels:
        squares = scheduler.alphas_cumprod[scheduler.timesteps.cpu().long()].double()
        last = torch.tensor([float(end(scheduler))], dtype=torch.float64)
        asked = ((1 - squares) / squares).sqrt()
        return Levels(asked, torch.cat([asked, ((1 - last) / last).sqrt()]))

    return levels


def _of_angles(scheduler: Any) -> Levels:
    """IPNDM: x = alpha x_0 + beta eps on the circle."""
    steps = (scheduler.betas / scheduler.alphas).double().cpu()
    steps[scheduler.alphas == 0] = math.inf
    return Levels(steps[: len(scheduler.timesteps)], steps)


_FINAL = _of_table(lambda scheduler: scheduler.final_alpha_cumprod)
_TO_DATA = _of_table(lambda _: 1.0)
_TO_FIRST = _of_table(lambda scheduler: scheduler.alphas_cumprod[0])

DIALECTS: Mapping[str, Dialect] = {
    "CogVideoXDDIMScheduler": Dialect("vp", _FINAL),
    "CosineDPMSolverMultistepScheduler": Dialect("ve", _of_sigmas, edm=True),
    "DDIMParallelScheduler": Dialect("vp", _FINAL),
    "DDIMScheduler": Dialect("vp", _FINAL),
    "DDPMParallelScheduler": Dialect("vp", _TO_DATA),
    "DDPMScheduler": Dialect("vp", _TO_DATA),
    "DEISMultistepScheduler": Dialect("vp", _of_either),
    "DPMSolverMultistepScheduler": Dialect("vp", _of_either),
    "DPMSolverSDEScheduler": Dialect("ve", _of_geometric_middles),
    "DPMSolverSinglestepScheduler": Dialect("vp", _of_either),
    "EDMDPMSolverMultistepScheduler": Dialect("ve", _of_sigmas, edm=True),
    "EDMEulerScheduler": Dialect("ve", _of_sigmas, edm=True),
    "EulerAncestralDiscreteScheduler": Dialect("ve", _of_sigmas),
    "EulerDiscreteScheduler": Dialect("ve", _of_sigmas),
    "FlowMatchEulerDiscreteScheduler": Dialect("flow", _of_flow, "flow_prediction"),
    "FlowMatchHeunDiscreteScheduler": Dialect("flow", _of_flow, "flow_prediction"),
    "FlowMatchLCMScheduler": Dialect("flow", _of_flow, "flow_prediction"),
    "HeunDiscreteScheduler": Dialect("ve", _of_sigmas),
    "IPNDMScheduler": Dialect("vp", _of_angles, "v_prediction"),
    "KDPM2AncestralDiscreteScheduler": Dialect("ve", _of_ancestral_middles),
    "KDPM2DiscreteScheduler": Dialect("ve", _of_middles),
    "LCMScheduler": Dialect("vp", _TO_DATA),
    "LMSDiscreteScheduler": Dialect("ve", _of_sigmas),
    "LTXEulerAncestralRFScheduler": Dialect("flow", _of_flow, "flow_prediction"),
    "PNDMScheduler": Dialect("vp", _FINAL),
    "SASolverScheduler": Dialect("vp", _of_either),
    "TCDScheduler": Dialect("vp", _TO_FIRST),
    "UnCLIPScheduler": Dialect("vp", _TO_DATA, told_next=True),
    "UniPCMultistepScheduler": Dialect("vp", _of_either),
}
"""Those that sample a continuous state from noise with nothing but a network."""

REFUSED: Mapping[str, str] = {
    "AmusedScheduler": "samples tokens",
    "BlockRefinementScheduler": "samples tokens",
    "CMStochasticIterativeScheduler": "is for consistency models, not for denoisers",
    "CogVideoXDPMScheduler": "is handed its last prediction by its own pipeline",
    "ConsistencyDecoderScheduler": "is for consistency models, not for denoisers",
    "DDIMInverseScheduler": "goes from data to noise",
    "DDPMWuerstchenScheduler": "has a continuous schedule of its own for one pipeline",
    "DPMSolverMultistepInverseScheduler": "goes from data to noise",
    "DiscreteDDIMScheduler": "samples tokens",
    "EntropyBoundScheduler": "samples tokens",
    "FlowMapEulerDiscreteScheduler": "is for flow maps, not for denoisers",
    "HeliosDMDScheduler": "changes the size of the sample between its stages",
    "HeliosScheduler": "changes the size of the sample between its stages",
    "MiniMaxH3Scheduler": "is for one pipeline",
    "PiflowScheduler": "is for networks that give a policy, not a prediction",
    "RFD4ProteinaScheduler": "is for one pipeline",
    "RePaintScheduler": "needs an image and a mask",
    "SCMScheduler": "is for consistency models, not for denoisers",
    "ScoreSdeVeScheduler": "has no `step`, but a predictor and a corrector of its own pipeline",
    "VQDiffusionScheduler": "samples tokens",
}
"""Those that do not, and why."""
