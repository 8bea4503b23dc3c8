"""Flow matching's shifted grid, with a shift for the size of the sample."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, prod
from typing import ClassVar

from bench.api import BenchError, Calibration, NoiseProcess, Time, TimeGrid, require
from bench_plugins.flow.grid import FlowShift
from bench_plugins.flow.papers import ESSER2024SCALING


@dataclass(frozen=True)
class DynamicFlowShift(TimeGrid):
    """``flow_shift`` with shift = e^mu, mu linear in the number of tokens of a sample.

    Larger images need more noise to be hidden by it. mu goes from ``base_shift`` at ``base_tokens``
    to ``max_shift`` at ``max_tokens``, and on along the line outside of them, as in FLUX and in
    diffusers' ``use_dynamic_shifting`` with its exponential shift. A sample of shape (channels,
    height, width) has height x width / patch^2 tokens, one of points a single token. The shape is
    all that the calibration reads: it takes no evaluation.

    Attributes:
        base_shift: mu at ``base_tokens``.
        max_shift: mu at ``max_tokens``.
        base_tokens: 256 in FLUX, an image of 256 x 256.
        max_tokens: 4096 in FLUX, an image of 1024 x 1024.
        patch: pixels of the sample along a token's side; FLUX has 2 pixels of its latent codes.
    """

    name: ClassVar[str] = "flow_shift_dynamic"
    reference: ClassVar[str] = (
        "Esser et al. 2024, arXiv:2403.03206, Section 5.3.2; Black Forest Labs 2024, FLUX.1 (code)"
    )
    bibtex: ClassVar[str] = ESSER2024SCALING
    needs_calibration: ClassVar[bool] = True

    base_shift: float = 0.5
    max_shift: float = 1.15
    base_tokens: int = 256
    max_tokens: int = 4096
    patch: int = 2

    def __post_init__(self) -> None:
        require(1 <= self.base_tokens < self.max_tokens, "1 <= base_tokens < max_tokens must hold")
        require(self.patch >= 1, "patch must be >= 1")

    def calibrate(self, cell: Calibration) -> TimeGrid:
        return FlowShift(exp(self.mu(cell.draw.shape)))

    def mu(self, shape: tuple[int, ...]) -> float:
        """ln of the shift for samples of this shape."""
        tokens = max(1.0, prod(shape[1:]) / self.patch**2)
        share = (tokens - self.base_tokens) / (self.max_tokens - self.base_tokens)
        return self.base_shift + share * (self.max_shift - self.base_shift)

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        raise BenchError(f"grid '{self.name}' must be calibrated first")
