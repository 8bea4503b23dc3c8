"""`bench check`; torch is imported when it is called."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.extend import BenchError, Command, hookimpl

if TYPE_CHECKING:
    from bench_plugins.diffusers_schedulers.solver import DiffusersScheduler
    from bench_plugins.foreign.function import Function

_EPILOG = """
What is looked at:

    cost          evaluations of a step; do samples decide them
    order         of convergence, with its interval (weak, of a stochastic function)
    end           does it arrive at x_0 or the last level; noise after the last evaluation
    randomness    where its noise is from, and if it is used
    batch, dtype  the same sample in any batch, in float32 and float64
    input, state  is its input left alone, and the process
    distance      to our own solver of the same method

Examples:

    bench check k_diffusion.sampling:sample_heun
    PYTHONPATH=. bench check my_sampler:sample --signature callable --order 2 --evaluations 2
    PYTHONPATH=. bench check mine:heun --param s_churn=40 --against edm_churn --json

The function is imported and run: check code that you trust. Signatures: docs/foreign.md.

Exit codes: 0 no fault, 1 a fault was found, 2 it cannot be called as you said.
"""

CallPath = Annotated[
    str, typer.Argument(metavar="call", help="package.module:name of it, or diffusers:CLASS.")
]
SignatureOption = Annotated[
    Literal["k_diffusion", "edm", "dpm_solver", "callable"],
    typer.Option(help="The signature that it was written for."),
]
Param = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE: an argument of its own, VALUE in JSON or text. Repeat."),
]
End = Annotated[
    Literal["zero", "s_min"] | None,
    typer.Option(help="Its end: x_0, or the last level. Default: the signature's."),
]
Noise = Annotated[
    Literal["independent", "brownian"] | None,
    typer.Option(help="The noise of intervals that overlap, of a noise_sampler."),
]
Order = Annotated[int | None, typer.Option(min=1, help="The order that is claimed.")]
Evaluations = Annotated[
    int | None, typer.Option(min=0, help="Evaluations in a step that are claimed.")
]
Against = Annotated[
    str, typer.Option(help="Our solver that it should equal. Default: the one of its name, if any.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


def check(
    call: CallPath,
    signature: SignatureOption = "k_diffusion",
    param: Param = None,
    end: End = None,
    noise: Noise = None,
    order: Order = None,
    evaluations: Evaluations = None,
    against: Against = "",
    json: Json = False,
) -> None:
    """Examine a function or a scheduler of diffusers, before you believe its numbers."""
    from rich.console import Console

    from bench_check.checks import examine
    from bench_check.checks.distance import check_name
    from bench_check.claims import Claims
    from bench_check.finding import exit_code
    from bench_check.page import json_form, summary, table

    given: dict[str, Any] = {"signature": signature, "end": end, "noise": noise}
    sampler, title, facts = _sampler(call, _params(param or ()), given)
    if against:
        check_name(against)
    with contextlib.redirect_stdout(sys.stderr):  # what the function prints
        findings = list(examine(sampler, Claims(order, evaluations, against)))
    if json:
        import json as standard

        print(standard.dumps(json_form(facts, findings), indent=1))
    else:
        console = Console(highlight=False)
        console.print(table(title, findings))
        console.print(summary(findings), markup=False, soft_wrap=True)
    raise typer.Exit(exit_code(findings))


def _sampler(
    call: str, params: dict[str, Any], given: dict[str, Any]
) -> tuple[Function | DiffusersScheduler, str, dict[str, Any]]:
    """The plugin, its title, and what JSON says of it.

    Raises:
        BenchError: it cannot be had so.
    """
    module, _, name = call.partition(":")
    facts: dict[str, Any] = {"call": call, "params": params}
    if module == "diffusers":
        if given != {"signature": "k_diffusion", "end": None, "noise": None}:
            raise BenchError("--signature, --end and --noise are for functions, not for schedulers")
        scheduler = _scheduler(name, params)
        facts |= {"code": scheduler.fingerprint(), "ends_in_x0": scheduler.finishes}
        return scheduler, f"{scheduler.scheduler} of {scheduler.fingerprint()}", facts
    function = _function({"call": call, "params": params, **given})
    facts |= {"signature": function.signature, "code": function.fingerprint()}
    facts |= {"ends_in_x0": function.finishes}
    return function, f"{function.call}, signature {function.signature}", facts


def _scheduler(name: str, params: dict[str, Any]) -> DiffusersScheduler:
    """The plugin of a scheduler of diffusers, which can be made.

    Raises:
        BenchError: it cannot.
    """
    from bench.registry import build
    from bench_plugins.diffusers_schedulers.library import keywords, scheduler_class
    from bench_plugins.diffusers_schedulers.solver import DiffusersScheduler

    cls = scheduler_class(build(DiffusersScheduler, {"scheduler": name}).scheduler)
    takes = keywords(cls.__init__)
    config = {key: value for key, value in params.items() if key in takes}
    if "clip_sample" in takes:  # what is measured needs a free model's values as they are
        config.setdefault("clip_sample", False)
    arguments = {key: value for key, value in params.items() if key not in takes}
    made = {"scheduler": name, "config": config, "arguments": arguments}
    solver = build(DiffusersScheduler, made)
    solver.make()
    return solver


def _params(items: Sequence[str]) -> dict[str, Any]:
    """The arguments that ``NAME=VALUE`` give.

    Raises:
        BenchError: one is no such pair.
    """
    import json

    found: dict[str, Any] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not (equals and name.isidentifier()):
            raise BenchError(f"--param {item}: write NAME=VALUE")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _function(params: dict[str, Any]) -> Function:
    """The plugin of the function, which can be imported and takes its arguments.

    Raises:
        BenchError: it cannot.
    """
    from bench.registry import build
    from bench_plugins.foreign.code import Code
    from bench_plugins.foreign.function import Function

    function = build(Function, params)
    Code.load(function.call)
    return function


@hookimpl
def bench_commands() -> Sequence[Command]:
    return [Command("check", check, _EPILOG, rank=25)]
