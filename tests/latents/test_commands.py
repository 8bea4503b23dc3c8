"""`bench sample`, `encode`, `decode` and `interpolate` from the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from bench.api import HELD_OUT, BenchError, Model, load_tensors, make_plugin
from bench.run.cell import Cell
from bench.run.execute import run_cell
from bench.run.machine import Machine
from bench_latents.commands import bench_commands

Call = Callable[..., str]

RUN = (
    "suites:\n  a:\n    models: [{model}]\n    processes: [{process}]\n    solvers: [{solver}]\n"
    "    nfe: [{nfe}]\n    samples: {samples}\n    seeds: [5]\n    metrics: [rmse]\n"
)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs a command in an empty folder; raises what it raises; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    for command in bench_commands():
        assert not isinstance(command.run, typer.Typer)
        app.command(command.name)(command.run)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, [*arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def _record(path: str) -> dict[str, Any]:
    if path.endswith(".png"):
        with Image.open(path) as picture:
            record: dict[str, Any] = json.loads(picture.text["scorebench"])  # type: ignore[attr-defined]
        return record
    with np.load(path) as file:
        text = bytes(file["record"])
    record = json.loads(text)
    assert isinstance(record, dict)
    return record


def _samples(path: str, name: str = "samples") -> NDArray[np.float32]:
    with np.load(path) as file:
        array: NDArray[np.float32] = file[name]
    return array


@pytest.mark.parametrize(
    ("model", "process", "solver", "corrector"),
    [
        ("gaussian_mixture", "vp", "dpmpp_2m", None),
        ("gaussian_mixture", "'{name: ve, sigma_max: 100.0}'", "ancestral", "langevin"),
        ("digits_mlp", "edm", "euler_a", None),
    ],
)
def test_samples_are_those_of_a_cell(
    call: Call,
    cells_of: Callable[[str], tuple[Cell, ...]],
    model: str,
    process: str,
    solver: str,
    corrector: str | None,
) -> None:
    """To the last bit: points as floats, images as the bytes that a run keeps."""
    text = process.strip("'")
    named = f"{{name: {solver}, corrector: {corrector}}}" if corrector else solver
    (cell,) = cells_of(RUN.format(model=model, process=text, solver=named, nfe=12, samples=300))
    kept = run_cell(cell, Machine("cpu", 1, 1)).samples
    more = ["--corrector", corrector] if corrector else []
    call(
        "sample", model, "--process", text, "--solver", solver, "--nfe", "12",
        "--samples", "300", "--seed", "5", "--out", "x.npz", *more,
    )  # fmt: skip
    x = _samples("x.npz")
    assert kept is not None
    if model == "gaussian_mixture":
        assert np.array_equal(x, kept)
    else:
        target = make_plugin(Model, model, {}).load(torch.device("cpu"), torch.float32).target  # type: ignore[type-abstract]
        assert target.discrete is not None
        pixels = target.discrete.quantise(torch.from_numpy(x)).numpy() * (255 // 16)
        assert np.array_equal(pixels[:16], kept)


def test_a_picture_tells_how_to_make_it_again(call: Call) -> None:
    output = call("sample", "digits_mlp", "--samples", "9", "--nfe", "7", "--seed", "2", "--json")
    told, record = json.loads(output), _record("samples.png")
    assert told.pop("files") == ["samples.png"]
    assert told == record
    assert (record["nfe"], record["seed"], record["steps"]) == (7.0, 2, 6)
    weights = make_plugin(Model, "digits_mlp", {}).load(torch.device("cpu"), torch.float32).weights  # type: ignore[type-abstract]
    assert record["weights"] == weights
    before = Path("samples.png").read_bytes()
    again = [record["solver"], record["process"], record["grid"], str(record["budget"])]
    options = [
        part
        for name, value in zip(("solver", "process", "grid", "nfe"), again, strict=True)
        for part in (f"--{name}", value)
    ]
    call("sample", record["model"], "--samples", "9", "--seed", "2", *options)
    assert Path("samples.png").read_bytes() == before


def test_the_grid_shows_the_samples(call: Call) -> None:
    call("sample", "digits_mlp", "--samples", "5", "--nfe", "4")
    call("sample", "digits_mlp", "--samples", "5", "--nfe", "4", "--out", "x.npy")
    x, side = np.load("x.npy"), 7 * 8 + 2  # 8x8 is enlarged to 56
    with Image.open("samples.png") as picture:
        page = np.asarray(picture)
    assert page.shape == (2 * side + 2, 3 * side + 2)
    levels = np.clip(np.floor((x[3, 0] + 1) * 17 / 2), 0, 16)  # the fourth begins the second row
    assert np.array_equal(page[side + 2 :: 7, 2::7][:8, :8], levels * 15)
    assert json.loads(Path("x.npy.json").read_text())["samples"] == 5


def test_a_temperature_of_zero_leaves_the_centre(call: Call) -> None:
    call("sample", "gaussian_mixture", "--temperature", "0", "--samples", "3", "--out", "x.npz")
    x = _samples("x.npz")
    assert np.array_equal(x, x[[0, 0, 0]])
    assert _record("x.npz")["temperature"] == 0.0


@pytest.mark.parametrize("solver", ["edm_heun", "'{name: tsit5, rtol: 1.0e-3}'", "dopri5"])
@pytest.mark.parametrize("model", ["digits_mlp", "gaussian_mixture"])
def test_films_end_with_the_samples(call: Call, model: str, solver: str) -> None:
    common = ["--samples", "3", "--seed", "1", "--solver", solver.strip("'")]
    call(
        "sample", model, *common, "--out", "x.npz", "--filmstrip", "film.png", "--gif", "film.gif",
        "--frames", "6", "--film-samples", "2",
    )  # fmt: skip
    assert _record("film.png") == _record("x.npz")
    with Image.open("film.gif") as film:
        assert film.n_frames == 6  # type: ignore[attr-defined]
        assert json.loads(film.info["comment"]) == _record("x.npz")
    if model == "digits_mlp":
        with Image.open("film.png") as film:
            page, side = np.asarray(film), 7 * 8 + 2
        assert page.shape == (4 * side + 2, 6 * side + 2)
        levels = np.clip(np.floor((_samples("x.npz")[:2, 0] + 1) * 17 / 2), 0, 16) * 15
        for row, sample in ((0, 0), (1, 0), (2, 1), (3, 1)):  # x_t, then D, of each
            last = page[2 + row * side :: 7, 2 + 5 * side :: 7][:8, :8]
            assert np.abs(last - levels[sample]).max() <= 15  # a sample alone may round otherwise


def test_codes_decode_to_their_data(call: Call) -> None:
    output = call("encode", "digits_mlp", "--points", "7", "--nfe", "200", "--out", "codes.npz")
    assert "Codes of 7 data points of digits_mlp" in output
    record = _record("codes.npz")
    assert record["round_trip"] < 1e-3
    assert f"{record['round_trip']:.3e}" in output
    codes, data = _samples("codes.npz", "codes"), _samples("codes.npz", "data")
    assert codes.shape == data.shape == (7, 1, 8, 8)
    assert 0.5 < codes.std() < 1.5
    call("decode", "digits_mlp", "codes.npz", "--nfe", "200", "--out", "x.npz")
    assert np.abs(_samples("x.npz") - data).max() < 0.1  # but for the final denoise
    assert _record("x.npz")["codes"] == record
    assert "another network" in call("decode", "digits_mlp_deep", "codes.npz", "--out", "y.npz")


def test_prior_noise_decodes_to_the_samples_of_its_seed(call: Call) -> None:
    """Codes are the noise from which `bench run` starts, in the units of N(0, I)."""
    call("sample", "digits_mlp", "--solver", "edm_heun", "--nfe", "9", "--seed", "4",
         "--samples", "6", "--out", "x.npz")  # fmt: skip
    call("interpolate", "digits_mlp", "--nfe", "9", "--seed", "4", "--pairs", "3", "--steps", "2",
         "--out", "y.npz")  # fmt: skip
    assert np.allclose(_samples("x.npz"), _samples("y.npz"), atol=1e-5)


@pytest.mark.parametrize("how", ["slerp", "linear"])
@pytest.mark.parametrize("data", [None, "held_out"])
def test_rows_lead_from_datum_to_datum(call: Call, how: str, data: str | None) -> None:
    more = [] if data is None else ["--data", data]
    call("interpolate", "digits_mlp", "--pairs", "2", "--steps", "5", "--how", how, "--nfe", "100",
         "--out", "x.npz", *more)  # fmt: skip
    x, record = _samples("x.npz"), _record("x.npz")
    assert x.shape == (10, 1, 8, 8)
    assert (record["how"], record["source"]) == (how, data or "noise")
    if data is not None:
        call("encode", "digits_mlp", "--points", "4", "--out", "codes.npz", "--no-round-trip")
        held = _samples("codes.npz", "data")
        assert np.abs(x[[0, 4, 5, 9]] - held).max() < 0.15
        assert record["nfe_encode"] == 98
        assert _record("codes.npz")["round_trip"] is None


def test_data_are_levels_real_numbers_or_a_picture(call: Call) -> None:
    levels = load_tensors(HELD_OUT["digits"])["samples"][:2]
    np.savez("levels.npz", samples=levels.numpy())
    np.save("real.npy", np.zeros((2, 1, 8, 8), np.float32))
    Image.fromarray(levels[0, 0].numpy() * 15).save("one.png")
    found = {}
    for name in ("levels.npz", "real.npy", "one.png", "held_out"):
        call("encode", "digits_mlp", "--data", name, "--points", "2", "--nfe", "5",
             "--no-round-trip", "--out", "codes.npz")  # fmt: skip
        found[name] = _samples("codes.npz", "data")
    assert np.array_equal(found["levels.npz"], found["held_out"])
    assert not found["real.npy"].any()
    assert np.array_equal(np.floor((found["one.png"][0] + 1) * 17 / 2), levels[0].numpy())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sample no_model", "unknown model 'no_model'"),
        (
            "sample digits_mlp --solver edm_hen",
            "--solver 'edm_hen': unknown ode solver 'edm_hen'; ",
        ),
        ("sample digits_mlp --solver {name:", "give a name such as dpmpp_2m"),
        ("sample digits_mlp --process vpp", "unknown process 'vpp'; did you mean"),
        ("sample digits_mlp --grid karas", "unknown grid 'karas'; did you mean 'karras'"),
        ("sample digits_mlp --corrector x", "unknown corrector 'x'"),
        ("sample digits_mlp --label 3", "--label: unknown key 'label'"),
        ("sample digits_mlp --nfe 1", "--nfe 1: one step costs 2 NFE"),
        ("sample digits_mlp --solver dopri5 --nfe 20", "chooses its own steps; leave --nfe"),
        ("sample digits_mlp --solver dopri5 --grid karras", "chooses its own steps"),
        ("sample digits_mlp --s-max 500", "the model covers 0.002 to 80"),
        ("sample digits_mlp --out x.jpg", "--out x.jpg: the suffix says what is written"),
        ("sample random_mixture", "samples of shape (16,) are neither images nor points"),
        ("sample random_mixture --out x.npz --gif x.gif", "--gif x.gif: samples of shape"),
        ("sample digits_mlp --device tpu9", "--device tpu9: is no device"),
        ("sample digits_mlp --out no.png/x.png", "cannot be written"),
        ("encode digits_mlp --solver ancestral", "is stochastic, so that data have no code"),
        ("encode digits_mlp --out codes.png", "codes are written to an .npz file"),
        ("encode digits_mlp --data none.npz", "none.npz: cannot be read"),
        ("encode digits_mlp --data none.png", "none.png: cannot be read"),
        ("encode digits_mlp --data small.npz", "samples of shape (1, 4, 4); the model's are"),
        ("encode digits_mlp --data high.npz", "levels go from 0 to 16"),
        ("encode digits_mlp --data nan.npz", "some numbers are not finite"),
        ("encode digits_mlp --data flat.npz", "'samples' must hold numbers"),
        ("encode gaussian_mixture --data whole.npz", "the model's data are real ones"),
        ("encode gaussian_mixture --data none.png", "samples (2,) are no images"),
        ("decode digits_mlp none.npz", "none.npz: cannot be read"),
        ("decode digits_mlp high.npz", "holds no array `codes`"),
        ("decode digits_mlp plane.npz", "codes of shape (2,); the model's samples are"),
        ("decode gaussian_mixture plane.npz", "was encoded up to s = 40"),
        ("decode gaussian_mixture torn.npz", "`record` is damaged"),
        ("interpolate digits_mlp --data small.npz", "the model's are (1, 8, 8)"),
        ("interpolate digits_mlp --data two.npz", "holds 2 samples, and 4 pairs are of 8"),
    ],
)
def test_mistakes_are_told_in_one_line(call: Call, arguments: str, message: str) -> None:
    Path("no.png").write_text("a file")
    np.savez("small.npz", samples=np.zeros((3, 1, 4, 4), np.uint8))
    np.savez("high.npz", samples=np.full((3, 1, 8, 8), 17, np.uint8))
    np.savez("two.npz", samples=np.zeros((2, 1, 8, 8), np.uint8))
    np.savez("nan.npz", samples=np.full((3, 1, 8, 8), np.nan, np.float32))
    np.savez("flat.npz", samples=np.zeros(3, np.float32))
    np.savez("whole.npz", samples=np.zeros((3, 2), np.int64))
    codes = np.zeros((3, 2), np.float32)
    record = np.frombuffer(json.dumps({"s_max": 40.0}).encode(), np.uint8)
    np.savez("plane.npz", codes=codes, record=record)
    np.savez("torn.npz", codes=codes, record=record[:-2])
    words = (
        ["sample", "digits_mlp", "--solver", "{name:"] if "{" in arguments else arguments.split()
    )
    with pytest.raises(BenchError) as error:
        call(*words)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_diverged_sampler_writes_nothing(call: Call) -> None:
    np.savez("codes.npz", codes=np.full((2, 2), 1e30, np.float32))
    with pytest.raises(BenchError, match="not finite; raise --nfe"):
        call("decode", "gaussian_mixture", "codes.npz", "--out", "x.png")
    assert not Path("x.png").exists()
