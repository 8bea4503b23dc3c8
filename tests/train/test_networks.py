"""Architectures: sizes, shapes, dtypes, and what preconditioning promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from bench_plugins.metrics.classifier import Classifier, ClassifierConfig
from bench_plugins.models.networks.files import build_network
from bench_plugins.models.networks.mlp import MLPConfig
from bench_plugins.models.networks.precond import EdmDenoiser, Preconditioning
from bench_plugins.models.networks.unet import UNetConfig

SMALL = UNetConfig(image=(2, 8, 12), fine=8, coarse=16, embedding=8, features=4, head=8, group=4)
CONFIGS = [SMALL, MLPConfig(sample=(1, 4, 4), width=8, blocks=2, embedding=8, features=4)]


@pytest.fixture(params=CONFIGS, ids=["unet", "mlp"])
def config(request: pytest.FixtureRequest) -> UNetConfig | MLPConfig:
    assert isinstance(request.param, UNetConfig | MLPConfig)
    return request.param


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _network(config: UNetConfig | MLPConfig) -> nn.Module:
    """With random weights throughout: the zero initialisation would hide most of the network."""
    torch.manual_seed(0)
    network = build_network(config, Preconditioning(0.6, -0.7))
    for parameter in network.parameters():
        parameter.data.normal_(0.0, 0.1)
    return network.eval().requires_grad_(False)


def _shape(config: UNetConfig | MLPConfig) -> tuple[int, ...]:
    return config.image if isinstance(config, UNetConfig) else config.sample


def _batch(config: UNetConfig | MLPConfig, n: int = 5) -> Tensor:
    return torch.randn(n, *_shape(config), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("config", "count"), [(UNetConfig(), 865_380), (MLPConfig(), 171_840)], ids=["unet", "mlp"]
)
def test_parameter_counts(config: UNetConfig | MLPConfig, count: int) -> None:
    assert _parameters(build_network(config, Preconditioning())) == count


def test_shared_and_per_sample_noise_levels_agree(config: UNetConfig | MLPConfig) -> None:
    network, y = _network(config), _batch(config)
    shared = network(y, torch.tensor(0.8))
    assert shared.shape == y.shape
    torch.testing.assert_close(shared, network(y, torch.full((5,), 0.8)))


def test_every_row_has_its_own_noise_level(config: UNetConfig | MLPConfig) -> None:
    network, y = _network(config), _batch(config)
    levels = torch.tensor([0.002, 0.1, 1.0, 10.0, 80.0])
    together = network(y, levels)
    for row, s in enumerate(levels):
        alone = network(y[row : row + 1], s)
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-5, rtol=1e-5)


def test_double_precision(config: UNetConfig | MLPConfig) -> None:
    single, y = _network(config), _batch(config)
    expected = single(y, torch.tensor(0.8))
    double = single.to(torch.float64)(y.double(), torch.tensor(0.8, dtype=torch.float64))
    assert double.dtype is torch.float64
    torch.testing.assert_close(double, expected.double(), atol=1e-5, rtol=1e-5)


def test_input_is_left_alone(config: UNetConfig | MLPConfig) -> None:
    network, y = _network(config), _batch(config)
    before = y.clone()
    network(y, torch.tensor(0.8))
    assert torch.equal(y, before)


def test_little_noise_leaves_the_input_and_much_noise_leaves_the_mean() -> None:
    denoiser = EdmDenoiser(_Zero(), Preconditioning(0.6, -0.7))
    y = torch.linspace(-1, 1, 4)[:, None]
    torch.testing.assert_close(denoiser(y, torch.tensor(1e-4)), y, atol=1e-6, rtol=0)
    far = denoiser(y, torch.tensor(1e4))
    torch.testing.assert_close(far, torch.full_like(y, -0.7), atol=1e-6, rtol=0)


def test_untrained_denoiser_is_exact_for_gaussian_data() -> None:
    # F = 0 leaves c_skip, which for centred data is the posterior mean of N(m, sigma_data^2).
    denoiser = EdmDenoiser(_Zero(), Preconditioning(0.6, -0.7))
    y, s = torch.randn(6, 2), torch.tensor([0.01, 0.1, 0.5, 1.0, 5.0, 50.0])
    slope = (0.36 / (0.36 + s**2))[:, None]
    torch.testing.assert_close(denoiser(y, s), -0.7 + slope * (y + 0.7))


def test_network_sees_unit_variance_and_a_quarter_of_the_logarithm() -> None:
    recorder = _Recorder()
    denoiser = EdmDenoiser(recorder, Preconditioning(0.6, -0.7))
    generator = torch.Generator().manual_seed(0)
    x_0, eps = (torch.randn(20_000, 1, generator=generator) for _ in range(2))
    for s in (0.05, 0.6, 20.0):
        denoiser(-0.7 + 0.6 * x_0 + s * eps, torch.tensor(s))
        x, c_noise = recorder.seen
        assert float(x.std()) == pytest.approx(1.0, abs=0.02)
        assert float(x.mean()) == pytest.approx(0.0, abs=0.03)
        torch.testing.assert_close(c_noise, torch.tensor([s]).log() / 4)


def test_gradients_reach_every_parameter(config: UNetConfig | MLPConfig) -> None:
    network = _network(config).requires_grad_(True)
    network(_batch(config), torch.rand(5) + 0.1).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("config", [UNetConfig(), MLPConfig()], ids=["unet", "mlp"])
@pytest.mark.usefixtures("two_threads")
def test_threads_do_not_change_a_bit(config: UNetConfig | MLPConfig) -> None:
    network, y = _network(config), _batch(config, 64)
    both = network(y, torch.tensor(0.8))
    torch.set_num_threads(1)
    assert torch.equal(network(y, torch.tensor(0.8)), both)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lambda: UNetConfig(image=(1, 30, 28)), "multiples of 4"),
        (lambda: UNetConfig(coarse=72), "must be multiples"),
        (lambda: MLPConfig(width=0), "at least 1"),
        (lambda: Preconditioning(sigma_data=0.0), "must be positive"),
    ],
)
def test_senseless_sizes_are_refused(config: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config()  # type: ignore[operator]


@pytest.mark.parametrize(
    "config", [ClassifierConfig(), ClassifierConfig(8, 17, (16, 32))], ids=["28", "8"]
)
def test_classifier_shapes(config: ClassifierConfig) -> None:
    classifier = Classifier(config).eval().requires_grad_(False)
    images = torch.randint(0, config.levels, (3, 1, config.side, config.side), dtype=torch.uint8)
    features = classifier.features(images)
    assert features.shape == (3, 64)
    assert features.dtype is torch.float32
    assert float(features.min()) >= 0.0
    assert classifier(images).shape == (3, 10)
    assert _parameters(classifier) < 35_000


class _Zero(nn.Module):
    def forward(self, x: Tensor, c_noise: Tensor) -> Tensor:
        return torch.zeros_like(x)


class _Recorder(nn.Module):
    def forward(self, x: Tensor, c_noise: Tensor) -> Tensor:
        self.seen = (x, c_noise)
        return torch.zeros_like(x)
