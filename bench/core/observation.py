"""Observations y = A(x_0) + noise of samples, and the operators A."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from torch import Tensor

from bench.core.errors import UnsupportedError
from bench.core.rows import rows_of


class Operator(ABC):
    """A map A of samples to observations, differentiable, the same for all samples."""

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """A(x), shape (n, m), of ``x`` (n, *shape)."""

    def show(self, value: Tensor) -> Tensor | None:
        """Observations (n, m) as samples (n, *shape) for people to look at; None: no such."""
        return None


class LinearOperator(Operator):
    """A linear map in the basis of its singular vectors: A x = values * coefficients(x).

    With A = U diag(values) V^T the observation is kept as U^T y, which has the same noise: white
    noise is the same in every orthonormal basis. Directions that A does not see have no entry.

    Attributes:
        values: singular values > 0, shape (m,).
    """

    values: Tensor

    @abstractmethod
    def coefficients(self, x: Tensor) -> Tensor:
        """V^T x, shape (n, m), of ``x`` (n, *shape)."""

    @abstractmethod
    def image(self, coefficients: Tensor) -> Tensor:
        """V c, shape (n, *shape), of ``coefficients`` (n, m)."""

    def __call__(self, x: Tensor) -> Tensor:
        return self.coefficients(x) * self.values

    def adjoint(self, value: Tensor) -> Tensor:
        """A^T z, shape (n, *shape), of ``value`` (n, m)."""
        return self.image(value * self.values)

    def pinv(self, value: Tensor) -> Tensor:
        """The pseudo-inverse A^+ z, shape (n, *shape), of ``value`` (n, m)."""
        return self.image(value / self.values)

    def show(self, value: Tensor) -> Tensor | None:
        return self.pinv(value)


@dataclass(frozen=True, eq=False)
class Observation:
    """The observation of each sample of a batch: y = A(x_0) + noise * n, n ~ N(0, I).

    Attributes:
        operator: A.
        value: y, shape (n, m), one row for each sample.
        noise: standard deviation of the noise, >= 0.
    """

    operator: Operator
    value: Tensor
    noise: float

    @property
    def linear(self) -> LinearOperator:
        """The operator.

        Raises:
            UnsupportedError: it is not linear.
        """
        if not isinstance(self.operator, LinearOperator):
            raise UnsupportedError("it needs a linear operator, and the task's is not")
        return self.operator

    def residual(self, x: Tensor) -> Tensor:
        """y - A(x), shape (n, m)."""
        return self.value - self.operator(x)

    def misfit(self, x: Tensor) -> Tensor:
        """||y - A(x)||^2 of each sample, shape (n,)."""
        return self.residual(x).square().sum(1)

    def nearest(self, d: Tensor, variance: Tensor) -> Tensor:
        """E[x_0 | y] if x_0 ~ N(d, variance I): the proximal step of a linear observation.

        Args:
            d: (n, *shape).
            variance: () or (n,), >= 0; as it tends to infinity the result tends to
                d + A^+ (y - A d).
        """
        a = self.linear
        spread = rows_of(variance, self.value) * a.values.square() + self.noise**2
        gain = rows_of(variance, self.value) * a.values / spread
        return d + a.image(gain * self.residual(d))

    def of_rows(self, rows: Tensor) -> Observation:
        """The observations of the samples with the indices ``rows``."""
        return replace(self, value=self.value[rows])
