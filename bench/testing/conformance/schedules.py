"""Checks of noise processes and time grids."""

from __future__ import annotations

from itertools import pairwise

import torch

from bench.core.calibration import Calibration
from bench.core.grid import TimeGrid
from bench.core.model import CountedDenoiser
from bench.core.process import NoiseProcess
from bench.core.sample import Draw
from bench.testing.conformance.finding import demand
from bench.testing.mixture import LineMixture
from bench.testing.plugins import process_of


def _inside(process: NoiseProcess, count: int = 200) -> torch.Tensor:
    """Times within the range, away from its ends by a thousandth."""
    low, high = process.t_min, process.t_max
    margin = 1e-3 * (high - low)
    return torch.linspace(low + margin, high - margin, count, dtype=torch.float64)


def schedules_are_sound(process: NoiseProcess) -> None:
    """alpha and sigma are positive and finite, and the noise grows with t."""
    t = _inside(process)
    alpha, sigma = process.alpha(t), process.sigma(t)
    s = sigma / alpha
    sound = bool(((alpha > 0) & (sigma > 0) & torch.isfinite(s)).all())
    demand(
        sound and bool((s.diff() > 0).all()),
        "alpha, sigma > 0 and sigma/alpha strictly increasing in t",
        f"alpha from {float(alpha.min()):g}, sigma from {float(sigma.min()):g}, smallest increase "
        f"of s {float(s.diff().min()):g}",
        "let t run from data to noise, inside t_min and t_max",
    )
    demand(
        alpha.dtype == sigma.dtype == torch.float64 and alpha.shape == t.shape,
        "elementwise in float64",
        f"{alpha.dtype}, shape {tuple(alpha.shape)} for {tuple(t.shape)}",
        "compute with the tensor that is handed in",
    )


def time_at_is_the_inverse(process: NoiseProcess) -> None:
    """``time_at`` inverts s(t) = sigma/alpha."""
    t = _inside(process)
    back = process.time_at(process.sigma(t) / process.alpha(t))
    gap = float(((back - t) / (process.t_max - process.t_min)).abs().max())
    demand(
        gap < 1e-7,
        "time_at(s(t)) = t",
        f"off by {gap:.1e} of the range",
        "use expm1/log1p forms: differences of numbers near 1 lose digits at small t",
    )


def rates_are_the_derivatives(process: NoiseProcess) -> None:
    """f = (ln alpha)' and g^2 = 2 sigma^2 (ln s)', by central differences."""
    t = _inside(process)
    h = 1e-6 * (process.t_max - process.t_min)
    log_alpha = (process.alpha(t + h).log() - process.alpha(t - h).log()) / (2 * h)
    log_sigma = (process.sigma(t + h).log() - process.sigma(t - h).log()) / (2 * h)
    g2 = 2 * process.sigma(t) ** 2 * (log_sigma - log_alpha)
    f_gap = float((process.f(t) - log_alpha).abs().max() / (1 + log_alpha.abs().max()))
    g_gap = float(((process.g2(t) - g2).abs() / g2.abs()).max())
    demand(
        f_gap < 1e-5 and g_gap < 1e-5,
        "f = (ln alpha)' and g^2 = 2 sigma^2 (ln s)'",
        f"relative errors {f_gap:.1e} and {g_gap:.1e}",
        "leave f and g2 to the base class, which differentiates alpha and sigma",
    )


def grids_are_sound(grid: TimeGrid) -> None:
    """steps + 1 times of strictly falling noise, for 1 to 30 steps under three processes."""
    for name in ("vp", "edm", "rectified_flow"):
        process = process_of(name)
        for steps in range(1, 31):
            times = _calibrate(grid, process, steps).times(process, steps, 0.002, 80.0)
            levels = [time.s for time in times]
            demand(
                len(times) == steps + 1 and all(a > b for a, b in pairwise(levels)),
                "steps + 1 times with strictly falling noise",
                f"{len(times)} times for {steps} steps under {name}",
                "return steps + 1 points from s_max down to s_min",
            )
            if grid.spans:
                demand(
                    abs(levels[0] / 80.0 - 1) < 1e-8 and abs(levels[-1] / 0.002 - 1) < 1e-8,
                    "ends at exactly s_max = 80 and s_min = 0.002",
                    f"{levels[0]:.10g} and {levels[-1]:.10g} under {name} with {steps} steps",
                    "put process.at_s(s_max) and process.at_s(s_min) at the ends",
                )


def _calibrate(grid: TimeGrid, process: NoiseProcess, steps: int) -> TimeGrid:
    draw = Draw(0, 64, 64, (1,), torch.float64)
    model = CountedDenoiser(LineMixture().denoise)
    return grid.calibrate(Calibration(process, model, 0.002, 80.0, steps, draw))
