"""A file's place is not its identity: equal files are one, and an edit is another, everywhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from bench.api import HELD_OUT, BenchError, FilePath, OdeSolver, Plugin, Problem, Time
from bench.core.plugin import file_parameters
from bench.files.contents import contents
from bench.registry import Entry, Kind, Registry, Source, load_registry
from bench.run.cell import Cell
from bench.run.params import Params
from bench.run.required_files import read_outside
from bench.run.runner import Request, plan_run
from bench.run.select import CellFilter
from bench.run.spec import PluginSpec
from bench_plugins.checkpoints.score_sde_recipes import PRESETS

Planner = Callable[[str], tuple[Cell, ...]]

PARAMETERS = {
    "diffusers": {"config_file"},
    "diffusers_unet": {"path", "held_out"},
    "discrete": {"weights", "table", "held_out"},
    "edm": {"path", "held_out"},
    "empirical": {"data"},
    "k_diffusion": {"path", "config", "held_out"},
    "module": {"weights", "held_out"},
    "score_sde": {"path", "recipe", "held_out"},
    "trained": {"weights"},
    **{
        name: {"weights", "against", "root"}
        for name in ("fd", "fd_infinity", "fid", "fid_infinity", "kd", "kid", "prc")
    },
    "inception_score": {"weights"},
    "code_agreement": {"weights"},
    **{name: {"file"} for name in ("oss", "ld3", "s4s", "amed", "epd")},
    "linear": {"matrix"},
    "lpips": {"weights", "vgg"},
    "table": {"file"},
}
"""The parameters of the package's plugins that name files."""


def test_every_parameter_that_names_a_file_is_known() -> None:
    found = {
        entry.name: set(file_parameters(entry.cls))
        for entry in load_registry().of(*Kind)
        if entry.source.distribution == "scorebench" and file_parameters(entry.cls)
    }
    assert found == PARAMETERS


def _images(levels: int = 0) -> np.ndarray[Any, Any]:
    return np.full((3, 1, 2, 2), levels, dtype=np.uint8)


def _npy(path: Path, levels: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, samples=_images(levels))


def _yaml(model: str) -> str:
    return f"suites:\n  a: {{models: [{model}], solvers: [ddim], nfe: [5], metrics: [rmse]}}\n"


# Those that a plan reads: only what makes sense has a key.
_READ = {
    "score_sde.recipe": "{{name: score_sde, path: main, recipe: '{file}'}}",
    "k_diffusion.config": "{{name: k_diffusion, path: main, config: '{file}'}}",
}
_CONFIG = {
    "model": {
        "type": "image_v1",
        "input_channels": 3,
        "input_size": [16, 16],
        "mapping_out": 32,
        "depths": [1],
        "channels": [32],
        "self_attn_depths": [False],
        "sigma_data": 0.5,
        "sigma_min": 0.01,
        "sigma_max": 80,
    }
}

# By parameter: the model's other files are there already, as FOLDER/main and FOLDER/beside.
_MODELS = {
    "module.weights": "{{name: module, factory: 'torch.nn:Identity', weights: '{file}'}}",
    "module.held_out": "{{name: module, factory: 'torch.nn:Identity', weights: main, "
    "held_out: '{file}'}}",
    "edm.path": "{{name: edm, path: '{file}'}}",
    "edm.held_out": "{{name: edm, path: main, held_out: '{file}'}}",
    "score_sde.path": "{{name: score_sde, path: '{file}'}}",
    "score_sde.held_out": "{{name: score_sde, path: main, held_out: '{file}'}}",
    "k_diffusion.path": "{{name: k_diffusion, path: '{file}'}}",
    "k_diffusion.held_out": "{{name: k_diffusion, path: main, held_out: '{file}'}}",
    "diffusers_unet.held_out": "{{name: diffusers_unet, path: folder, held_out: '{file}'}}",
    "empirical.data": "{{name: empirical, data: '{file}'}}",
    "trained.weights": "{{name: trained, weights: '{file}'}}",
}


_UNET = {"_class_name": "UNet2DModel", "sample_size": 32}
_DDPM = {"_class_name": "DDPMScheduler"}


@pytest.fixture(name="place")
def place_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are given in, with the files that models read besides."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main").write_bytes(b"main")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(_UNET), encoding="utf-8")
    (folder / "scheduler_config.json").write_text(json.dumps(_DDPM), encoding="utf-8")
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"weights")
    return tmp_path


def _key(cells_of: Planner, model: str) -> str:
    (cell,) = cells_of(_yaml(model))
    return cell.key


@pytest.mark.parametrize("parameter", _MODELS)
def test_equal_files_are_one_wherever_they_lie(
    parameter: str, cells_of: Planner, place: Path
) -> None:
    _npy(place / "alice/a.npz")
    (place / "bob's data").mkdir()
    shutil.copy("alice/a.npz", "bob's data/b.npz")
    (place / "link.npz").symlink_to("alice/a.npz")
    files = ("alice/a.npz", str(place / "alice/a.npz"), "./alice/../bob''s data/b.npz", "link.npz")
    before = {_key(cells_of, _MODELS[parameter].format(file=file)) for file in files}
    assert len(before) == 1
    _npy(place / "alice/a.npz", levels=1)
    os.utime("alice/a.npz", ns=(1, 1))
    assert _key(cells_of, _MODELS[parameter].format(file="alice/a.npz")) not in before


@pytest.mark.parametrize("parameter", _READ)
def test_equal_records_are_one_wherever_they_lie(
    parameter: str, cells_of: Planner, place: Path
) -> None:
    recipe = asdict(PRESETS[min(PRESETS)])
    written = json.dumps(_CONFIG if parameter.startswith("k_diffusion") else recipe)
    (place / "here.json").write_text(written, encoding="utf-8")
    (place / "there").mkdir()
    shutil.copy("here.json", "there/again.json")
    model = _READ[parameter]
    files = ("here.json", str(place / "here.json"), "there/again.json")
    before = {_key(cells_of, model.format(file=file)) for file in files}
    assert len(before) == 1
    (place / "here.json").write_text(written + " ", encoding="utf-8")
    assert _key(cells_of, model.format(file="here.json")) not in before


def test_folders_are_known_by_what_is_read_of_them(cells_of: Planner, place: Path) -> None:
    shutil.copytree("folder", "else/where")
    (place / "else/where/README.md").write_text("is not read", encoding="utf-8")
    model = "{{name: diffusers_unet, path: '{file}'}}"
    one, two = (_key(cells_of, model.format(file=f)) for f in ("folder", "else/where"))
    assert one == two
    other = json.dumps(_UNET | {"sample_size": 64})
    (place / "else/where/config.json").write_text(other, encoding="utf-8")
    assert _key(cells_of, model.format(file="else/where")) != one


def test_a_default_is_a_place_too(cells_of: Planner, place: Path) -> None:
    shutil.copy("main", "weights.safetensors")
    (by_default,) = cells_of(_yaml("trained"))
    (by_path,) = cells_of(_yaml(f"{{name: trained, weights: '{place}/main'}}"))
    assert by_default.key == by_path.key
    assert by_default.model.changed == by_path.model.changed


def test_a_shipped_data_set_and_its_copy_are_one(cells_of: Planner, place: Path) -> None:
    shutil.copy(HELD_OUT["digits"], "mine.safetensors")
    models = ("{name: empirical, data: digits}", "{name: empirical, data: mine.safetensors}")
    assert len({_key(cells_of, model) for model in models}) == 1
    assert _key(cells_of, "empirical") != _key(cells_of, models[0])


def test_what_is_missing_is_told_with_place_and_parameter(cells_of: Planner, place: Path) -> None:
    for parameter, model in (_MODELS | _READ).items():
        name = parameter.partition(".")[2]
        with pytest.raises(BenchError, match=rf"models\[0\]: .*{name} 'gone': No such file"):
            cells_of(_yaml(model.format(file="gone")))
    os.mkfifo("pipe")
    with pytest.raises(BenchError, match="neither a file nor a folder"):
        cells_of(_yaml("{name: edm, path: pipe}"))


def test_the_true_path_is_what_the_plugin_gets(cells_of: Planner, place: Path) -> None:
    (cell,) = cells_of(_yaml("{name: edm, path: main, held_out: folder/config.json}"))
    built: Any = cell.model.build(load_registry())
    assert (built.path, built.held_out) == ("main", "folder/config.json")
    told = cell.model.changed
    assert all(text.startswith("sha256:") and len(text) == 23 for text in told.values())
    assert cell.model.label() == "edm(held_out=folder/config.json, path=main)"
    assert CellFilter.parse(["folder/config.json"]).accepts(cell)


def test_a_copied_folder_of_results_has_nothing_to_run(
    place: Path, monkeypatch: pytest.MonkeyPatch, rows_of: Callable[[Cell], list[Any]]
) -> None:
    """Other people, other places: what was run is not run again."""
    for who, file in (("alice", "a.npz"), ("bob", "deep/b.npz")):
        _npy(place / who / file)
        text = _yaml(f"{{name: empirical, data: {file}}}").replace("nfe", "samples: 64, nfe")
        (place / who / "x.yaml").write_text(text, encoding="utf-8")
    registry = load_registry()

    def plan(who: str) -> Any:
        monkeypatch.chdir(place / who)
        return plan_run(Request(Path("x.yaml"), Path("results"), device="cpu"), registry)

    first = plan("alice")
    (cell,) = first.missing
    rows = rows_of(cell)
    assert {row["files"] for row in rows} == {json.dumps({_digest(rows): "a.npz"}, separators=",:")}
    first.store.write(cell.key, rows, None)
    shutil.copytree(place / "alice/results", place / "bob/results")
    assert plan("bob").missing == ()
    _npy(place / "bob/deep/b.npz", levels=3)
    os.utime(place / "bob/deep/b.npz", ns=(1, 1))
    assert len(plan("bob").missing) == 1


def _digest(rows: list[Any]) -> str:
    digest: str = json.loads(rows[0]["model_params"])["data"]
    return digest


def test_a_file_that_changes_after_the_plan_is_no_result_of_it(
    cells_of: Planner, place: Path, rows_of: Callable[[Cell], list[Any]]
) -> None:
    _npy(place / "a.npz")
    (cell,) = cells_of(_yaml("{name: empirical, data: a.npz}"))
    _npy(place / "a.npz", levels=2)
    os.utime("a.npz", ns=(1, 1))
    (row,) = rows_of(cell)
    assert row["status"] == "failed"
    assert "data 'a.npz' changed since the run was planned" in row["reason"]


@dataclass(frozen=True)
class Tabulated(OdeSolver):
    """A solver that reads its coefficients from files.

    Attributes:
        table: the file. others: more of them. order_: no file.
    """

    name: ClassVar[str] = "tabulated"
    reference: ClassVar[str] = "nobody"
    order: ClassVar[int] = 1

    table: FilePath = ""
    others: tuple[FilePath, ...] = ()
    folder: FilePath | None = None
    order_: str = "table"

    @property
    def evaluations(self) -> int:
        return 1

    def step(self, problem: Problem, x: Any, now: Time, then: Time, history: Any = None) -> Any:
        return x


def _spec(plugin: Plugin) -> PluginSpec:
    entry = Entry(Kind.ODE_SOLVER, Tabulated, Source("d", "1", "p", "c"))
    return PluginSpec.of(entry, plugin, read_outside(plugin))


def test_any_kind_of_plugin_may_name_files(place: Path) -> None:
    assert file_parameters(Tabulated) == ("table", "others", "folder")
    assert contents(Tabulated()) == {}
    assert _spec(Tabulated()).changed == Params()
    shutil.copy("main", "copy")
    shutil.copytree("folder", "again")
    one = _spec(Tabulated("main", ("main", "folder/config.json"), "folder"))
    two = _spec(Tabulated("copy", ("copy", "again/config.json"), "again"))
    assert (one.params, one.changed) == (two.params, two.changed)
    assert one.identity() == two.identity()
    assert one.label() != two.label()
    assert list(one.files().values()) == ["folder", "main, folder/config.json", "main"]
    built: Any = one.build(Registry((Entry(Kind.ODE_SOLVER, Tabulated, one.source),), ()))
    assert built.others == ("main", "folder/config.json")
    (place / "again/new").write_text("", encoding="utf-8")
    assert _spec(Tabulated("copy", ("copy", "again/config.json"), "again")).params != one.params
    (place / "again/loop").symlink_to(place / "again")
    contents(Tabulated(folder="again"))


@dataclass(frozen=True)
class Careful(Tabulated):
    """The same, that says itself what it reads.

    Attributes:
        table: of which the first letter counts alone. folder: a place that says nothing.
    """

    def contents(self) -> dict[str, str]:
        return {"table": Path(self.table).read_text(encoding="utf-8")[0], "folder": ""}


def test_a_plugin_may_say_what_it_reads(place: Path) -> None:
    (place / "other").write_text("more", encoding="utf-8")
    one, two = contents(Careful("main", folder="x")), contents(Careful("other", folder="y"))
    assert one == two
    assert one["folder"] == ""
    assert len(one["table"]) == len("sha256:") + 64


def test_what_a_type_checker_alone_imports_hides_no_file() -> None:
    @dataclass(frozen=True)
    class Odd(Tabulated):
        extra: "Unknown | None" = None  # type: ignore[name-defined]  # noqa: F821, UP037
        more: FilePath | None = None

    assert file_parameters(Odd) == ("table", "others", "folder", "more")
