"""The questions of tasks: of the sample, not of the batch; two splits that share nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from bench.api import (
    CountedDenoiser,
    InverseProblem,
    Question,
    Questions,
    ScoreModel,
    Split,
    Target,
    UnsupportedError,
    guide,
)
from bench.testing.plugins import model_of
from bench_plugins.inverse import ExactPosteriorScore
from bench_plugins.tasks import Classes, Deblurring, Inpainting, PhaseRetrieval, RandomLinear

CPU = torch.device("cpu")
TASKS: list[InverseProblem] = [
    Inpainting(mask="random", draws=5),
    RandomLinear(rows=3, draws=5),
    Deblurring(draws=5),
    PhaseRetrieval(draws=5),
]


@pytest.fixture(scope="module")
def mixture() -> ScoreModel:
    return model_of("random_mixture", dim=8).load(CPU, torch.float64)


@pytest.fixture(scope="module")
def digits() -> ScoreModel:
    return model_of("digits_mlp").load(CPU, torch.float32)


def _ask(task: InverseProblem, model: ScoreModel, first: int = 0, count: int = 40) -> Question:
    return task.pose(model, CPU, torch.float64).of_samples(0, first, count)


def _parts(question: Question) -> tuple[Tensor, Tensor, Tensor]:
    assert question.observation is not None
    assert question.truth is not None
    return question.number, question.observation.value, question.truth


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_question_is_of_the_sample_alone(task: InverseProblem, mixture: ScoreModel) -> None:
    whole = _parts(_ask(task, mixture, 0, 200))
    for first, count in ((0, 1), (0, 7), (3, 1), (4, 2), (63, 5), (64, 64), (199, 1)):
        part = _parts(_ask(task, mixture, first, count))
        for one, other in zip(part, whole, strict=True):
            torch.testing.assert_close(one, other[first : first + count], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_consecutive_samples_share_a_question(task: InverseProblem, mixture: ScoreModel) -> None:
    number, value, truth = _parts(_ask(task, mixture, 0, 20))
    assert number.tolist() == [i // 5 for i in range(20)]
    for rows in (slice(0, 5), slice(15, 20)):
        assert (value[rows] == value[rows][:1]).all()
        assert (truth[rows] == truth[rows][:1]).all()
    assert not (value[4] == value[5]).any()


@pytest.mark.parametrize("seed", [1, 7])
def test_all_seeds_of_a_run_answer_the_same(mixture: ScoreModel, seed: int) -> None:
    questions = RandomLinear().pose(mixture, CPU, torch.float64)
    one, other = questions.of_samples(0, 0, 9), questions.of_samples(seed, 0, 9)
    assert all(map(torch.equal, _parts(one), _parts(other)))


def _truths(model: ScoreModel, split: Split, seed: int = 0, count: int = 100) -> Tensor:
    task = Inpainting(draws=1, split=split, task_seed=seed)
    return _parts(_ask(task, model, 0, count))[2]


@pytest.mark.parametrize("name", ["mixture", "digits"])
def test_splits_share_nothing(name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    one, other = (_truths(model, split) for split in ("test", "validation"))
    gaps = torch.cdist(one.flatten(1), other.flatten(1))
    assert gaps.min() > 0.05
    noise = [
        v - t.flatten(1)[:, : v.shape[1]]
        for v, t in (
            _parts(_ask(Inpainting(draws=1, noise=1.0, split=s), model))[1:]
            for s in ("test", "validation")
        )
        if model.shape == (8,)
    ]
    if noise:
        assert (noise[0] - noise[1]).abs().min() > 0


def test_another_set_of_observations_is_another(mixture: ScoreModel) -> None:
    gaps = torch.cdist(_truths(mixture, "test"), _truths(mixture, "test", seed=1))
    assert gaps.min() > 0.05


def test_held_out_data_are_dealt_to_both_splits(digits: ScoreModel) -> None:
    assert digits.target.discrete is not None
    own = digits.target.discrete.held_out()
    for split, rows in (("test", own[0::2]), ("validation", own[1::2])):
        truth = _truths(digits, split, count=len(rows))  # type: ignore[arg-type]
        assert torch.equal(digits.target.discrete.quantise(truth), rows)
    with pytest.raises(UnsupportedError, match="raise draws, or draw fewer samples"):
        _truths(digits, "test", count=len(own))


def test_a_model_without_data_cannot_be_observed() -> None:
    blank = ScoreModel(lambda y, s: 0 * y, (2,), 0.01, 1.0, "zero", Target("zero"))
    with pytest.raises(UnsupportedError, match="has neither"):
        _ask(Inpainting(), blank)


def test_the_noise_is_of_its_standard_deviation(mixture: ScoreModel) -> None:
    task = RandomLinear(rows=8, noise=0.3, draws=1)
    question = _ask(task, mixture, 0, 4000)
    assert question.observation is not None
    assert question.truth is not None
    noise = question.observation.residual(question.truth) / 0.3
    n = noise.numel()
    assert float(noise.mean()) == pytest.approx(0, abs=4 / math.sqrt(n))
    assert float(noise.var()) == pytest.approx(1, abs=4 * math.sqrt(2 / n))
    # It has nothing to do with what it is the noise of.
    mixed = (noise[:, :, None] * question.truth[:, None, :]).mean(0)
    assert mixed.abs().max() < 5 * question.truth.std() / math.sqrt(4000)


def test_a_random_mask_has_nothing_to_do_with_the_noise(mixture: ScoreModel) -> None:
    """Masks of many seeds against the first noise of each: no entry tells of the other."""
    masks, noises = [], []
    for seed in range(300):
        task = Inpainting(mask="random", draws=1, task_seed=seed, noise=1.0)
        question = _ask(task, mixture, 0, 1)
        assert question.observation is not None
        assert question.truth is not None
        whole = question.observation.linear.pinv(torch.ones(1, 4, dtype=torch.float64))
        masks.append(whole[0])
        noises.append(question.observation.residual(question.truth)[0])
    mask, noise = torch.stack(masks) - 0.5, torch.stack(noises)
    assert ((mask[:, :, None] * noise[:, None, :]).mean(0).abs() < 5 * 0.5 / math.sqrt(300)).all()


def test_a_question_that_is_not_linear_has_no_closed_form(mixture: ScoreModel) -> None:
    """The mixture's posterior is then none, and whoever needs it says so; others go on."""
    questions = PhaseRetrieval().pose(mixture, CPU, torch.float64)
    y, s = torch.ones(4, 8, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)

    def denoise(guidance: ExactPosteriorScore | None) -> Tensor:
        model = guide(mixture, guidance, questions, torch.float64)
        return CountedDenoiser(model.denoiser).of_samples(0, 0, 4, CPU)(y, s)

    with pytest.raises(UnsupportedError, match="a closed form of the posterior"):
        denoise(ExactPosteriorScore())
    torch.testing.assert_close(denoise(None), mixture.alike()(y, s))


def _labels(task: Classes, first: int, count: int) -> list[int]:
    questions: Questions = task.pose(
        model_of("digits_mlp").load(CPU, torch.float32), CPU, torch.float32
    )
    labels = questions.of_samples(0, first, count).labels
    assert labels is not None
    return [int(label) for label in labels]


def test_classes_come_in_turn() -> None:
    assert _labels(Classes(classes=3), 4, 5) == [1, 2, 0, 1, 2]
    assert _labels(Classes(only=7), 4, 2) == [7, 7]
    with pytest.raises(ValueError, match="must be a class"):
        Classes(classes=3, only=3)
