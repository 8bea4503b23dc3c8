"""Curves can be told apart: by many readers, on white paper and on a dark screen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from bench.report.styles import HUES, PAPER, SamplerKind, curve_styles
from bench.results.frame import prepare_frame

Array = npt.NDArray[np.float64]

# Machado, Oliveira & Fernandes 2009: full deficiency, for linear RGB
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color: str) -> Array:
    """Linear RGB of a hex colour."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: Array) -> Array:
    """CIE L*a*b* of linear RGB."""
    x, y, z = XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def contrast(one: str, other: str) -> float:
    """The contrast of two colours after WCAG 2."""
    dark, light = sorted(float(XYZ[1] @ linear(color)) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colors", [[h.light for h in HUES], [h.dark for h in HUES]])
def test_hues_stay_apart_under_colour_vision_deficiencies(vision: str, colors: list[str]) -> None:
    seen = [lab(VISION[vision] @ linear(color)) for color in colors]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 20  # ten just noticeable differences


def test_hues_have_contrast_on_both_papers() -> None:
    for hue in HUES:
        assert contrast(hue.light, PAPER.light) > 3.0
        assert contrast(hue.dark, PAPER.dark) > 4.0


def test_kinds_of_samplers_have_their_line_styles(results: pd.DataFrame) -> None:
    found = curve_styles(prepare_frame(results))
    assert found["ddim"].heading == SamplerKind.ODE.heading
    assert found["rk45"].heading == SamplerKind.ADAPTIVE.heading
    assert found["ancestral"].heading == SamplerKind.STOCHASTIC.heading
    patterns = [pattern for kind in SamplerKind for pattern in kind.patterns]
    assert len(set(patterns)) == len(patterns)


def test_an_ode_solver_with_a_corrector_is_stochastic(results: pd.DataFrame) -> None:
    corrected = results[results["sampler"].eq("heun")].assign(corrector="langevin")
    assert curve_styles(prepare_frame(corrected))["heun"].heading == SamplerKind.STOCHASTIC.heading


def test_no_two_of_many_curves_look_alike(results: pd.DataFrame) -> None:
    one = results[results["sampler"].eq("heun")].iloc[:1]
    many = pd.concat([one.assign(sampler=f"s{i:02d}") for i in range(80)], ignore_index=True)
    found = curve_styles(prepare_frame(many)).values()
    assert len({(style.color, style.marker) for style in found}) == 80
    # another round of hues has other dashes, for who does not see the markers
    assert len({(style.color, style.dashes) for style in list(found)[:24]}) == 24
    assert [style.number for style in found] == list(range(80))
