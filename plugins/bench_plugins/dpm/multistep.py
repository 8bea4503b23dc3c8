"""The multistep formulas that DPM-Solver and DPM-Solver++ share."""

from __future__ import annotations

from bench.api import Past


def multistep_weights(
    past: Past, then: float, gains: tuple[float, float, float]
) -> tuple[float, ...]:
    """The weights of one, two or three evaluations, newest first, in the step to lambda ``then``.

    ``gains`` are those of the value, of its slope and of its second divided difference over the
    step. Two evaluations make the "midpoint" formula (2M), three the authors' third-order one, as
    in their code: its second difference has half the weight that Taylor's formula gives it, so
    that the error of a step is of order h^3 and not h^4.
    """
    lams = [evaluation.time.lam for evaluation in past]
    h, (value, slope, bend) = then - lams[0], gains
    if len(past) == 1:
        return (value,)
    r0 = (lams[0] - lams[1]) / h
    if len(past) == 2:
        c = 0.5 * value / r0
        return value + c, -c
    r1 = (lams[1] - lams[2]) / h
    both = (slope * r0 + bend) / (r0 + r1)  # of the difference of both slopes
    c0, c1 = (slope + both) / r0, both / r1
    return value + c0, -c0 - c1, c1
