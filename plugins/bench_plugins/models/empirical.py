"""The empirical distribution of a data set: the ideal denoiser that training aims at."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.api import (
    HELD_OUT,
    BenchError,
    DiscreteData,
    FilePath,
    Model,
    NoiseStream,
    ScoreModel,
    Target,
    load_tensors,
    paper,
    require,
    rows_of,
)


@dataclass(frozen=True, eq=False)
class Points:
    """The uniform distribution on N points, smoothed by noise of any level s.

    Attributes:
        data: (N, d).
        shape: shape of one sample, of product d.
    """

    data: Tensor
    shape: tuple[int, ...]

    def denoise(self, y: Tensor, s: Tensor) -> Tensor:
        """sum_i softmax_i(-|y - x_i|^2 / (2 s^2)) x_i, shape of ``y``.

        Karras et al. 2022, arXiv:2206.00364, Eq. 57.
        """
        logits = self._gaps(y.flatten(1)) / rows_of(s, y).reshape(-1, 1).square()
        return (logits.softmax(1) @ self.data).reshape(y.shape)

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        """Log density in nats of x_0 + s eps at ``y``, shape (n,)."""
        flat = y.flatten(1)
        data = self.data.to(y.device, y.dtype)
        gaps = Points(data, self.shape)._gaps(flat)
        # The distance to the nearest point directly: |y|^2 - 2 y x + |x|^2 cancels at small s.
        nearest = gaps.argmax(1)
        distance = (flat - data[nearest]).square().sum(1)
        rest = ((gaps - gaps.gather(1, nearest[:, None])) / s**2).logsumexp(1)
        d = flat.shape[1]
        normalisation = math.log(len(data)) + d * math.log(s * math.sqrt(2 * math.pi))
        return rest - distance / (2 * s**2) - normalisation

    def sample(self, count: int, seed: int) -> Tensor:
        """``count`` of the points, drawn with replacement, float64."""
        u = NoiseStream(seed, "exact", 0, count, (1,), torch.float64).uniform()[:, 0]
        index = (u * len(self.data)).long().clamp_max(len(self.data) - 1)
        return self.data.cpu().double()[index].reshape(count, *self.shape)

    def _gaps(self, flat: Tensor) -> Tensor:
        """-|y - x_i|^2 / 2 + |y|^2 / 2, which softmax takes for -|y - x_i|^2 / 2; (n, N)."""
        return torch.addmm(self.data.square().sum(1).mul(-0.5), flat, self.data.mT)


@dataclass(frozen=True)
class Empirical(Model):
    """The ideal denoiser of a finite data set, in closed form.

    Its ODE memorises: samples are data points. It is as stiff as a score can be, and exact.

    Attributes:
        data: ``mnist`` or ``digits`` (the shipped held-out images), or a .safetensors, .npz or
            .npy file whose array ``samples`` holds integer levels (N, *shape).
        levels: number of levels of the data; level k becomes x = (k + 1/2) 2 / levels - 1.
        points: how many of the first data are used; ``None``: all.
        s_min, s_max: the range of noise levels that samplers may use.
    """

    name: ClassVar[str] = "empirical"
    reference: ClassVar[str] = "closed form; Karras et al. 2022, arXiv:2206.00364, Appendix B.3"
    bibtex: ClassVar[str] = paper("karras2022elucidating")

    data: FilePath = "mnist"
    levels: int = 256
    points: int | None = None
    s_min: float = 0.002
    s_max: float = 80.0

    def __post_init__(self) -> None:
        require(self.levels >= 2, "levels must be >= 2")
        require(self.points is None or self.points >= 1, "points must be >= 1")
        require(0 < self.s_min < self.s_max, "0 < s_min < s_max must hold")

    @property
    def _path(self) -> Path:
        return HELD_OUT.get(self.data, Path(self.data))

    def contents(self) -> Mapping[str, str]:
        return {"data": self._digest()}

    def _digest(self) -> str:
        try:
            return hashlib.sha256(self._path.read_bytes()).hexdigest()
        except (OSError, ValueError) as error:  # ValueError: no file name at all, such as "\0"
            reason = error.strerror if isinstance(error, OSError) else error
            raise BenchError(
                f"model 'empirical': data '{self.data}': {reason}; "
                "use mnist, digits or a file of images"
            ) from None

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        images = _images(self._path, self.levels)
        if self.points is not None and self.points > len(images):
            raise BenchError(
                f"model 'empirical': points: {self.points} of the {len(images)} data in "
                f"{self._path} were asked for"
            )
        images = images[: self.points]
        shape = tuple(images.shape[1:])
        flat = (images.double().flatten(1) + 0.5) * (2 / self.levels) - 1
        return ScoreModel(
            denoiser=Points(flat.to(device, dtype), shape).denoise,
            shape=shape,
            s_min=self.s_min,
            s_max=self.s_max,
            weights=self._digest(),
            target=Target(
                self.data,
                exact=Points(flat, shape),
                discrete=DiscreteData(self.levels, partial(_images, self._path, self.levels)),
            ),
        )


def _images(path: Path, levels: int) -> Tensor:
    """The data, whole numbers from 0 to levels - 1, (N, *shape).

    Raises:
        BenchError: the file holds none, or others.
    """
    tensors = load_tensors(path)
    if "samples" not in tensors:
        raise BenchError(f"{path}: holds {', '.join(tensors)}, but no array 'samples'")
    samples = tensors["samples"]
    if samples.ndim < 2 or samples.numel() == 0 or samples.is_complex():
        kind = f"{str(samples.dtype).removeprefix('torch.')} {tuple(samples.shape)}"
        raise BenchError(f"{path}: 'samples' is {kind}, not whole numbers (N, *shape)")
    wide = samples.double()  # torch has no order among numbers of 16 bits without a sign
    if bool((wide != wide.round()).any() | (wide < 0).any() | (wide >= levels).any()):
        raise BenchError(
            f"{path}: 'samples' holds numbers from {float(wide.min()):g} to "
            f"{float(wide.max()):g}, not whole ones from 0 to {levels - 1}; save levels, or set "
            "the parameter levels"
        )
    return samples
