"""`bench encode` and `bench decode`."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from rich.console import Console
from torch import Tensor

from bench.api import BenchError, CountedDenoiser, OdeSolver, ScoreModel, Trial, UnsupportedError
from bench_latents.commands import DecodeOptions, EncodeOptions
from bench_latents.data import read_points
from bench_latents.draws import CodedDraw, check_finite, run_sampler, show_progress, watch
from bench_latents.files import check_out, read_codes, write_arrays, write_samples
from bench_latents.options import PathOptions
from bench_latents.record import record_of
from bench_latents.sampling import tell
from bench_latents.setting import Names, draw_of, load_model, prepare
from bench_plugins.latents.coder import Coder, data_model
from bench_plugins.latents.differences import relative_distances


def encode_data(options: EncodeOptions, path: PathOptions) -> None:
    """Encode data and write the codes, and measure the way back.

    Raises:
        BenchError: what the options name is unknown, does not fit, or cannot be written.
    """
    if options.out.suffix != ".npz":
        raise BenchError(f"--out {options.out}: codes are written to an .npz file")
    names = Names(options.model, options.solver, options.nfe, options.label)
    model = load_model(names, path)
    trial = prepare(names, path, model, draw_of(path, model, options.points))
    console = Console(stderr=options.json, highlight=False)
    y = read_points(options.data, model, trial.draw, trial.span[0])
    trial = replace(trial, draw=replace(trial.draw, samples=len(y)))
    codes, nfe = encode_points(trial, y, console)
    error = mean = None
    if options.round_trip:
        each = relative_distances(decode_points(trial, codes, console), y)
        mean = float(each.mean())
        error = float(each.std()) / math.sqrt(len(each)) if len(each) > 1 else None
    record = record_of("encode", names, path, trial, nfe) | {"source": options.data}
    record |= {"round_trip": mean, "round_trip_std_error": error}
    write_arrays(options.out, {"codes": codes, "data": y}, record)
    tell(console, record, f"Codes of {len(y)} data points", [options.out], options.json)
    if mean is not None and not options.json:
        spread = "" if error is None else f" ± {error:.1e}"
        console.print(f"round trip: ||y' - y|| / ||y|| = {mean:.3e}{spread}", markup=False)


def decode_codes(options: DecodeOptions, path: PathOptions) -> None:
    """Decode codes and write the samples.

    Raises:
        BenchError: what the options name is unknown, does not fit, or cannot be written.
    """
    names = Names(options.model, options.solver, options.nfe, options.label)
    model = load_model(names, path)
    check_out(options.out, model)
    codes, origin = read_codes(options.codes)
    if tuple(codes.shape[1:]) != model.shape:
        raise BenchError(
            f"{options.codes}: codes of shape {tuple(codes.shape[1:])}; the model's samples are "
            f"{model.shape}"
        )
    draw = CodedDraw.of(draw_of(path, model, len(codes)), options.temperature, codes)
    trial = prepare(names, path, model, draw)
    check_span(trial, origin.get("s_max"), str(options.codes))
    check_classes(model)
    console = Console(stderr=options.json, highlight=False)
    x, nfe = run_sampler(trial, console)
    record = record_of("decode", names, path, trial, nfe)
    record |= {"temperature": options.temperature, "codes": origin or str(options.codes)}
    write_samples(options.out, x, model, record, math.ceil(math.sqrt(len(x))))
    tell(console, record, f"{len(x)} decoded samples", [options.out], options.json)
    other = origin.get("weights")
    if other and other != model.weights:
        message = f"the codes are of another network (weights {str(other)[:12]})"
        console.print(message, markup=False)


def encode_points(trial: Trial, y: Tensor, console: Console) -> tuple[Tensor, float]:
    """The codes of points ``y`` (n, *shape), and their network evaluations each.

    Raises:
        BenchError: the solver is stochastic, or some codes are not finite.
    """
    coder = _coder(trial)
    cost = trial.sampler.stepper.cost(len(trial.times) - 1)
    total = None if trial.sampler.adaptive else len(y) * cost * trial.model.price
    with show_progress(console, total) as advance:
        counted = CountedDenoiser(watch(trial.model.denoiser, advance))
        own = data_model(trial.model, counted)
        codes = torch.cat([coder.encode(own, part) for part in y.split(counted.shard)])
    check_finite(codes, "codes")
    return codes, counted.evaluations.nfe(len(y))


def decode_points(trial: Trial, z: Tensor, console: Console) -> Tensor:
    """The points at s_min of codes ``z``, without a final denoise."""
    coder, counted = _coder(trial), CountedDenoiser(trial.model.denoiser)
    own = data_model(trial.model, counted)
    with console.status("decoding again"):
        return torch.cat([coder.decode(own, part) for part in z.split(counted.shard)])


def check_span(trial: Trial, s_max: object, file: str) -> None:
    """Refuse codes in other units: y = s_max z where sampling starts.

    Raises:
        BenchError: they were encoded up to another level.
    """
    own = trial.span[1]
    if isinstance(s_max, int | float) and not math.isclose(s_max, own, rel_tol=1e-6):
        raise BenchError(
            f"{file}: was encoded up to s = {s_max:g}, and samples start from {own:g}; pass "
            f"--s-max {s_max:g}, or encode again"
        )


def check_classes(model: ScoreModel) -> None:
    """Refuse codes whose classes are not known.

    Raises:
        BenchError: the model's samples have classes of their own.
    """
    data_model(model, CountedDenoiser(model.denoiser))


def _coder(trial: Trial) -> Coder:
    if not isinstance(trial.sampler.stepper, OdeSolver):
        raise UnsupportedError(
            f"--solver {trial.sampler.stepper.name}: is stochastic, so that data have no code; "
            "take an ODE solver, such as edm_heun"
        )
    return Coder.of(trial, "encoding")
