"""Options of every sampler: an analytical first step, limits to D."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

import torch
from torch import Tensor

from bench.core.guidance import Guided
from bench.core.guided import BoundGuidance
from bench.core.papers import paper
from bench.core.plugin import require
from bench.core.rows import Denoiser, RowDenoiser, rows_of

PAPERS = {
    "afs": ("Dockhorn et al. 2022, arXiv:2210.05475", paper("dockhorn2022genie")),
    "clip": ("Ho et al. 2020, arXiv:2006.11239", paper("ho2020denoising")),
    "threshold": ("Saharia et al. 2022, arXiv:2205.11487", paper("saharia2022photorealistic")),
}
"""Reference and BibTeX of each option."""

QUANTILE_ENTRIES = 2**24
"""The most that torch.quantile takes at once."""


@dataclass(frozen=True)
class Denoising:
    """Options of every sampler, which the host carries out.

    Attributes:
        afs: take the first evaluation, at s_max, for that of unit noise without data: eps =
            y / (1 + s^2)^(1/2), which costs nothing (Dockhorn et al. 2022, arXiv:2210.05475,
            analytical first step).
        clip: the D of each evaluation is cut to [-clip, clip], as DDPM does with 1.
        threshold: the D of each evaluation is cut to [-q, q] and divided by q, where q is the
            quantile of this share of |D| of the sample, at least 1: dynamic thresholding of images
            in [-1, 1] (Saharia et al. 2022, arXiv:2205.11487, Section 2.3).
    """

    afs: bool = False
    clip: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        require(self.clip is None or self.clip > 0, "clip must be > 0")
        share = self.threshold
        require(share is None or 0 < share <= 1, "threshold must be a share, > 0 and <= 1")
        require(self.clip is None or share is None, "clip and threshold exclude each other")

    @property
    def changed(self) -> dict[str, Any]:
        """The options that are in use."""
        return {f.name: v for f in fields(self) if (v := asdict(self)[f.name]) != f.default}

    def __str__(self) -> str:
        return ", ".join(k if v is True else f"{k}={v:g}" for k, v in self.changed.items())

    def limit(self, d: Tensor) -> Tensor:
        """``d`` as `clip` or `threshold` leave it."""
        if self.clip is not None:
            return d.clamp(-self.clip, self.clip)
        if self.threshold is None:
            return d
        entries = d.flatten(1).abs()
        parts = entries.split(max(1, QUANTILE_ENTRIES // entries.shape[1]))
        q = torch.cat([part.quantile(self.threshold, dim=1) for part in parts]).clamp(min=1)
        bound = rows_of(q, d)
        return d.clamp(-bound, bound) / bound

    def of(self, model: Denoiser, s_max: float) -> Denoiser:
        """``model`` for a sampler that starts at ``s_max``."""
        if not self.changed:
            return model
        if isinstance(model, BoundGuidance):
            own = {f.name: getattr(model, f.name) for f in fields(model)}
            return _GuidedAndLimited(**own, denoising=self, s_max=s_max)
        return _Limited(model, self, s_max)

    def evaluate(
        self, guide: Callable[[Tensor, Tensor], Guided], y: Tensor, s: Tensor, s_max: float
    ) -> Guided:
        """The D of ``guide``, or the one that is known without it at ``s_max``."""
        if not self.afs:
            return Guided(*map(self.limit, guide(y, s)))
        at_start = s >= s_max * (1 - 1e-6)  # a level that went through float32 is meant, too
        first = at_start.all()
        root = rows_of((1 + s * s).sqrt(), y)
        known = y / (root * (root + rows_of(s, y)))  # y - s eps, without its cancellation
        if first:
            return Guided(self.limit(known), self.limit(known))
        found = guide(y, s)
        chosen = rows_of(at_start.to(y.device), y)
        return Guided(*(self.limit(torch.where(chosen, known, d)) for d in found))


NOTHING = Denoising()
"""The denoiser as it is."""


@dataclass(frozen=True, eq=False)
class _Limited:
    """A denoiser under options of the host."""

    inner: Denoiser
    denoising: Denoising
    s_max: float

    def __call__(self, y: Tensor, s: Tensor) -> Tensor:
        return self.denoising.evaluate(self._guide, y, s, self.s_max).d

    def _guide(self, y: Tensor, s: Tensor) -> Guided:
        d = self.inner(y, s)
        return Guided(d, d)

    def of_rows(self, rows: Tensor) -> Denoiser:
        """The same for the samples with the indices ``rows``."""
        return replace(self, inner=cast(RowDenoiser, self.inner).of_rows(rows))


@dataclass(frozen=True, eq=False)
class _GuidedAndLimited(BoundGuidance):
    """A guided denoiser under options of the host."""

    denoising: Denoising = field(kw_only=True)
    s_max: float = field(kw_only=True)

    def split(self, y: Tensor, s: Tensor) -> Guided:
        return self.denoising.evaluate(super().split, y, s, self.s_max)
