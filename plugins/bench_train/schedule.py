"""The learning rate over a training: warm-up, plateau, linear decay to zero."""

from __future__ import annotations

from dataclasses import dataclass

from bench.api import BenchError


@dataclass(frozen=True)
class WarmupStableDecay:
    """Factor of the peak learning rate after `done` of `total` images.

    Hu et al. 2024, "MiniCPM" (arXiv:2404.06395), section 4: the plateau does not depend on the
    total, so a training that is resumed before its decay began may be made longer or shorter
    and stays what an uninterrupted one would have been.

    warmup: images over which the rate rises linearly from zero.
    decay: fraction of the total, in [0, 1], over which it falls linearly to zero at the end; 0:
    it never falls, as in score_sde and EDM.
    """

    warmup: int = 50_000
    decay: float = 0.3

    def __post_init__(self) -> None:
        if not (0 <= self.decay <= 1 and self.warmup >= 0):
            raise BenchError(
                f"learning rate: decay {self.decay:g} must be in [0, 1] and warm-up "
                f"{self.warmup} not negative; give --decay and --warmup so"
            )

    def factor(self, done: int, total: int) -> float:
        rise = (done + 1) / (self.warmup + 1)
        fall = (total - done) / (self.decay * total) if self.decay else 1.0
        return max(0.0, min(1.0, rise, fall))
