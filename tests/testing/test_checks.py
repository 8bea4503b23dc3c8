"""Every check of the kit has a plugin that fails it: a check that lets all pass is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from bench.api import (
    AdaptiveOdeSolver,
    Calibration,
    Corrector,
    Given,
    Guidance,
    Guided,
    InverseProblem,
    LinearOperator,
    Measurement,
    Model,
    NoiseProcess,
    OdeSolver,
    Operator,
    Passes,
    Plugin,
    Problem,
    Question,
    Questions,
    Role,
    ScoreModel,
    SolverMetric,
    Target,
    Time,
    TimeGrid,
    Trainable,
    TrainableClassifier,
    TrainingRecord,
    TrainingTask,
    Trial,
    combine,
    karras_times,
    rows_of,
    uniform_times,
    write_weights,
)
from bench.registry import Kind
from bench.testing.conformance.finding import Nonconformity
from bench.testing.conformance.suite import CHECKS

ODE = Kind.ODE_SOLVER
REMEMBERED: list[float] = []


def _cancelled(x: Tensor) -> Tensor:
    """The same, but for what float32 loses beside a large number."""
    return (x + 1e5) - 1e5


def _past_the_counter(problem: Problem, x: Tensor, now: Time) -> None:
    """Evaluate the bare network, which the counter does not see."""
    model: Any = problem.model
    (bare,) = (c.cell_contents for c in model.network.__closure__ if callable(c.cell_contents))
    bare(x / now.alpha, torch.full((), now.s, dtype=x.dtype))


@dataclass(frozen=True)
class Ddim(OdeSolver[None]):
    """A sound solver, and by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    order: ClassVar[int] = 1
    fault: str = ""

    def cost(self, steps: int) -> int:
        return 2 * steps if self.fault == "hidden" else steps

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        keep, d = then.sigma / now.sigma, problem.denoise(x, now)
        end = combine((keep, x), (then.alpha - keep * now.alpha, d))
        match self.fault:
            case "cost":
                problem.denoise(end, then)
            case "hidden":
                _past_the_counter(problem, x, now)
            case "batch":
                end = end + 1e-3 * x.mean(0, keepdim=True)
            case "precision":
                end = _cancelled(end)
            case "randomness":
                end = end + 1e-3 * problem.normal()
            case "global":
                torch.manual_seed(0)
            case "input":
                x.mul_(0.5)
            case "processes":
                end = end * torch.tensor(1 - 0.5 * now.sigma**2).sqrt()
            case "directions":
                gain = -then.alpha * abs(then.s - now.s)  # right where noise falls
                eps = combine((1 / now.sigma, x), (-now.alpha / now.sigma, d))
                end = combine((then.alpha / now.alpha, x), (gain, eps))
            case "unet":
                end = end * 1e30 * 1e30 / 1e60
            case "device":
                end = end * (1.0 if float(x.sum()) else 2.0)
            case "elsewhere":
                end = torch.zeros(x.shape)
        return end, None


@dataclass(frozen=True)
class Boastful(Ddim):
    order: ClassVar[int] = 2


@dataclass(frozen=True)
class Tuned(Ddim):
    """Each end is multiplied by ``scale``, which a calibration finds."""

    scale: float = 1.0

    def calibrate(self, cell: Calibration) -> Tuned:
        ((problem, x),) = cell.starts(4)
        scale = 1 + 1e-3 * float(problem.denoise(x, cell.times[0]).mean().tanh())
        match self.fault:
            case "repeated":
                REMEMBERED.append(0.0)
                scale += 1e-3 * len(REMEMBERED)
            case "global_calibration":
                scale += 1e-3 * float(torch.rand(()))
            case "gradients":
                torch.set_grad_enabled(True)
            case "dearer":
                return replace(self, fault="cost", scale=scale)
            case "coupled":
                return replace(self, fault="batch", scale=scale)
        return replace(self, scale=scale)

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        end, _ = super().step(problem, x, now, then, state)
        return self.scale * end, None


@dataclass(frozen=True)
class Nameless(Ddim):
    """A solver by nobody, with a fault."""

    reference: ClassVar[str] = " "


@dataclass(frozen=True)
class Speechless(Ddim): ...


@dataclass(frozen=True)
class Unexplained(Ddim):
    """It has one parameter more."""

    rate: float = 1.0


@dataclass(frozen=True)
class Unmarked(Ddim):
    """It reads weights."""

    weights: str = ""


@dataclass(frozen=True)
class Careless(Ddim):
    """It divides by its rate."""

    rate: float = 1.0

    def __post_init__(self) -> None:
        assert 1 / self.rate


@dataclass(frozen=True)
class Deaf(AdaptiveOdeSolver):
    """A thousand steps whatever the tolerance, and by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    order: ClassVar[int] = 1
    rtol: float = 1e-3
    fault: str = ""

    def solve(self, problem: Problem, x: Tensor, times: Sequence[Time]) -> Tensor:
        if self.fault == "idle":
            return x
        first, last = times[0], times[-1]
        path = karras_times(problem.process, 1000, last.s, first.s)
        end = Ddim().solve(problem, x, path)
        return end + 0.02 + 10 * self.rtol if self.fault == "floor" else end


@dataclass(frozen=True)
class Annealed(Corrector):
    """A sound corrector, and by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    def cost(self) -> int:
        return 2 if self.fault == "hidden" else 1

    def correct(self, problem: Problem, x: Tensor, now: Time) -> Tensor:
        size, score = 0.02 * now.sigma**2, problem.score(x, now)
        end = x + size * score + sqrt(2 * size) * problem.normal()
        match self.fault:
            case "cost":
                problem.score(end, now)
            case "hidden":
                _past_the_counter(problem, x, now)
            case "distribution":
                end = x + size * score + sqrt(size) * problem.normal()
            case "moves":
                end = end + 0.02 * now.sigma
            case "batch":
                end = end + 1e-3 * x.mean(0, keepdim=True)
            case "precision":
                end = _cancelled(end)
            case "double":
                end = end.double()
            case "randomness":
                end = end + 1e-3 * torch.randn_like(x)
            case "remembers":
                REMEMBERED.append(1e-3)
                end = end + sum(REMEMBERED)
            case "input":
                x.mul_(0.5)
            case "shape":
                end = end[..., :1]
            case "device":
                end = end * (1.0 if float(x.sum()) else 2.0)
        return end


@dataclass(frozen=True)
class Linear(NoiseProcess):
    """alpha = 1, sigma = t, and by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    @property
    def t_min(self) -> float:
        return 0.002

    @property
    def t_max(self) -> float:
        return 80.0

    def alpha(self, t: Tensor) -> Tensor:
        if self.fault == "shape":
            return torch.ones(1, dtype=torch.float64)
        return -torch.ones_like(t) if self.fault == "negative" else torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        match self.fault:
            case "single":
                return t.float()
            case "falls":
                return 1 / t
            case "negative":
                return -t
        return t

    def time_at(self, s: Tensor) -> Tensor:
        return s * (1 + 1e-6) if self.fault == "inverse" else s

    def f(self, t: Tensor) -> Tensor:
        return super().f(t) + (1e-4 if self.fault == "f" else 0.0)

    def g2(self, t: Tensor) -> Tensor:
        return super().g2(t) * (1.0001 if self.fault == "g2" else 1.0)


@dataclass(frozen=True)
class Uniform(TimeGrid):
    """Equal steps of t, and by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    def times(
        self, process: NoiseProcess, steps: int, s_min: float, s_max: float
    ) -> tuple[Time, ...]:
        if self.fault in ("first", "last"):
            s_max *= 1 - 1e-6 * (self.fault == "first")
            s_min *= 1 + 1e-6 * (self.fault == "last")
        times = uniform_times(process, steps, s_min, s_max)
        if self.fault == "twice" and steps > 2:
            return (*times[:2], times[1], *times[3:])
        return (times[0], *times[2:]) if self.fault == "fewer" and steps > 1 else times


@dataclass(frozen=True)
class Gaussian(Model):
    """Of standard normal data, and by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    def load(self, device: torch.device, dtype: torch.dtype) -> ScoreModel:
        model = ScoreModel(self._denoise, (3,), 0.01, 10.0, "0" * 64, Target("normal"))
        match self.fault:
            case "weights":
                return replace(model, weights="")
            case "data":
                return replace(model, target=Target(""))
            case "range":
                return replace(model, s_min=10.0)
        return model

    def _denoise(self, y: Tensor, s: Tensor) -> Tensor:
        d = y / (1 + rows_of(s, y) ** 2)
        match self.fault:
            case "double":
                return d.double()
            case "shape":
                return d[:, :2]
            case "finite":
                return d / 0
            case "batch":
                return d + 0.1 * y.mean(0)
            case "rows":
                return d + 0.1 * s.ndim
        return d


@dataclass(frozen=True)
class Silent(SolverMetric):
    """By its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    unit: ClassVar[str] = "1"
    title: ClassVar[str] = "fault"
    fault: str = ""

    def measure(self, trial: Trial) -> Sequence[Measurement]:
        sound = Measurement("fault", 1.0, "1", 1)
        match self.fault:
            case "none":
                return []
            case "finite":
                return [replace(sound, value=float("inf"))]
            case "count":
                return [replace(sound, n=0)]
            case "name":
                return [replace(sound, metric="")]
            case "roles":
                return [replace(sound, role=Role.ERROR)]
        return [sound]


class Scaled(nn.Module):
    """Logits and features of images, or a denoiser; by its name a fault."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        own = torch.Generator()
        own.seed()
        weight = torch.randn(3, generator=own if fault == "seed" else None)
        self.scale, self.fault = nn.Parameter(weight), fault

    def forward(self, y: Tensor, s: Tensor | None = None) -> Tensor:
        if s is None:
            logits = y.flatten(1)[:, :3] * self.scale
            return logits[:, None] if self.fault == "logits" else logits
        d = y * self.scale.sum() / (1 + rows_of(s, y) ** 2)
        match self.fault:
            case "shape":
                return d.flatten(1)
            case "double":
                return d.double()
            case "gradient":
                return d.detach() + 0 * self.scale.sum()
            case "finite":
                return d / 0
        return d

    def features(self, images: Tensor) -> Tensor:
        found = images.flatten(1).float()
        return found[:1] if self.fault == "features" else found


def _save(fault: str, path: Path, network: nn.Module) -> None:
    if fault == "file":
        torch.save(network.state_dict(), path)
    else:
        write_weights(path, {} if fault == "empty" else network.state_dict(), {})


@dataclass(frozen=True)
class Network(Trainable):
    """By its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    def build(self, task: TrainingTask) -> nn.Module:
        return Scaled(self.fault)

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        _save(self.fault, path, network)


@dataclass(frozen=True)
class Classifier(TrainableClassifier):
    """By its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    def build(self, shape: tuple[int, ...], levels: int) -> nn.Module:
        return Scaled(self.fault)

    def save(self, path: Path, network: nn.Module, record: TrainingRecord) -> None:
        _save(self.fault, path, network)


@dataclass(frozen=True)
class Towards(Guidance[None]):
    """Towards the observation and the class; by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    observes: ClassVar[bool] = True
    classifies: ClassVar[bool] = True
    fault: str = ""

    @property
    def passes(self) -> Passes:
        return Passes(1 if self.fault == "forward" else 2, 0 if self.fault == "vjp" else 1)

    def guide(self, given: Given, y: Tensor, s: Tensor, memory: None) -> Guided:
        d, vjp = given.plain.with_vjp(y, s)
        pull = 0.1 * vjp(given.observation.linear.pinv(given.observation.residual(d)))
        conditional = given.conditional(y, s)
        match self.fault:
            case "shape":
                return Guided(d.flatten(1), d)
            case "single":
                return Guided(d, d.float())
            case "input":
                y.mul_(1.0000001)
            case "batch":
                pull = pull - pull.mean(0)
            case "global":
                pull = pull * torch.rand(())
            case "undeclared":
                pull = pull + given.noise.normal()
            case "blind":
                return Guided(conditional, d)
            case "classless":
                return Guided(d + pull, d)
        return Guided(conditional + pull, d)


@dataclass(frozen=True)
class Unavowed(Towards):
    """Uses the observation and declares that it does not."""

    observes: ClassVar[bool] = False


class Thinned(LinearOperator):
    """Some entries; by its name a fault."""

    def __init__(self, shape: tuple[int, ...], fault: str) -> None:
        self.shape, self.fault = shape, fault
        self.values = torch.ones(3, dtype=torch.float64)

    def coefficients(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :3] * (2 if self.fault == "basis" else 1)

    def image(self, coefficients: Tensor) -> Tensor:
        rest = coefficients.new_zeros(len(coefficients), torch.Size(self.shape).numel() - 3)
        return torch.cat([coefficients, rest], 1).reshape(-1, *self.shape)


@dataclass(frozen=True)
class Glimpse(InverseProblem):
    """Three entries are seen; by its name a fault."""

    name: ClassVar[str] = "fault"
    reference: ClassVar[str] = "nobody"
    fault: str = ""

    @property
    def seed(self) -> int:
        return 5 if self.fault == "splits" else super().seed

    def operator(
        self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Operator:
        return Thinned(shape, self.fault)

    def pose(self, model: ScoreModel, device: torch.device, dtype: torch.dtype) -> Questions:
        return Glimpses(super().pose(model, device, dtype), self.fault)


@dataclass(frozen=True)
class Glimpses(Questions):
    """The questions of `Glimpse`, by its name with a fault."""

    inner: Questions
    fault: str

    def of_samples(self, seed: int, first: int, count: int) -> Question:
        question = self.inner.of_samples(seed, first, count)
        seen = question.observation
        assert seen is not None
        match self.fault:
            case "batch":
                return replace(question, number=question.number - first)
            case "global":
                value = seen.value + torch.rand(())
                return replace(question, observation=replace(seen, value=value))
            case "noise":
                return replace(question, observation=replace(seen, noise=2 * seen.noise))
        return question


# By kind and check, the plugin and the names of its faults.
TABLE: Mapping[tuple[Kind, str], tuple[type[Plugin], str]] = {
    (ODE, "cost"): (Ddim, "cost hidden"),
    (ODE, "batch"): (Ddim, "batch"),
    (ODE, "precision"): (Ddim, "precision"),
    (ODE, "randomness"): (Ddim, "randomness global"),
    (ODE, "input"): (Ddim, "input"),
    (ODE, "processes"): (Ddim, "processes"),
    (ODE, "directions"): (Ddim, "directions"),
    (ODE, "unet"): (Ddim, "unet"),
    (ODE, "device"): (Ddim, "device elsewhere"),
    (ODE, "order"): (Boastful, "order"),
    (ODE, "calibration"): (Tuned, "repeated global_calibration gradients dearer coupled"),
    (Kind.CORRECTOR, "cost"): (Annealed, "cost hidden"),
    (Kind.CORRECTOR, "distribution"): (Annealed, "distribution moves"),
    (Kind.CORRECTOR, "batch"): (Annealed, "batch"),
    (Kind.CORRECTOR, "precision"): (Annealed, "precision double"),
    (Kind.CORRECTOR, "randomness"): (Annealed, "randomness remembers"),
    (Kind.CORRECTOR, "input"): (Annealed, "input shape"),
    (Kind.CORRECTOR, "device"): (Annealed, "device"),
    (Kind.PROCESS, "schedules"): (Linear, "falls single negative shape"),
    (Kind.PROCESS, "inverse"): (Linear, "inverse"),
    (Kind.PROCESS, "rates"): (Linear, "f g2"),
    (Kind.GRID, "times"): (Uniform, "first last twice fewer"),
    (Kind.MODEL, "fields"): (Gaussian, "weights data range"),
    (Kind.MODEL, "denoiser"): (Gaussian, "double shape finite"),
    (Kind.MODEL, "batch"): (Gaussian, "batch rows"),
    (Kind.METRIC, "measures"): (Silent, "none finite count name"),
    (Kind.METRIC, "roles"): (Silent, "roles"),
    (Kind.GUIDANCE, "passes"): (Towards, "forward vjp"),
    (Kind.GUIDANCE, "denoiser"): (Towards, "shape single input"),
    (Kind.GUIDANCE, "batch"): (Towards, "batch"),
    (Kind.GUIDANCE, "randomness"): (Towards, "global undeclared"),
    (Kind.GUIDANCE, "condition"): (Towards, "blind classless"),
    (Kind.TASK, "questions"): (Glimpse, "batch global"),
    (Kind.TASK, "observation"): (Glimpse, "noise"),
    (Kind.TASK, "operator"): (Glimpse, "basis"),
    (Kind.TASK, "splits"): (Glimpse, "splits"),
    (Kind.NETWORK, "seed"): (Network, "seed"),
    (Kind.NETWORK, "denoiser"): (Network, "shape double gradient finite"),
    (Kind.NETWORK, "file"): (Network, "file empty"),
    (Kind.CLASSIFIER, "classifier"): (Classifier, "logits features file"),
}
FAULTS = [
    *((*place, cls, fault) for place, (cls, names) in TABLE.items() for fault in names.split()),
    *((ODE, "order", Deaf, fault) for fault in ("deaf", "floor")),
    (ODE, "cost", Deaf, "idle"),
    (Kind.GUIDANCE, "condition", Unavowed, ""),
    *((ODE, "documented", cls, "") for cls in (Nameless, Speechless, Unexplained)),
    *((ODE, "parameters", cls, "") for cls in (Unmarked, Careless)),
]


def _with(cls: type[Plugin], fault: str) -> type[Plugin]:
    """The class with its fault as the default: the kit builds plugins without parameters."""
    places = {"__annotations__": {"fault": str}, "fault": fault, "__doc__": cls.__doc__}
    made: Any = type(cls.__name__, (cls,), {**places, "__module__": __name__})
    found: type[Plugin] = dataclass(frozen=True)(made)
    return found


def _check(kind: Kind, name: str) -> Any:
    (found,) = (check for check in CHECKS[kind] if check.name == name)
    return found.carry_out


@pytest.mark.parametrize(("kind", "check", "cls", "fault"), FAULTS)
def test_a_fault_is_found(kind: Kind, check: str, cls: type[Plugin], fault: str) -> None:
    with pytest.raises(Nonconformity) as found:
        _check(kind, check)(_with(cls, fault))
    assert found.value.expected
    assert found.value.seen
    assert found.value.remedy


SOUND = (
    (ODE, Tuned),
    (Kind.CORRECTOR, Annealed),
    (Kind.PROCESS, Linear),
    (Kind.GRID, Uniform),
    (Kind.MODEL, Gaussian),
    (Kind.METRIC, Silent),
    (Kind.GUIDANCE, Towards),
    (Kind.TASK, Glimpse),
    (Kind.NETWORK, Network),
    (Kind.CLASSIFIER, Classifier),
)


@pytest.mark.parametrize(("kind", "cls"), SOUND)
def test_without_its_fault_it_conforms(kind: Kind, cls: type[Plugin]) -> None:
    for check in CHECKS[kind]:
        if check.name != "state":
            check.carry_out(_with(cls, ""))


def test_no_check_is_without_a_fault() -> None:
    """The state of the process has a file of its own."""
    wanted = {(kind, check.name) for kind in CHECKS for check in CHECKS[kind]}
    found = {*TABLE, *((Kind.PREDICTOR, check) for kind, check in TABLE if kind is ODE)}
    assert {name for _, name in wanted - found} == {"documented", "parameters", "state"}
