"""One broken plugin never stops the host."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.api import BenchError
from bench.identity.host import core_hash
from bench.registry import Broken, Kind, Registry, load_registry

Install = Callable[..., None]
Load = Callable[[], Registry]

SOLVER = """
    from dataclasses import dataclass
    from typing import ClassVar
    from bench.api import OdeSolver, hookimpl

    @dataclass(frozen=True)
    class {cls}(OdeSolver[None]):
        name: ClassVar[str] = "{name}"
        reference: ClassVar[str] = "nobody 2026"
        order: ClassVar[int] = 1

        def step(self, problem, x, now, then, state):
            return x, None

    @hookimpl
    def bench_ode_solvers():
        return [{cls}]
"""


def _solver(name: str, cls: str = "Solver") -> str:
    return SOLVER.format(name=name, cls=cls)


HEADER = """
    from dataclasses import dataclass
    from typing import ClassVar
    from bench.api import NoiseProcess, OdeSolver, Plugin, Predictor, TimeGrid, hookimpl
"""

BROKEN: dict[str, tuple[str, str]] = {
    "raises at import": ("raise RuntimeError('no CUDA here')", "RuntimeError: no CUDA here"),
    "needs what is not there": (
        "import surely_not_installed_anywhere",
        "ModuleNotFoundError: No module named 'surely_not_installed_anywhere'",
    ),
    "exits at import": ("raise SystemExit(3)", "SystemExit: 3"),
    "does not parse": ("def broken(:", "SyntaxError"),
    "misspelled hook": (
        HEADER
        + """
    @hookimpl
    def bench_ode_solver():
        return []
""",
        "bench_ode_solver",
    ),
    "hook with arguments": (
        HEADER
        + """
    @hookimpl
    def bench_ode_solvers(config):
        return []
""",
        "config",
    ),
    "no hook at all": ("value = 3", "implements no hook; mark one with `bench.api.hookimpl`"),
    "hook raises": (
        HEADER
        + """
    @hookimpl
    def bench_ode_solvers():
        raise ValueError("half installed")
""",
        "ValueError: half installed",
    ),
    "hook exits": (
        HEADER
        + """
    @hookimpl
    def bench_ode_solvers():
        raise SystemExit("bye")
""",
        "SystemExit: bye",
    ),
    "hook raises while it is read": (
        HEADER
        + """
    @hookimpl
    def bench_ode_solvers():
        raise OSError("disk on fire")
        yield
""",
        "OSError: disk on fire",
    ),
    "hook returns nothing": (
        HEADER
        + """
    @hookimpl
    def bench_ode_solvers():
        pass
""",
        "None is not a subclass of bench.api.OdeSolver",
    ),
    "not a subclass": (
        HEADER
        + """
    class Stranger:
        pass

    @hookimpl
    def bench_ode_solvers():
        return [Stranger]
""",
        "is not a subclass of bench.api.OdeSolver",
    ),
    "an instance": (
        HEADER
        + """
    @hookimpl
    def bench_grids():
        return ["karras"]
""",
        "'karras' is not a subclass of bench.api.TimeGrid",
    ),
    "subclass of another kind": (
        _solver("wrong kind").replace("bench_ode_solvers", "bench_predictors"),
        "is not a subclass of bench.api.Predictor",
    ),
    "no reference": (
        _solver("anonymous").replace('reference: ClassVar[str] = "nobody 2026"', ""),
        "Solver: class attribute 'reference' must be a string",
    ),
    "no name": (
        _solver("nameless").replace('name: ClassVar[str] = "nameless"', ""),
        "Solver: class attribute 'name' must be a string",
    ),
    "no order": (
        _solver("disorder").replace("order: ClassVar[int] = 1", ""),
        "Solver: does not implement order",
    ),
    "not frozen": (
        _solver("melted").replace("@dataclass(frozen=True)", "@dataclass"),
        "Solver: must be decorated with @dataclass(frozen=True)",
    ),
    "not a dataclass": (
        _solver("plain").replace("@dataclass(frozen=True)", ""),
        "Solver: must be decorated with @dataclass(frozen=True)",
    ),
    "abstract": (
        _solver("abstract").replace("def step(", "def stepp("),
        "Solver: does not implement step",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_listed_with_its_reason_and_others_load(
    case: str, install: Install, load: Load
) -> None:
    source, reason = BROKEN[case]
    install("a_good_one", _solver("early"))
    install("broken_one", source, distribution="rusty", version="0.3")
    install("the_other", _solver("late"))
    registry = load()
    assert [entry.name for entry in registry.of(Kind.ODE_SOLVER)] == ["early", "late"]
    assert [item.entry_point for item in registry.broken] == ["broken_one"]
    (item,) = registry.broken
    assert (item.distribution, item.version) == ("rusty", "0.3")
    assert reason in item.reason
    assert "\n" not in item.reason


def test_an_undecorated_subclass_of_a_plugin_is_refused(install: Install, load: Load) -> None:
    """It would silently have its parent's parameters."""
    source = (
        _solver("parent")
        + """
    class Child(Solver):
        name: ClassVar[str] = "child"

    @hookimpl
    def bench_grids():
        return []
"""
    )
    install("family", source.replace("return [Solver]", "return [Solver, Child]"))
    registry = load()
    assert [entry.name for entry in registry.entries] == ["parent"]
    assert "Child: must be decorated" in registry.broken[0].reason


def test_one_class_may_break_beside_its_siblings(install: Install, load: Load) -> None:
    install("mixed", _solver("whole").replace("return [Solver]", "return [Solver, int]"))
    registry = load()
    assert [entry.name for entry in registry.entries] == ["whole"]
    assert "<class 'int'> is not a subclass" in registry.broken[0].reason


def test_a_name_of_two_distributions_names_both(install: Install, load: Load) -> None:
    install("one", _solver("twice"), distribution="first-dist")
    install("two", _solver("twice"), distribution="second-dist")
    install("three", _solver("once"), distribution="third-dist")
    registry = load()
    reasons = {item.distribution: item.reason for item in registry.broken}
    assert reasons == {
        "first-dist": "the ode solver name 'twice' is also claimed by 'second-dist'; "
        "rename it, or uninstall one of them",
        "second-dist": "the ode solver name 'twice' is also claimed by 'first-dist'; "
        "rename it, or uninstall one of them",
    }
    with pytest.raises(
        BenchError, match="'twice' is claimed by 'first-dist' and 'second-dist'; uninstall one"
    ):
        registry.get("twice", Kind.ODE_SOLVER)
    assert registry.get("once", Kind.ODE_SOLVER).source.distribution == "third-dist"


def test_predictors_and_ode_solvers_share_their_names(install: Install, load: Load) -> None:
    """Both stand in the list ``solvers:``."""
    predictor = _solver("shared").replace("OdeSolver", "Predictor")
    install("one", _solver("shared"), distribution="first-dist")
    install(
        "two",
        predictor.replace("bench_ode_solvers", "bench_predictors"),
        distribution="second-dist",
    )
    registry = load()
    assert {item.distribution for item in registry.broken} == {"first-dist", "second-dist"}
    with pytest.raises(BenchError, match="claimed by"):
        registry.get("shared", Kind.PREDICTOR, Kind.ODE_SOLVER)


def test_entry_points_without_a_distribution_load(
    install: Install, load: Load, points: list[object]
) -> None:
    install("orphan", _solver("lonely"))
    points[0].dist = None  # type: ignore[attr-defined]
    (entry,) = load().entries
    assert (entry.source.distribution, entry.source.version) == ("unknown", "unknown")


def test_misspelled_names_are_answered_with_the_nearest(install: Install, load: Load) -> None:
    install("one", _solver("dpm_solver_fast"))
    registry = load()
    with pytest.raises(BenchError) as caught:
        registry.get("dpm_solver_fats", Kind.ODE_SOLVER, Kind.PREDICTOR)
    assert str(caught.value) == (
        "unknown ode solver or predictor 'dpm_solver_fats'; did you mean 'dpm_solver_fast'?"
    )
    with pytest.raises(BenchError, match=r"there are: dpm_solver_fast \(see `bench plugins`\)"):
        registry.get("xyz", Kind.ODE_SOLVER)
    with pytest.raises(BenchError, match="unknown grid 'dpm_solver_fast'; there are: none"):
        registry.get("dpm_solver_fast", Kind.GRID)


def test_asking_for_a_broken_plugin_says_why_it_is_broken(install: Install, load: Load) -> None:
    install("fancy", "raise RuntimeError('needs a licence')", distribution="fancy-solvers")
    with pytest.raises(BenchError, match=r"'fancy' of 'fancy-solvers' is broken: .*a licence"):
        load().get("fancy", Kind.ODE_SOLVER)


def test_the_builtin_plugins_come_through_entry_points_and_none_is_broken() -> None:
    registry = load_registry()
    own = [entry for entry in registry.entries if entry.source.distribution == "scorebench"]
    names = {kind: {entry.name for entry in own if entry.kind is kind} for kind in Kind}
    assert [item for item in registry.broken if item.distribution == "scorebench"] == []
    assert names[Kind.PROCESS] >= {"ve", "vp", "subvp", "edm", "vp_cosine", "rectified_flow"}
    assert names[Kind.GRID] >= {"uniform_t", "quadratic", "log_snr", "exponential", "karras"}
    assert names[Kind.PREDICTOR] >= {"euler_maruyama", "reverse_diffusion", "ancestral"}
    assert names[Kind.CORRECTOR] >= {"langevin", "annealed_langevin"}
    assert names[Kind.ODE_SOLVER] >= {"euler", "heun", "rk4", "ddim", "edm_heun", "dpmpp_2m"}
    assert names[Kind.ODE_SOLVER] >= {"dopri5", "bosh3", "dopri8"}
    assert names[Kind.MODEL] >= {"gaussian_mixture", "random_mixture"}
    for entry in own:
        assert len(entry.cls.reference) > 10
        assert entry.cls.__doc__


def test_a_stranger_is_found_by_installed_metadata_alone(tmp_path: Path) -> None:
    """A distribution as pip leaves it, in a new interpreter."""
    (tmp_path / "strange_solver.py").write_text(
        "\n".join(line[4:] for line in _solver("strange").splitlines())
    )
    info = tmp_path / "strange_solvers-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange-solvers\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text("[scorebench.plugins]\nstrange = strange_solver\n")
    code = (
        "from bench.registry import *; r = load_registry();"
        "e = r.get('strange', Kind.ODE_SOLVER);"
        "print(e.source.distribution, e.source.version, e.source.entry_point, len(r.broken))"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split()[:3] == ["strange-solvers", "2.5", "strange"]


def test_code_hashes_follow_the_code(install: Install, load: Load) -> None:
    install("one", _solver("alpha"))
    install("two", _solver("alpha").replace("return x, None", "return 2 * x, None"))
    first, second = (entry.source.code for entry in load().entries)
    assert first != second
    assert len(first) == 16


def test_core_hash_names_version_and_mathematics() -> None:
    version, _, digest = core_hash().partition("+")
    assert version.count(".") == 2
    assert len(digest) == 16


def test_broken_items_are_values() -> None:
    assert Broken("a", "b", "1", "why") == Broken("a", "b", "1", "why")
