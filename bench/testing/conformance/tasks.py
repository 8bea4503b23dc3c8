"""Checks of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import torch
from torch import Tensor

from bench.core.classes import Conditional
from bench.core.errors import BenchError
from bench.core.noise import NoiseStream
from bench.core.observation import LinearOperator, Observation
from bench.core.target import ScoreModel, Target
from bench.core.task import Question, Questions, Task
from bench.testing.conformance.finding import NotApplicable, demand

CPU = torch.device("cpu")
SHAPES = ((6,), (1, 12, 12), (3, 12, 12))


@dataclass(frozen=True)
class _Normal:
    """N(0, I) of samples of a shape, as a closed form."""

    shape: tuple[int, ...]

    def sample(self, count: int, seed: int) -> Tensor:
        return NoiseStream(seed, "exact", 0, count, self.shape, torch.float64).normal()

    def log_prob(self, y: Tensor, s: float) -> Tensor:
        return -0.5 * y.flatten(1).square().sum(1) / (1 + s * s)


def posed_questions(task: Task) -> Iterator[Questions]:
    """Its questions to models of points, of grey and of coloured images, where it has any."""
    reason = ""
    asked = False
    for shape in SHAPES:
        network = Conditional(lambda y, s, labels: y / (1 + s * s), 10)
        target = Target("normal", _Normal(shape))
        model = ScoreModel(network, shape, 0.002, 80.0, "normal", target)
        try:
            yield task.pose(model, CPU, torch.float64)
            asked = True
        except BenchError as error:  # no meaning, or no file of the user's
            reason = str(error)
    if not asked:
        raise NotApplicable(reason)


def questions_are_the_samples_own(task: Task) -> None:
    """A sample's question is the same in every batch, and depends on no global randomness."""
    for questions in posed_questions(task):
        whole = questions.of_samples(0, 0, 100)
        torch.manual_seed(1)
        part = questions.of_samples(0, 37, 23)
        for name, one, other in _parts(whole, part):
            demand(
                len(one) == 100 and torch.equal(one[37:60], other),
                "of_samples(seed, 37, 23) is rows 37 to 59 of of_samples(seed, 0, 100)",
                f"another `{name}`",
                "make each row follow from its own index; draw from NoiseStream alone",
            )
        demand(
            whole.number.dtype == torch.int64
            and (whole.labels is None or whole.labels.dtype == torch.int64),
            "numbers and labels are int64",
            f"{whole.number.dtype}, {None if whole.labels is None else whole.labels.dtype}",
            "convert them with .long()",
        )


def _parts(one: Question, other: Question) -> Iterator[tuple[str, Tensor, Tensor]]:
    for field in fields(one):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if isinstance(first, Observation):
            first, second = first.value, second.value
        if first is not None:
            yield field.name, first, second


def observations_are_of_the_truth(task: Task) -> None:
    """The observation is A(truth) and white noise of the standard deviation that it names."""
    for questions in posed_questions(task):
        question = questions.of_samples(0, 0, 4096)
        seen, truth = question.observation, question.truth
        if seen is None or truth is None:
            raise NotApplicable("poses no observations of a known truth")
        first = torch.cat([torch.ones(1, dtype=torch.bool), question.number.diff() != 0])
        gap = seen.residual(truth)[first]
        size, spread = float(gap.square().mean()), seen.noise**2
        slack = 6 * (2 / gap.numel()) ** 0.5 * spread + 1e-12
        demand(
            abs(size - spread) <= slack,
            f"value - A(truth) has variance {spread:g}",
            f"{size:.4g}",
            "observe the truth that you return, and add noise of the given standard deviation",
        )


def operators_are_sound(task: Task) -> None:
    """A linear operator's basis is orthonormal, and its singular values are positive."""
    for questions in posed_questions(task):
        seen = questions.of_samples(0, 0, 4).observation
        if seen is None or not isinstance(seen.operator, LinearOperator):
            raise NotApplicable("has no linear operator")
        a = seen.operator
        c = NoiseStream(1, "probe", 0, 4, (len(a.values),), torch.float64).normal()
        gap = float((a.coefficients(a.image(c)) - c).abs().max())
        x = a.image(c)
        norms = float((x.flatten(1).norm(dim=1) - c.norm(dim=1)).abs().max())
        demand(
            gap < 1e-8 and norms < 1e-8 and bool((a.values > 0).all()),
            "image and coefficients are an orthonormal basis, values > 0",
            f"V^T V differs from 1 by {gap:.1e}, lengths change by {norms:.1e}, the smallest value "
            f"is {float(a.values.min()):.2g}",
            "scale the basis to unit length, and leave out what the operator does not see",
        )


def splits_are_apart(task: Task) -> None:
    """Validation and test have no truth and no observation in common."""
    if not hasattr(task, "split"):
        raise NotApplicable("has no splits")
    other = replace(cast(Any, task), split="validation")
    for one, two in zip(posed_questions(task), posed_questions(other), strict=True):
        test, validation = (questions.of_samples(0, 0, 64) for questions in (one, two))
        for name, first, second in _parts(test, validation):
            if name in ("number", "labels"):
                continue
            shared = (first.flatten(1) == second.flatten(1)).all(1)
            demand(
                not bool(shared.any()),
                "no row of one split is in the other",
                f"equal rows of `{name}`",
                "draw each split from a seed, or a part of the data, of its own",
            )
