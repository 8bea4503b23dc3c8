"""The Frechet distance against torch-fidelity and scipy, and its streamed moments."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from bench.api import Batch, Draw, Moments, Sampler, Trial, frechet_distance, root_factor
from bench_plugins.ddim.ddim import DDIM
from bench_plugins.edm.process import EDM
from bench_plugins.metrics.extractors import extractor
from bench_plugins.metrics.fd import DigitsFrechet
from bench_plugins.models.pretrained import DigitsMlp


def _gaussians(d: int, rank: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    factors = torch.randn(2, d, rank, generator=generator, dtype=torch.float64)
    means = torch.randn(2, d, generator=generator, dtype=torch.float64)
    covariances = factors @ factors.mT / rank
    return means[0], covariances[0], means[1], covariances[1]


def _fidelity(m1: Tensor, c1: Tensor, m2: Tensor, c2: Tensor) -> float:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    one, two = ({"mu": m.numpy(), "sigma": c.numpy()} for m, c in ((m1, c1), (m2, c2)))
    return float(fid_statistics_to_metric(one, two, False)[KEY_METRIC_FID])


def _scipy(m1: Tensor, c1: Tensor, m2: Tensor, c2: Tensor) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = scipy.linalg.sqrtm(c1.numpy() @ c2.numpy())
    return float((m1 - m2).square().sum() + c1.trace() + c2.trace()) - 2 * float(root.trace().real)


@pytest.mark.parametrize(("d", "seed"), [(1, 0), (2, 1), (16, 2), (64, 3)])
def test_equals_torch_fidelity_and_scipy(d: int, seed: int) -> None:
    gaussians = _gaussians(d, 2 * d + 1, seed)
    value = frechet_distance(*gaussians)
    assert value == pytest.approx(_fidelity(*gaussians), rel=1e-9)
    assert value == pytest.approx(_scipy(*gaussians), rel=1e-9)


@pytest.mark.parametrize("rank", [1, 5, 31])
def test_equals_torch_fidelity_for_singular_covariances(rank: int) -> None:
    # Roots of eigenvalues that should be zero and are 1e-16: 1e-8 each is lost by any method.
    gaussians = _gaussians(32, rank, rank)
    assert frechet_distance(*gaussians) == pytest.approx(_fidelity(*gaussians), rel=1e-5)


def _features(n: int, d: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    scales = torch.logspace(0, -4, d, dtype=torch.float64)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) * scales + seed


def _by_singular_values(x: Tensor, y: Tensor) -> float:
    """The trace of the root is the sum of the singular values of Xc Yc^T, scaled: no squares."""
    a, b = ((z - z.mean(0)) / math.sqrt(len(z) - 1) for z in (x, y))
    root_trace = torch.linalg.svdvals(a @ b.mT).sum()
    gap = (x.mean(0) - y.mean(0)).square().sum()
    return float(gap + a.square().sum() + b.square().sum() - 2 * root_trace)


@pytest.mark.parametrize(("n", "m"), [(20, 30), (90, 20), (20, 90), (200, 300)])
def test_knows_the_rank_of_few_features(n: int, m: int) -> None:
    # Without it, and in torch-fidelity, roots of round-off add up to 1e-9 of the traces and more.
    x, y = _features(n, 64, 0), _features(m, 64, 0) * 1.01
    one, two = Moments.of(x), Moments.of(y)
    rank = min(one.rank, two.rank)
    assert rank == min(n - 1, m - 1, 64)
    value = frechet_distance(one.mean, one.covariance, two.mean, two.covariance, rank=rank)
    trace = float(one.covariance.trace())
    assert value == pytest.approx(_by_singular_values(x, y), abs=1e-12 * trace)


@pytest.mark.parametrize("rank", [1, 5, 31, 32])
def test_the_factor_of_a_covariance_gives_it_back(rank: int) -> None:
    _, covariance, *_ = _gaussians(32, rank, rank)
    factor = root_factor(covariance)
    torch.testing.assert_close(factor @ factor.mT, covariance, rtol=1e-10, atol=1e-12)
    assert factor.shape[1] >= rank


def test_a_known_factor_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    m1, c1, m2, c2 = _gaussians(16, 40, 1)
    known, factor = frechet_distance(m1, c1, m2, c2), root_factor(c1)
    monkeypatch.setattr("bench.core.frechet.root_factor", None)
    assert frechet_distance(m1, c1, m2, c2, factor_1=factor) == known


def test_is_zero_on_itself_and_symmetric() -> None:
    m1, c1, m2, c2 = _gaussians(32, 70, 0)
    assert frechet_distance(m1, c1, m1, c1) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(m1, c1, m2, c2) == pytest.approx(frechet_distance(m2, c2, m1, c1))


def test_of_commuting_covariances_by_hand() -> None:
    m, zero = torch.tensor([3.0, 4.0]).double(), torch.zeros(2).double()
    one, four = torch.eye(2).double(), 4 * torch.eye(2).double()
    assert frechet_distance(m, one, zero, four) == pytest.approx(25 + 2 * (1 - 2) ** 2)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_streamed_moments_equal_numpys_at_any_offset(offset: float) -> None:
    x = torch.randn(1000, 8, generator=torch.Generator().manual_seed(0)).double() + offset
    moments = Moments.of(x[:7])
    for part in x[7:].split(64):
        moments = moments.merge(Moments.of(part))
    assert moments.count == 1000
    np.testing.assert_allclose(moments.mean, x.numpy().mean(0), rtol=1e-12)
    # The data themselves carry 1e-16 of the offset.
    tolerance = 1e-13 + 1e-14 * offset
    np.testing.assert_allclose(moments.covariance, np.cov(x.numpy().T), atol=tolerance)


# fd_digits


@pytest.fixture(scope="module")
def trial() -> Trial:
    """The digits model; its samples are handed in by the tests."""
    model = DigitsMlp().load(torch.device("cpu"), torch.float32)
    process = EDM()
    times = (process.at_s(80.0), process.at_s(0.002))
    draw = Draw(0, 320, 64, model.shape)
    return Trial(model, process, Sampler(DDIM()), times, draw)


def _images(trial: Trial) -> Tensor:
    discrete = trial.model.target.discrete
    assert discrete is not None
    return discrete.held_out()


def _real(trial: Trial) -> Tensor:
    """The held-out images as real numbers in the middle of their levels."""
    discrete = trial.model.target.discrete
    assert discrete is not None
    return (_images(trial).float() + 0.5) * (2 / discrete.levels) - 1


def _fd(trial: Trial, x: Tensor, batch: int) -> float:
    accumulator = DigitsFrechet().start(trial)
    for first in range(0, len(x), batch):
        accumulator.add(Batch(first, x[first : first + batch]))
    (number,) = accumulator.result()
    assert number.n == len(x)
    assert len(number.reference) == 64
    return number.value


def test_fd_goes_through_torch_fidelitys_extractor_and_statistics(trial: Trial) -> None:
    from torch_fidelity.metric_fid import (
        KEY_METRIC_FID,
        fid_features_to_statistics,
        fid_statistics_to_metric,
    )
    from torch_fidelity.utils import create_feature_extractor

    made = create_feature_extractor("scorebench-digits", ["features"], cuda=False, verbose=False)
    images = _images(trial)[:320]
    (features,) = made(images)
    mean, covariance = _known()
    reference = {"mu": mean.numpy(), "sigma": covariance.numpy()}
    found = fid_statistics_to_metric(
        fid_features_to_statistics(features.double()), reference, False
    )
    value = _fd(trial, _real(trial)[:320], 64)
    assert value == pytest.approx(found[KEY_METRIC_FID], rel=1e-5)


def _known() -> tuple[Tensor, Tensor]:
    tensors = DigitsFrechet().moments("reference").tensors
    return tensors["mean"], tensors["covariance"]


def test_fd_does_not_depend_on_the_batch(trial: Trial) -> None:
    x = _real(trial)[:256]
    assert _fd(trial, x, 64) == _fd(trial, x, 128) == _fd(trial, x, 256)


def test_fd_of_equal_samples_is_at_its_closed_form(trial: Trial) -> None:
    same = _real(trial)[:1].expand(64, -1, -1, -1)
    accumulator = DigitsFrechet().start(trial)
    accumulator.add(Batch(0, same))
    (number,) = accumulator.result()
    features = extractor("scorebench-digits", False)(_images(trial)[:1])[0][0].double()
    mean, covariance = _known()
    closed = (features - mean).square().sum() + covariance.trace()
    assert number.value == pytest.approx(float(closed), rel=1e-6)
    assert number.std_error == pytest.approx(0, abs=1e-3)
    assert number.reference_n == 1797


def test_fd_keeps_its_value_without_its_error_bar(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Tensor:
        raise torch.linalg.LinAlgError("failed to converge")

    x = _real(trial)[:128]
    whole = _fd(trial, x, 64)
    monkeypatch.setattr("bench_plugins.metrics.fd.frechet_influence", fails)
    accumulator = DigitsFrechet().start(trial)
    accumulator.add(Batch(0, x))
    (number,) = accumulator.result()
    assert number.value == whole
    assert number.std_error is None
    assert number.note == "no standard error (_LinAlgError: failed to converge)"


def test_fd_of_all_real_digits_is_zero(trial: Trial) -> None:
    sklearn = pytest.importorskip("sklearn.datasets")
    data = torch.from_numpy(sklearn.load_digits().images).to(torch.uint8)[:, None]
    network = extractor("scorebench-digits", False)
    moments = Moments.of(network(data)[0])
    mean, covariance = _known()
    value = frechet_distance(mean, covariance, moments.mean, moments.covariance)
    assert value == pytest.approx(0, abs=1e-3)
    assert _fd(trial, torch.zeros(256, 1, 8, 8), 64) > 100
