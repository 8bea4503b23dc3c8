"""Noise of a network, by its scheduler's record: time label, input and prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from bench_plugins.checkpoints.levels import LevelTable
from bench_plugins.checkpoints.predictions import Prediction
from bench_plugins.checkpoints.unet2d.betas import FROM_ENDS, betas_of, table_of
from bench_plugins.checkpoints.unet2d.foreign import known_scheduler
from bench_plugins.checkpoints.unet2d.keys import LEFT_OUT
from bench_plugins.checkpoints.unet2d.schedulers import Scheduler
from bench_plugins.checkpoints.unet2d.values import Values

Kind = Literal["table", "continuous", "flow", "edm", "ve"]

_PREDICTIONS: dict[str, Prediction] = {
    "epsilon": "eps",
    "sample": "x0",
    "original_sample": "x0",
    "v_prediction": "v",
    "flow_prediction": "velocity",
}
_OTHER_SIGMAS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")
_MOST = 1e9


@dataclass(frozen=True)
class Noise:
    """Noise that a network was trained with, by its scheduler's record.

    Attributes:
        scheduler: the class of the scheduler.
        kind: `table`: x_t of variance-preserving noise and a label of a table; `continuous`: the
            same, and ln(s) / 4 as label; `flow`: x_t = (1 - sigma) x_0 + sigma eps and
            ``factor`` sigma as label; `edm`: EDM's preconditioning; `ve`: a score of images in
            [0, 1] with sigma as label.
        prediction: what the network gives; of `edm` `eps`, or `v` where its sign is turned.
        s_range: the noise-to-signal ratios that it knows, of images in [-1, 1].
        table: of `table`: the trained levels.
        factor: of `flow`: what sigma is multiplied by.
        sigma_data: of `edm`.
        learned: whether the network gives variances too.
        left_out: what of the record is not followed, as it is the scheduler's own.
    """

    scheduler: str
    kind: Kind
    prediction: Prediction
    s_range: tuple[float, float]
    table: LevelTable | None = None
    factor: int = 1000
    sigma_data: float = 0.5
    learned: bool = False
    left_out: tuple[str, ...] = ()


def noise_of(record: Mapping[str, object], place: str) -> Noise:
    """Noise that a scheduler_config.json describes.

    Raises:
        BenchError: names the scheduler, key or value that cannot be honoured, and what to do.
    """
    name, known = known_scheduler(record, place)
    return _MAKERS[known.noise](Values(record, place), name, known)


def _left_out(record: Mapping[str, object], *further: str) -> tuple[str, ...]:
    """The keys of the scheduler's own steps that are not off, with their values."""
    said = sorted(key for key in record if key in LEFT_OUT or key in further)
    off = (None, False)
    return tuple(
        f"{key}: {str(record[key])[:40]}"
        for key in said
        if not any(record[key] is value for value in off)
    )


def _betas(values: Values, name: str, known: Scheduler) -> Noise:
    prediction = _prediction(values, name, known.predictions)
    learned = "variance_type" in known.own and _learns_variances(values)
    if "use_flow_sigmas" in known.own and values.flag("use_flow_sigmas"):
        return _flow_sigmas(values, name, prediction, learned)
    if prediction == "velocity":
        raise values.error(
            "prediction_type", "flow_prediction goes with use_flow_sigmas: true alone"
        )
    table = _table(values, name, known)
    if "interpolation_type" in known.own:
        return _euler(values, name, prediction, table)
    return Noise(
        name,
        "table",
        prediction,
        table.s_range,
        table,
        learned=learned,
        left_out=_left_out(values.record, "sigma_min", "sigma_max"),
    )


def _euler(values: Values, name: str, prediction: Prediction, table: LevelTable) -> Noise:
    kind = values.choice("timestep_type", ("discrete", "continuous"), "discrete", True)
    way = values.choice("interpolation_type", ("linear", "log_linear"), "linear")
    continuous = kind == "continuous" and prediction == "v"
    if way == "log_linear" and not continuous and not any(map(values.flag, _OTHER_SIGMAS)):
        raise values.error(
            "interpolation_type",
            "log_linear gives labels that do not belong to their noise levels; write linear",
        )
    if not continuous:
        left_out = _left_out(values.record, "sigma_min", "sigma_max")
        return Noise(name, "table", prediction, table.s_range, table, left_out=left_out)
    low, high = table.s_range
    ends = (values.positive("sigma_min", low, True), values.positive("sigma_max", high, True))
    return Noise(name, "continuous", "v", _rising(values, ends), left_out=_left_out(values.record))


def _flow_sigmas(values: Values, name: str, prediction: Prediction, learned: bool) -> Noise:
    others = [key for key in (*_OTHER_SIGMAS, "use_lu_lambdas") if values.flag(key)]
    if others and (name, others) != ("UniPCMultistepScheduler", ["use_karras_sigmas"]):
        raise values.error(
            "use_flow_sigmas",
            f"with {others[0]} {name} mixes two kinds of noise; set one of them to false",
        )
    if prediction == "v":
        raise values.error(
            "use_flow_sigmas", "v_prediction has no meaning with it; write flow_prediction"
        )
    return _flow(values, name, prediction, learned)


def _flow(
    values: Values, name: str, prediction: Prediction = "velocity", learned: bool = False
) -> Noise:
    levels = values.count("num_train_timesteps", 1000, 3)
    # sigma from 1 / N to 1 - 1 / N: the s of pure noise is infinite.
    ends = (1 / (levels - 1), float(levels - 1))
    left_out = _left_out(values.record, "sigma_min", "sigma_max")
    return Noise(name, "flow", prediction, ends, factor=levels, learned=learned, left_out=left_out)


def _flow_matching(values: Values, name: str, known: Scheduler) -> Noise:
    if values.flag("invert_sigmas"):
        raise values.error("invert_sigmas", "its time runs the other way, which is not known")
    return _flow(values, name)


def _edm(values: Values, name: str, known: Scheduler) -> Noise:
    prediction = _prediction(values, name, known.predictions)
    ends = (values.positive("sigma_min", 0.002), values.positive("sigma_max", 80.0))
    return Noise(
        name,
        "edm",
        prediction,
        _rising(values, ends),
        sigma_data=values.positive("sigma_data", 0.5),
        left_out=_left_out(values.record, "num_train_timesteps"),
    )


def _ve(values: Values, name: str, known: Scheduler) -> Noise:
    ends = (values.positive("sigma_min", 0.01), values.positive("sigma_max", 1348.0))
    low, high = _rising(values, ends)
    # Images in [0, 1]: noise counts double in [-1, 1].
    left_out = _left_out(values.record, "num_train_timesteps")
    return Noise(name, "ve", "score", (2 * low, 2 * high), left_out=left_out)


_MAKERS = {"betas": _betas, "edm": _edm, "flow": _flow_matching, "ve": _ve}


def _rising(values: Values, ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise values.error("sigma_min", f"{ends[0]:g} is not below sigma_max, {ends[1]:g}")
    return ends


def _prediction(values: Values, name: str, known: Sequence[str]) -> Prediction:
    kind = values.record.get("prediction_type", "epsilon")
    if not isinstance(kind, str) or kind not in known:
        raise values.error(
            "prediction_type",
            f"is not known to {name}; it knows {', '.join(known)}",
        )
    return _PREDICTIONS[kind]


def _learns_variances(values: Values) -> bool:
    kinds = ("fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log")
    chosen = values.choice(
        "variance_type", (*kinds, "learned", "learned_range"), "fixed_small", True
    )
    return chosen.startswith("learned")


def _table(values: Values, name: str, known: Scheduler) -> LevelTable:
    levels = values.count("num_train_timesteps", 1000)
    given = values.numbers("trained_betas")
    if given is None:
        schedule = values.choice("beta_schedule", known.schedules, "linear")
        start, end = (
            values.share("beta_start", known.ends[0]),
            values.share("beta_end", known.ends[1]),
        )
        key = "beta_start" if schedule in FROM_ENDS else "beta_schedule"
        betas = betas_of(schedule, levels, (start, end))
    else:
        key, betas = "trained_betas", torch.tensor(given, dtype=torch.float32).double()
        if len(given) != levels:
            raise values.error(
                key,
                f"has {len(given)} entries, but num_train_timesteps is {levels}; write the "
                "same number",
            )
    inner = betas[:-1]
    if not bool((inner > 0).all() and (inner < 1).all() and 0 < betas[-1] <= 1):
        raise values.error(key, "makes betas that are not between 0 and 1")
    rescaled = "rescale_betas_zero_snr" in known.own and values.flag("rescale_betas_zero_snr")
    table = table_of(betas, rescaled, known.last_alpha)
    if len(table.logs) < 2 or not bool(table.logs.diff().gt(0).all()):
        raise values.error(key, "makes noise levels that do not rise; at least two must")
    if not float(table.logs[-1]) < math.log(_MOST):
        raise values.error(key, f"leaves less than 1 / {_MOST:g} of signal at the last level")
    return table
