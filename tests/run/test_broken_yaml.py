"""Whatever is wrong with a file, the user reads one line that names file, line, place, remedy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.cli import main as cli
from bench.config.document import read_document
from bench.config.load import load_config
from bench.config.schema import SuiteConfig
from bench.core.errors import BenchError
from bench.registry import load_registry
from bench.run.plan import make_plan

TOP = """\
suites:
  a:
"""
MODELS = "    models: [gaussian_mixture]\n"
SOLVERS = "    solvers: [ddim]\n"
NFE = "    nfe: [5]\n"
METRICS = "    metrics: [rmse]\n"
GOOD = TOP + MODELS + SOLVERS + NFE + METRICS
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


@dataclass(frozen=True)
class Broken:
    """A file and what its error must hold.

    Attributes:
        name: of the case.
        content: of the file.
        says: parts of the message.
        line: the line named, None where the whole file is meant.
        place: the dotted place, "" where there is none.
    """

    name: str
    content: str | bytes
    says: tuple[str, ...]
    line: int | None = None
    place: str = ""


def _grids(value: str) -> str:
    return f"{GOOD}    grids: [{value}]\n"


def _solver(value: str) -> str:
    return TOP + MODELS + f"    solvers: [{value}]\n" + NFE + METRICS


def _more(value: str) -> str:
    return f"{GOOD}    {value}\n"


BROKEN = (
    # Keys
    Broken("unknown key at the top", "suite:\n  a: {}\n", ("did you mean 'suites'?",), 1, "suite"),
    Broken("unknown key in a suite", _more("sampels: 9"), ("'samples'?",), 7, "suites.a.sampels"),
    Broken(
        "unknown key in a solver",
        _solver("ddim, {name: dopri5, rtoll: 1e-3}"),
        ("unknown key 'rtoll'", "did you mean 'rtol'?"),
        4,
        "suites.a.solvers[1].rtoll",
    ),
    Broken(
        "unknown key in a grid",
        _grids("{name: karras, roh: 7}"),
        ("did you mean 'rho'?",),
        7,
        "suites.a.grids[0].roh",
    ),
    Broken(
        "unknown key of a plugin without parameters",
        _solver("{name: ddim, eta: 1.0}"),
        ("unknown key 'eta'", "takes no parameters"),
        4,
        "suites.a.solvers[0].eta",
    ),
    Broken(
        "unknown key in the defaults",
        "defaults: {sampels: 3}\n" + GOOD,
        ("did you mean 'samples'?",),
        1,
        "defaults.sampels",
    ),
    Broken("key twice", _more("nfe: [6]"), ("'nfe'", "twice"), 7),
    Broken("top key twice", GOOD + GOOD, ("'suites'", "twice"), 7),
    Broken("number as a key", _more("5: 3"), ("key 5 must be a string",), 2, "suites.a"),
    Broken("null as a key", _more("null: 3"), ("must be a string",), 2, "suites.a"),
    Broken("list as a key", _more("[1, 2]: 3"), ("must be a string",), 2, "suites.a"),
    Broken("date as a key", "2020-01-01: 1\n" + GOOD, ("must be a string",), 1),
    Broken("key of two lines", '"a\\nb": 3\n' + GOOD, ("unknown key",), 1),
    # Types
    Broken("text for a number", _more("samples: '10'"), ("integer", "'10'"), 7, "suites.a.samples"),
    Broken("true for a number", _more("samples: true"), ("integer", "True"), 7, "suites.a.samples"),
    Broken("true for a budget", GOOD.replace("[5]", "[true]"), ("integer",), 5, "suites.a.nfe[0]"),
    Broken("10.0 for 10", _more("samples: 10.0"), ("integer",), 7, "suites.a.samples"),
    Broken(
        "text for a parameter",
        _grids("{name: karras, rho: '7'}"),
        ("number", "'7'"),
        7,
        "suites.a.grids[0].rho",
    ),
    Broken(
        "true for a parameter",
        _grids("{name: karras, rho: true}"),
        ("number",),
        7,
        "suites.a.grids[0].rho",
    ),
    Broken(
        "fraction for an integer parameter",
        TOP + MODELS + SOLVERS + NFE + "    metrics: [{name: rmse, samples: 3.5}]\n",
        ("integer",),
        6,
        "suites.a.metrics[0].samples",
    ),
    Broken(
        "text inside a nested list",
        TOP + "    models: [{name: gaussian_mixture, means: [[0.0, 1.0], [a, 1.0]]}]\n"
        "    solvers: [ddim]\n" + NFE + METRICS,
        ("number", "'a'"),
        3,
        "suites.a.models[0].means[1][0]",
    ),
    Broken("date for a number", _more("samples: 2020-01-01"), ("date",), 7, "suites.a.samples"),
    Broken(
        "date for a parameter",
        _solver("{name: dopri5, rtol: 2020-01-01}"),
        ("date",),
        4,
        "suites.a.solvers[0].rtol",
    ),
    Broken("bytes", _more("samples: !!binary aGVsbG8="), ("bytes",), 7, "suites.a.samples"),
    Broken("foreign tag", _more("samples: !x 3"), ("not allowed",), 7, "suites.a.samples"),
    Broken(
        "tag that would run a command",
        _more("samples: !!python/object/apply:os.system ['exit 1']"),
        ("integer",),
        7,
        "suites.a.samples",
    ),
    Broken("text for a list", GOOD.replace("[ddim]", "ddim"), ("list",), 4, "suites.a.solvers"),
    Broken("number for a list", GOOD.replace("[5]", "5"), ("list", "5"), 5, "suites.a.nfe"),
    Broken("number for a plugin", _solver("3"), ("plugin's name",), 4, "suites.a.solvers[0]"),
    Broken("plugin without name", _solver("{rtol: 3}"), ("name",), 4, "suites.a.solvers[0]"),
    Broken("suite is null", "suites:\n  a:\n", ("dictionary",), 2, "suites.a"),
    Broken("suites are a list", "suites: [a]\n", ("dictionary",), 1, "suites"),
    Broken("include is text", "include: a.yaml\n" + GOOD, ("list",), 1, "include"),
    # Values
    Broken("negative NFE", GOOD.replace("[5]", "[-5]"), ("greater than 0",), 5, "suites.a.nfe[0]"),
    Broken("NFE of zero", GOOD.replace("[5]", "[0]"), ("greater than 0",), 5, "suites.a.nfe[0]"),
    Broken("absurd NFE", GOOD.replace("[5]", "[1" + "0" * 12 + "]"), ("less",), 5, "suites.a.nfe"),
    Broken("no samples", _more("samples: 0"), ("greater than 0",), 7, "suites.a.samples"),
    Broken("too many samples", _more(f"samples: {10**20}"), ("less",), 7, "suites.a.samples"),
    Broken("negative s_min", _more("s_min: -0.1"), ("greater than 0",), 7, "suites.a.s_min"),
    Broken("s_min of nan", _more("s_min: .nan"), ("finite",), 7, "suites.a.s_min"),
    Broken("s_max of inf", _more("s_max: .inf"), ("finite",), 7, "suites.a.s_max"),
    Broken(
        "s_min above s_max",
        _more("s_min: 2.0") + "    s_max: 1.0\n",
        ("below s_max",),
        7,
        "suites.a.s_min",
    ),
    Broken("negative seed", _more("seeds: [-1]"), ("greater",), 7, "suites.a.seeds[0]"),
    Broken("huge seed", _more(f"seeds: [{2**63}]"), ("less",), 7, "suites.a.seeds[0]"),
    Broken("no time", _more("timeout: 0"), ("greater than 0",), 7, "suites.a.timeout"),
    Broken("unknown dtype", _more("dtype: float16"), ("'float32'",), 7, "suites.a.dtype"),
    Broken("unknown finish", _more("finish: maybe"), ("'denoise'",), 7, "suites.a.finish"),
    Broken(
        "parameter out of range",
        _grids("{name: karras, rho: -1}"),
        ("rho must be > 0",),
        7,
        "suites.a.grids[0]",
    ),
    Broken(
        "second value of a list out of range",
        _solver("{name: dopri5, rtol: [1e-3, -1.0]}"),
        ("rtol must be > 0",),
        4,
        "suites.a.solvers[0]",
    ),
    Broken(
        "parameter is nan",
        _grids("{name: karras, rho: .nan}"),
        ("finite",),
        7,
        "suites.a.grids[0].rho",
    ),
    Broken(
        "parameter is infinite",
        _grids("{name: karras, rho: .inf}"),
        ("finite",),
        7,
        "suites.a.grids[0].rho",
    ),
    Broken(
        "parameter overflows",
        _grids("{name: karras, rho: 1e400}"),
        ("finite",),
        7,
        "suites.a.grids[0].rho",
    ),
    Broken("number of 5000 digits", _more("samples: " + "9" * 5000), ("digits",)),
    # Lists
    Broken("no solvers", GOOD.replace("[ddim]", "[]"), ("empty",), 4, "suites.a.solvers"),
    Broken("no seeds", _more("seeds: []"), ("empty",), 7, "suites.a.seeds"),
    Broken(
        "no own grids",
        _solver("{name: ddim, grids: []}"),
        ("list of grids",),
        4,
        "suites.a.solvers[0].grids",
    ),
    Broken(
        "no corrector",
        _solver("{name: ancestral, corrector: []}"),
        ("empty", "null"),
        4,
        "suites.a.solvers[0].corrector",
    ),
    Broken(
        "models missing", TOP + SOLVERS + NFE + METRICS, ("'models' is missing",), 2, "suites.a"
    ),
    Broken("models null", GOOD.replace("[gaussian_mixture]", ""), ("list",), 3, "suites.a.models"),
    Broken("nfe missing", TOP + MODELS + SOLVERS + METRICS, ("'nfe' is missing",), 2, "suites.a"),
    # Plugins
    Broken("unknown solver", _solver("zzzzz"), ("ancestral", "rk4"), 4, "suites.a.solvers[0]"),
    Broken("misspelled solver", _solver("dddim"), ("'ddim'?",), 4, "suites.a.solvers[0]"),
    Broken("solver of two lines", _solver('"dd\\nim"'), ("unknown",), 4, "suites.a.solvers[0]"),
    Broken("a corrector is no solver", _solver("langevin"), ("unknown",), 4, "suites.a.solvers[0]"),
    Broken(
        "misspelled corrector",
        _solver("{name: ancestral, corrector: [null, langvin]}"),
        ("did you mean 'langevin'?",),
        4,
        "suites.a.solvers[0].corrector[1]",
    ),
    Broken(
        "corrector out of range",
        _solver("{name: ancestral, corrector: {name: langevin, snr: -1}}"),
        ("snr must be > 0",),
        4,
        "suites.a.solvers[0].corrector",
    ),
    Broken(
        "misspelled grid in the defaults",
        "defaults: {grids: [karas]}\n" + GOOD,
        ("did you mean 'karras'?",),
        1,
        "defaults.grids[0]",
    ),
    Broken(
        "data of a model missing",
        TOP + "    models: [{name: empirical, data: nowhere.npz}]\n" + SOLVERS + NFE + METRICS,
        ("nowhere.npz", "No such file"),
        3,
        "suites.a.models[0]",
    ),
    Broken(
        "data of a model with a zero byte",
        TOP + '    models: [{name: empirical, data: "a\\0b"}]\n' + SOLVERS + NFE + METRICS,
        ("empirical",),
        3,
        "suites.a.models[0]",
    ),
    # Names
    Broken("run climbs out", "name: ../../x\n" + GOOD, ("cannot name a folder",), 1, "name"),
    Broken("run is '..'", "name: '..'\n" + GOOD, ("cannot name a folder",), 1, "name"),
    Broken("run has a slash", "name: a/b\n" + GOOD, ("cannot name a folder",), 1, "name"),
    Broken("run without name", "name: ''\n" + GOOD, ("cannot name a folder",), 1, "name"),
    Broken("run is a number", "name: 5\n" + GOOD, ("string",), 1, "name"),
    Broken("run of two lines", 'name: "a\\n"\n' + GOOD, ("cannot name a folder",), 1, "name"),
    Broken("suite climbs out", GOOD.replace("  a:", "  ../a:"), ("use letters",), 2, "suites.../a"),
    # Includes
    Broken("includes itself", "include: [self.yaml]\n" + GOOD, ("self.yaml -> self.yaml",), 1),
    Broken("includes nothing", "include: [no.yaml]\n" + GOOD, ("no file 'no.yaml'",), 1),
    Broken("includes a folder", "include: ['.']\n" + GOOD, ("no file '.'",), 1, "include[0]"),
    Broken("includes a zero byte", 'include: ["a\\0"]\n' + GOOD, ("zero byte",), 1, "include[0]"),
    # No YAML, or none of ours
    Broken("empty", "", ("is empty",)),
    Broken("only comments", "# to do\n# more to do\n", ("is empty",)),
    Broken("no suites", "name: x\n", ("defines no suites",)),
    Broken("list at the top", "- a\n- b\n", ("must be a mapping", "list"), 1),
    Broken("text at the top", "hello\n", ("must be a mapping", "string"), 1),
    Broken("binary", bytes(range(256)), ("not UTF-8",)),
    Broken("Latin-1", "name: é\n".encode("latin-1"), ("not UTF-8",)),
    Broken("UTF-16", GOOD.encode("utf-16"), ("not UTF-8",)),
    Broken("zero byte", b"name: \x00\n", ("not valid YAML",)),
    Broken("tab", "suites:\n\ta: 1\n", ("not valid YAML", "\\t"), 2),
    Broken("indentation", "suites:\n  a:\n      b: 1\n    c: 2\n", ("not valid YAML",), 4),
    Broken("open bracket", "suites: [a, b\n", ("not valid YAML",), 2),
    Broken("two colons", "suites: a: b\n", ("not valid YAML",), 1),
    Broken("two documents", GOOD + "---\n" + GOOD, ("another document",), 7),
    Broken("unknown alias", "suites: *nowhere\n", ("undefined alias",), 1),
    Broken("alias of itself", "suites: &a\n  x: *a\n", ("suites.x",), 2, "suites.x"),
    Broken("merges itself", "suites: &a\n  <<: *a\n", ("not valid YAML",)),
    Broken("billion laughs", LAUGHS, ("more than 100000 values",)),
    Broken("deep", "suites: " + "[" * 100 + "]" * 100, ("50 levels",)),
    Broken("very deep", "suites: " + "- " * 50_000, ("not valid YAML",)),
    Broken("huge", "#" * 1_100_000, ("more than 1000000", "split it")),
)


def _message(path: Path) -> str:
    with pytest.raises(BenchError) as caught:
        make_plan(load_config(path), load_registry(), "cpu")
    return str(caught.value)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_names_file_line_place_and_cause(
    broken: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = broken.content
    path = Path("self.yaml")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = _message(path)
    assert message.splitlines() == [message]
    assert message.startswith("self.yaml:")
    assert all(part in message for part in broken.says), message
    if broken.line is not None:
        assert message.startswith(f"self.yaml:{broken.line}:"), message
    if broken.place:
        assert broken.place in message


def test_the_pattern_of_all_these_files_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert len(make_plan(load_config(path), load_registry(), "cpu")) == 1


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert len(load_config(path).suites) == 1


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert _message(tmp_path / "no.yaml").startswith(f"{tmp_path}/no.yaml: there is no such file")
    assert _message(tmp_path).startswith(f"{tmp_path}: is a folder")


def test_a_loop_of_includes_is_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("include: [b.yaml]\n", encoding="utf-8")
    Path("b.yaml").write_text("include: [sub/../a.yaml]\n", encoding="utf-8")
    Path("sub").mkdir()
    message = _message(Path("a.yaml"))
    assert message.startswith("b.yaml:1: include[0]: ")
    assert "a.yaml -> b.yaml -> a.yaml" in message


def test_a_suite_twice_names_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(GOOD, encoding="utf-8")
    Path("two.yaml").write_text("include: [one.yaml]\n" + GOOD, encoding="utf-8")
    message = _message(Path("two.yaml"))
    assert message == "two.yaml:3: suites.a: suite 'a' stands in one.yaml too; rename one"


def test_a_fault_in_an_included_file_names_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.yaml").write_text(_solver("dddim"), encoding="utf-8")
    Path("two.yaml").write_text("include: [one.yaml]\n", encoding="utf-8")
    assert _message(Path("two.yaml")).startswith("one.yaml:4: suites.a.solvers[0]: ")


@pytest.mark.parametrize(
    "name",
    [
        "unknown key in a suite",
        "empty",
        "binary",
        "billion laughs",
        "run climbs out",
        "merges itself",
    ],
)
def test_the_command_line_prints_that_one_line_and_exits_with_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = next(item for item in BROKEN if item.name == name)
    content = broken.content
    monkeypatch.chdir(tmp_path)
    Path("self.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setattr("sys.argv", ["bench", "run", "self.yaml"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"bench: self\.yaml:.+\n", err)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["self.yaml"]


def test_the_command_line_in_a_process_of_its_own(bench: Any) -> None:
    (bench.folder / "b.yaml").write_text(_solver("dddim"), encoding="utf-8")
    done = bench("run", "b.yaml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "bench: b.yaml:4: suites.a.solvers[0]: unknown predictor or ode solver 'dddim'; "
        "did you mean 'ddim'?\n"
    )


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["ddim", "gaussian_mixture", "rmse", "karras", "x", "", "\n", "*a", "&a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "rtol", "grids", "corrector", "x"]), inner)
    ),
    max_leaves=6,
)
_KEYS = st.sampled_from(sorted(f.name for f in fields(SuiteConfig)))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.dictionaries(_KEYS, _VALUES))
def test_no_content_of_a_suite_escapes_as_another_error(
    body: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(json.dumps({"suites": {"a": body}}), encoding="utf-8")
    message = ""
    try:
        make_plan(load_config(path), load_registry(), "cpu")
    except BenchError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text("ab:-[]{}&*!<>|#'\",\n\t ?%@\\~0.1e", max_size=40))
def test_no_text_escapes_as_another_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    message = ""
    try:
        read_document(path)
    except BenchError as error:
        message = str(error)
    assert len(message.splitlines()) <= 1
