"""Images against the image that was observed: PSNR and SSIM."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Measurement, UnsupportedError
from bench_plugins.truth.answers import AnswerMetric, Answers, mean_number
from bench_plugins.truth.papers import WANG2004

RANGE = 2.0
"""Of the data: images lie in [-1, 1]."""


class ImageMetric(AnswerMetric):
    """A number of each image beside its truth, both clamped to [-1, 1]; the mean over questions."""

    def check(self, answers: Answers) -> None:
        trial = answers.trial
        if len(trial.model.shape) != 3 or trial.model.target.discrete is None:
            raise UnsupportedError(
                f"{self.name} is of images, and the model samples '{trial.model.target.data}'"
            )
        _ = answers.truth

    def measure(self, answers: Answers) -> Sequence[Measurement]:
        values = self.of_images(answers, answers.x.clamp(-1, 1), answers.truth.clamp(-1, 1))
        return [mean_number(self.name, answers.by_question(lambda r: values[r].mean()), self.unit)]

    @abstractmethod
    def of_images(self, answers: Answers, x: Tensor, truth: Tensor) -> Tensor:
        """The number of each of ``x`` (n, channels, height, width), shape (n,)."""


@dataclass(frozen=True)
class PeakSignalToNoise(ImageMetric):
    """Peak signal-to-noise ratio of each sample to the truth, 10 log10(4 / mse), at most 100 dB.

    The best estimate is the posterior mean, and an exact sample is 3 dB worse: a measure of
    restoration, not of sampling.
    """

    name: ClassVar[str] = "psnr"
    reference: ClassVar[str] = "closed form; Wang et al. 2004, IEEE Trans. Image Process. 13"
    bibtex: ClassVar[str] = WANG2004
    unit: ClassVar[str] = "dB"
    title: ClassVar[str] = "PSNR"
    larger_is_better: ClassVar[bool] = True

    def of_images(self, answers: Answers, x: Tensor, truth: Tensor) -> Tensor:
        mse = (x - truth).flatten(1).square().mean(1)
        return 10 * (RANGE**2 / mse.clamp_min(RANGE**2 * 1e-10)).log10()


@dataclass(frozen=True)
class StructuralSimilarity(ImageMetric):
    """Structural similarity of each sample to the truth, the mean over pixels and channels.

    Gaussian window of 11 x 11 with standard deviation 1.5, wherever it fits into the image;
    K1 = 0.01, K2 = 0.03, data range 2.
    """

    name: ClassVar[str] = "ssim"
    reference: ClassVar[str] = "Wang et al. 2004, IEEE Trans. Image Process. 13, Eq. 13"
    bibtex: ClassVar[str] = WANG2004
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "SSIM"
    larger_is_better: ClassVar[bool] = True

    def check(self, answers: Answers) -> None:
        super().check(answers)
        if min(answers.trial.model.shape[1:]) < WINDOW:
            raise UnsupportedError(
                f"{self.name} looks through windows of {WINDOW} pixels, and the images are smaller"
            )

    def of_images(self, answers: Answers, x: Tensor, truth: Tensor) -> Tensor:
        return structural_similarity(x, truth)


WINDOW = 11
_STD, _K1, _K2 = 1.5, 0.01, 0.03


def structural_similarity(x: Tensor, y: Tensor) -> Tensor:
    """SSIM of images (n, channels, height, width) of data range 2, shape (n,)."""
    one, other = _local(x), _local(y)
    variance, variance_y = _local(x * x) - one * one, _local(y * y) - other * other
    covariance = _local(x * y) - one * other
    c1, c2 = (_K1 * RANGE) ** 2, (_K2 * RANGE) ** 2
    means = (2 * one * other + c1) / (one * one + other * other + c1)
    rest = (2 * covariance + c2) / (variance + variance_y + c2)
    return (means * rest).flatten(1).mean(1)


def _local(x: Tensor) -> Tensor:
    """Weighted means of the windows that fit into the image."""
    at = torch.arange(WINDOW, dtype=x.dtype) - WINDOW // 2
    weights = torch.exp(-0.5 * (at / _STD).square())
    weights = (weights / weights.sum()).expand(x.shape[1], 1, 1, WINDOW)
    across = functional.conv2d(x, weights, groups=x.shape[1])
    return functional.conv2d(across, weights.mT, groups=x.shape[1])
