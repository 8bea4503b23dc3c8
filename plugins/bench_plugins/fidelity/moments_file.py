"""Statistics that others computed and published as .npz."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.api import BenchError, file_sha256, first_line


@dataclass(frozen=True)
class Published:
    """Content of such a file: moments in float64, or the features (n, d) in float32."""

    moments: tuple[Tensor, Tensor] | None
    features: Tensor | None


@dataclass(frozen=True)
class MomentsFile:
    """An .npz with ``mu`` and ``sigma`` (EDM, clean-fid, ADM) or ``pool_3`` (score_sde).

    What extractor made it is not written in it: that it was Inception-v3 is the user's claim.
    """

    path: Path

    def digest(self) -> str:
        """sha256 of the file."""
        try:
            return file_sha256(self.path)
        except OSError as error:
            raise BenchError(f"{self.path}: cannot be read ({error.strerror})") from None

    def read(self, dimension: int) -> Published:
        """Read it, for an extractor of ``dimension`` features.

        Raises:
            BenchError: it is damaged, holds Python objects, or something else.
        """
        try:
            with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {k: file[k] for k in ("mu", "sigma", "pool_3") if k in file.files}
                found = ", ".join(file.files)
        except OSError as error:
            raise BenchError(f"{self.path}: cannot be read ({error.strerror or error})") from None
        except Exception as error:  # numpy and zipfile fail on garbage in every way there is
            raise BenchError(
                f"{self.path}: is damaged or no plain .npz ({first_line(error)}); fetch it again"
            ) from None
        for name, array in arrays.items():
            if array.dtype.kind != "f" or not np.isfinite(array).all():
                raise BenchError(f"{self.path}: '{name}' holds other things than finite numbers")
        if {"mu", "sigma"} <= arrays.keys():
            return Published(self._moments(arrays["mu"], arrays["sigma"], dimension), None)
        if "pool_3" in arrays:
            return Published(None, self._features(arrays["pool_3"], dimension))
        raise BenchError(
            f"{self.path}: holds neither `mu` and `sigma` nor `pool_3`, but {found or 'nothing'}"
        )

    def _moments(
        self, mean: np.ndarray, covariance: np.ndarray, dimension: int
    ) -> tuple[Tensor, Tensor]:
        if mean.shape != (dimension,) or covariance.shape != (dimension, dimension):
            raise BenchError(
                f"{self.path}: mu and sigma have shapes {mean.shape} and {covariance.shape}; the "
                f"extractor has {dimension} features"
            )
        mu, sigma = (torch.from_numpy(a.astype(np.float64)) for a in (mean, covariance))
        if not torch.allclose(sigma, sigma.mT, rtol=1e-4, atol=1e-6 * float(sigma.abs().max())):
            raise BenchError(f"{self.path}: sigma is no covariance: it is not symmetric")
        sigma = (sigma + sigma.mT) / 2
        # Positive as far as float32 can tell, in which some were computed.
        slack = 1e-3 * float(sigma.diagonal().abs().max()) + torch.finfo(torch.float64).tiny
        _, failed = torch.linalg.cholesky_ex(sigma + slack * torch.eye(dimension).to(sigma))
        if failed:
            raise BenchError(f"{self.path}: sigma is no covariance: it has negative eigenvalues")
        return mu, sigma

    def _features(self, features: np.ndarray, dimension: int) -> Tensor:
        if features.ndim != 2 or features.shape[1] != dimension or len(features) < 2:
            raise BenchError(
                f"{self.path}: pool_3 has shape {features.shape}; the extractor has {dimension} "
                "features"
            )
        return torch.from_numpy(features.astype(np.float32))
