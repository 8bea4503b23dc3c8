"""The network evaluations of a stepper: measured and declared."""

from __future__ import annotations

from bench.core.errors import BenchError
from bench.core.model import CountedDenoiser
from bench.core.sample import Sampler
from bench.core.solver import Adaptive
from bench.testing.conformance.finding import Nonconformity, NotApplicable, demand
from bench.testing.conformance.laboratory import AnyStepper, Run, Witness, times_for

BUDGETS = range(1, 31)


def cost_is_honest(stepper: AnyStepper) -> str:
    """Measured network evaluations are the declared ones, for every budget from 1 to 30."""
    if isinstance(stepper, Adaptive):
        return _adaptive_cost(stepper)
    tried: set[int] = set()
    reason = ""
    for budget in BUDGETS:
        try:
            steps = Sampler(stepper, finish=False).steps_for(budget)
        except BenchError:
            continue  # not even one step fits; the host records the cell as unsupported
        if steps in tried:
            continue
        tried.add(steps)
        try:
            compare_cost(stepper, budget, steps)
        except NotApplicable as refusal:
            reason = str(refusal)
            tried.discard(steps)
    if not tried:
        raise NotApplicable(reason or "no budget up to 30 pays for one step")
    exact = sum(stepper.cost(steps) in BUDGETS for steps in tried)
    return f"{exact} of the {len(BUDGETS)} budgets are spent to the last evaluation"


def compare_cost(stepper: AnyStepper, budget: int, steps: int) -> None:
    """Demand that ``steps`` steps cost, and wait for, as many evaluations as declared."""
    witness, samples = Witness(), 5
    counted = CountedDenoiser(witness)
    Run(samples, samples, model=counted).of(stepper, times_for(stepper, steps))
    declared, measured = stepper.cost(steps), witness.rows / samples
    if witness.rows != counted.evaluations.rows:
        raise Nonconformity(
            "every evaluation goes through `problem`",
            f"{measured:g} evaluations a sample reached the network, "
            f"{counted.evaluations.nfe(samples):g} were counted",
            "call problem.denoise, score, eps or velocity; never a network behind them",
        )
    if measured != declared:
        calls = " (several of them joined in one call)" if witness.largest > samples else ""
        raise Nonconformity(
            f"cost({steps}) = {declared} network evaluations a sample at a budget of {budget}",
            f"{measured:g}{calls}",
            "make `cost(steps)` return what `steps` steps evaluate, all stages included",
        )
    deep = counted.evaluations.depth(samples)
    demand(
        deep == stepper.depth(steps),
        f"depth({steps}) = {stepper.depth(steps)} evaluations that wait for one another",
        f"{deep:g}",
        "give evaluations that run in parallel to problem.denoise_all; declare the rest",
    )


def _adaptive_cost(stepper: AnyStepper) -> str:
    witness, samples = Witness(), 5
    counted = CountedDenoiser(witness)
    Run(samples, samples, model=counted).of(stepper, times_for(stepper, 1))
    demand(
        witness.rows == counted.evaluations.rows > 0,
        "every evaluation goes through `problem`",
        f"{witness.rows} rows reached the network, {counted.evaluations.rows} were counted",
        "call problem.denoise, score, eps, velocity or problem.model",
    )
    return f"{witness.rows / samples:g} evaluations a sample with its default tolerances"
