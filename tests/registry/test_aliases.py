"""Names of other projects: each makes a plugin, in YAML too, and unknown ones are refused."""

from __future__ import annotations

import ast
import json
import math
import re
from importlib import metadata
from pathlib import Path

import pytest
import torch

from bench.api import Alias, BenchError, OdeSolver, TimeGrid, make_plugin
from bench.config.load import load_config
from bench.registry import Kind, build, load_registry
from bench.registry.discovery import _assemble
from bench.registry.loading import Loaded
from bench.registry.point import PluginPoint
from bench.run.plan import make_plan
from bench.testing import process_of
from bench_aliases.commands import show_aliases
from bench_aliases.page import find_aliases, page
from bench_plugins.aliases import bench_aliases

KINDS = (Kind.PREDICTOR, Kind.ODE_SOLVER, Kind.GRID)
ALIASES = list(bench_aliases())

SUITE = """\
suites:
  a:
    models: [digits_mlp]
    grids: ["comfy:kl_optimal"]
    solvers: ["webui:Euler a", {name: "comfy:uni_pc", p: 2}]
    nfe: [10]
    metrics: [fd_digits]
"""


@pytest.mark.parametrize("alias", ALIASES, ids=[alias.name for alias in ALIASES])
def test_each_makes_a_plugin(alias: Alias) -> None:
    entry, params = load_registry().resolve(alias.name, *KINDS)
    assert entry.name == alias.plugin
    assert build(entry.cls, params) == build(entry.cls, alias.params)


def test_no_name_stands_twice() -> None:
    names = [alias.name for alias in ALIASES]
    assert len(set(names)) == len(names)
    assert {name.partition(":")[0] for name in names} == {"k", "diffusers", "comfy", "webui"}


def test_two_packages_cannot_give_one_name_to_two_plugins() -> None:
    def loaded(name: str, plugin: str) -> tuple[PluginPoint, Loaded]:
        entry_point = metadata.EntryPoint(name, "module", "scorebench.plugins")
        return PluginPoint(name, name, "1", entry_point), Loaded(aliases=(Alias("them:x", plugin),))

    registry = _assemble((loaded("one", "ddim"), loaded("two", "euler_a")))
    assert [alias.plugin for alias in registry.aliases] == ["ddim"]
    assert [item.entry_point for item in registry.broken] == ["two"]
    assert "alias 'them:x' is another plugin's too" in registry.broken[0].reason


def test_results_carry_our_own_name_and_parameters(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SUITE, encoding="utf-8")
    euler, unipc = make_plan(load_config(path), load_registry(), "cpu")
    assert (euler.solver.name, euler.grid and euler.grid.name) == ("euler_a", "cosine")
    assert unipc.solver.name == "unipc"
    # What stands beside the alias goes before its own.
    assert dict(unipc.solver.changed) == {"bh1": True, "lower_order_final": True}
    path.write_text(SUITE.replace("webui:Euler a", "euler_a").replace("comfy:kl_optimal", "cosine"))
    assert make_plan(load_config(path), load_registry(), "cpu")[0].key == euler.key


def test_an_unknown_one_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SUITE.replace("Euler a", "Eular a"), encoding="utf-8")
    with pytest.raises(BenchError, match=r"a\.yaml:5: .*did you mean 'webui:Euler a'"):
        make_plan(load_config(path), load_registry(), "cpu")
    with pytest.raises(BenchError, match="did you mean 'comfy:dpmpp_2m'"):
        find_aliases("comfy:dpmpp_2")


def test_an_alias_is_of_its_kind() -> None:
    assert make_plugin(OdeSolver, "comfy:uni_pc", {}).name == "unipc"
    assert make_plugin(TimeGrid, "webui:KL Optimal", {}).name == "cosine"
    with pytest.raises(BenchError, match="unknown grid 'comfy:uni_pc'"):
        make_plugin(TimeGrid, "comfy:uni_pc", {})


def test_the_page_is_the_list() -> None:
    kept = Path(__file__).parents[2] / "docs" / "aliases.md"
    assert kept.read_text(encoding="utf-8") == page(), "bench aliases --markdown > docs/aliases.md"


ROW = re.compile(r"^\| `(.+?)` \| `(\w+)(?:\((.*)\))?` \| (.*) \|$")
ROWS = [
    match
    for line in (Path(__file__).parents[2] / "docs" / "aliases.md").read_text("utf-8").splitlines()
    if (match := ROW.match(line))
]


@pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])
def test_each_line_of_the_page_is_what_the_registry_makes(row: re.Match[str]) -> None:
    """Read back: the plugin on the right is the one that the name on the left makes."""
    theirs, ours, inner, _ = row.groups()
    written = (
        {} if inner is None else ast.literal_eval("{" + re.sub(r"(\w+)=", r"'\1':", inner) + "}")
    )
    entry, params = load_registry().resolve(theirs, *KINDS)
    assert build(entry.cls, params) == build(load_registry().get(ours, *KINDS).cls, written)


def test_the_page_has_all() -> None:
    assert [row[1] for row in ROWS] == [
        alias.name
        for project in ("k", "diffusers", "comfy", "webui")
        for alias in ALIASES
        if alias.name.startswith(f"{project}:")
    ]


def test_levels_of_the_schedules_are_theirs() -> None:
    """By their formulas: n points from sigma_max to sigma_min, which n - 1 steps have here."""
    low, high, n = 0.03, 14.0, 12
    i = torch.arange(n, dtype=torch.float64) / (n - 1)
    angle = (math.atan(high) + i * (math.atan(low) - math.atan(high))).tan()
    ramp = (high ** (1 / 7) + i * (low ** (1 / 7) - high ** (1 / 7))) ** 7
    line = (math.log(high) + i * (math.log(low) - math.log(high))).exp()
    for names, wanted in (
        (("comfy:kl_optimal", "webui:KL Optimal"), angle),
        (("k:get_sigmas_karras", "comfy:karras", "webui:Karras"), ramp),
        (("k:get_sigmas_exponential", "comfy:exponential", "webui:Polyexponential"), line),
    ):
        for name in names:
            times = make_plugin(TimeGrid, name, {}).times(process_of("edm"), n - 1, low, high)
            found = torch.tensor([now.s for now in times], dtype=torch.float64)
            torch.testing.assert_close(found, wanted)


def test_the_command_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    show_aliases("webui:Euler a")
    assert capsys.readouterr().out.split() == ["webui:Euler", "a", "euler_a"]
    show_aliases("webui:UniPC", as_json=True)
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["plugin"], found["params"]["p"]) == ("unipc", 3)
