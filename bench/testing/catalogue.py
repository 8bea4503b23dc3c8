"""docs/solvers.md: every solver with what it claims, what was measured, and what it costs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence

from bench.core.errors import BenchError
from bench.core.guidance import Guidance
from bench.core.solver import Adaptive, Corrector, Stepper
from bench.registry import Entry, Kind, Registry, build, parameters
from bench.testing.claimed_order import order_in_the_limit, order_settings

_HEAD = """\
# Solvers, correctors, grids and guidances

Made by `bench plugins docs > docs/solvers.md`; do not edit.

**Order** is the claim; **measured** is the slope of the error over the number of steps: of an ODE
solver against the exact flow of a mixture on the line (median over samples; under `vp` on `karras`,
and under `edm` on `log_snr`), of a stochastic step the smaller slope of the mean's and the
variance's error on a Gaussian, by propagated moments, without Monte-Carlo noise (under `vp` and
`edm` on `quadratic`). What falls short of its claim is measured again on finer grids.
Methods that start at low order can show more on these grids, where the start's error is small, than
they have in the limit; their text says so. **NFE** is the declared cost of N steps, which is
measured against the counter for every budget from 1 to 30; the core's final denoise adds 1.
**Passes** are those of one call of a guided denoiser, at most: evaluations, and vector-Jacobian
products (VJP).
"""


_Cells = Callable[[Entry], Sequence[str]]


def catalogue(registry: Registry, distribution: str = "scorebench") -> str:
    """The page, in Markdown, for the plugins of one distribution."""

    def own(*kinds: Kind) -> list[Entry]:
        return [e for e in registry.of(*kinds) if e.source.distribution == distribution]

    steppers = own(Kind.PREDICTOR, Kind.ODE_SOLVER)
    ode = [e for e in steppers if e.kind is Kind.ODE_SOLVER and not _adaptive(e)]
    adaptive = [e for e in steppers if _adaptive(e)]
    predictors = [e for e in steppers if e.kind is Kind.PREDICTOR and not _adaptive(e)]
    lines = [
        _HEAD,
        *_section("ODE solvers", ode, ("order", "measured", "NFE"), _stepper_cells),
        *_section("Adaptive solvers", adaptive, ("order", "ladder", "norm"), _adaptive_cells),
        *_section("Predictors", predictors, ("weak order", "measured", "NFE"), _stepper_cells),
        *_section("Correctors", own(Kind.CORRECTOR), ("NFE per call",), _corrector_cells),
        *_section("Grids", own(Kind.GRID), (), lambda _: ()),
        *_section("Guidances", own(Kind.GUIDANCE), ("passes",), _guidance_cells),
    ]
    return "\n".join(lines) + "\n"


def _adaptive(entry: Entry) -> bool:
    return issubclass(entry.cls, Adaptive)


def _section(
    title: str, entries: Sequence[Entry], columns: Sequence[str], cells: _Cells
) -> Iterator[str]:
    yield f"## {title}\n"
    heads = ("name", *columns, "parameters", "reference")
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for entry in entries:
        values = (
            f"[`{entry.name}`](#{entry.name})",
            *cells(entry),
            _parameters(entry),
            entry.cls.reference,
        )
        yield f"| {' | '.join(value.replace('|', '/') for value in values)} |"
    yield ""
    for entry in entries:
        yield f"### {entry.name}\n"
        yield f"{_text(entry)}\n"


def _stepper_cells(entry: Entry) -> Sequence[str]:
    stepper = build(entry.cls, {})
    assert isinstance(stepper, Stepper)
    return str(stepper.order), _slopes(stepper), _cost(stepper)


def _slopes(stepper: Stepper[object]) -> str:
    try:
        slopes = [order_in_the_limit(stepper, *names) for names in order_settings(stepper)]
    except BenchError:
        return "not measurable"
    return ", ".join(f"{slope:.1f}" for slope in slopes)


def _cost(stepper: Stepper[object]) -> str:
    """The cost of N steps as a formula in N, where it is linear from some N on."""
    first = stepper.cost(20)
    rate = stepper.cost(21) - first
    rest = first - 20 * rate
    if any(stepper.cost(steps) != rate * steps + rest for steps in range(20, 100)):
        return f"{first} at N = 20"
    linear = "N" if rate == 1 else f"{rate}N"
    return linear if rest == 0 else f"{linear} {'+' if rest > 0 else '-'} {abs(rest)}"


def _adaptive_cells(entry: Entry) -> Sequence[str]:
    solver = build(entry.cls, {})
    assert isinstance(solver, Adaptive)
    norm = "shared by a shard" if solver.batch_coupled else "per sample"
    return str(solver.order), f"`{solver.ladder}`", norm


def _corrector_cells(entry: Entry) -> Sequence[str]:
    corrector = build(entry.cls, {})
    assert isinstance(corrector, Corrector)
    return (str(corrector.cost()),)


def _guidance_cells(entry: Entry) -> Sequence[str]:
    """Evaluations, and vector-Jacobian products where there are any, of one call at its dearest."""
    guidance = build(entry.cls, {})
    assert isinstance(guidance, Guidance)
    forward, vjp = guidance.passes
    return (f"{forward} + {vjp} VJP" if vjp else str(forward),)


def _parameters(entry: Entry) -> str:
    return ", ".join(f"`{f.name}={f.default}`" for f in parameters(entry.cls))


def _text(entry: Entry) -> str:
    """The docstring; its list of attributes as a Markdown list."""
    out, listing = [], False
    for line in inspect.cleandoc(entry.cls.__doc__ or "").splitlines():
        if line.strip() == "Attributes:":
            listing = True
            out.append("Parameters:\n")
        elif listing and line.startswith("    ") and not line.startswith("        "):
            name, colon, meaning = line.strip().partition(":")
            out.append(f"- `{name}`:{meaning}" if colon else f"- {line.strip()}")
        else:
            out.append(f"  {line.strip()}" if listing and line.strip() else line)
    return "\n".join(out)
