"""Network evaluations: of a step, of a run, and if samples decide them."""

from __future__ import annotations

from bench.api import BenchError
from bench_check.claims import Claims
from bench_check.finding import Finding, Verdict
from bench_check.subject import Subject

_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
_ENOUGH = 8


def cost(subject: Subject, claims: Claims) -> Finding:
    """Evaluations counted on a mixture, and on a model that costs nothing."""
    seen, free = dict[int, int](), dict[int, int]()
    for steps in _STEPS:
        try:
            seen[steps] = len(subject.trace(steps).levels)
        except BenchError:
            if steps >= _ENOUGH:
                raise
            continue  # a multistep method may want as many steps as its order
        free[steps] = subject.cost(steps)
    numbers = {"evaluations": {str(steps): count for steps, count in seen.items()}}
    wrong = [steps for steps in seen if seen[steps] != free[steps]]
    if wrong:
        n = wrong[0]
        text = f"{seen[n]} evaluations in {n} steps on a mixture, {free[n]} on another model"
        return Finding("cost", Verdict.FAULT, text, numbers)
    rate, rest = divmod(seen[24] - seen[16], 8)
    text = f"{_formula(seen[16], rate, rest)} evaluations of N steps"
    text += ", a final denoise included" if subject.finishes else ", and the host's denoise"
    text += f"; it does not run in {min(seen) - 1}" if min(seen) > 1 else ""
    if claims.evaluations is not None and (rest or rate != claims.evaluations):
        text += f"; {claims.evaluations} a step are claimed"
        return Finding("cost", Verdict.FAULT, text, numbers)
    return Finding("cost", Verdict.GOOD, text, numbers)


def _formula(at_16: int, rate: int, rest: int) -> str:
    if rest:
        return f"{at_16} at N = 16, no fixed number a step:"
    constant = at_16 - 16 * rate
    return f"{rate if rate != 1 else ''}N{f' {constant:+d}' if constant else ''}".replace(
        " +", " + "
    )
