"""Parameters are chosen on validation observations, and the test's are never looked at."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bench import load_results
from bench.config.load import load_config
from bench_tune.yaml_text import read_yaml


def chosen(out: str) -> list[Any]:
    return [choice["tuned"].get("guidance.scale") for choice in json.loads(out)["choices"]]


def test_the_best_on_validation_is_chosen_though_another_is_best_on_test(
    tune: Any, made: Any, suite: str, tmp_path: Path
) -> None:
    """Numbers of test observations that lie there say 3, and are not read."""
    content = json.loads(json.dumps({"tasks": [{"name": "inpainting", "split": "test"}]}))
    body = content | {
        "guidance": [{"name": "dps", "scale": [1.0, 2.0, 3.0, 4.0]}],
        "solvers": ["ddim"],
        "nfe": [10],
        "seeds": [0],
    }
    made.write(tmp_path / "results" / "b", "inverse", body)
    made.ran.clear()
    code, out, err = tune(suite, "--json", "--out", "tuned.yaml")
    assert (code, err, chosen(out)) == (0, "", [2.0])
    assert made.ran == [("inverse", "validation")]
    tuned = read_yaml(tmp_path / "tuned.yaml")["suites"]["inverse"]
    assert tuned["tasks"] == [{"name": "inpainting", "split": "test"}]
    (solver,) = tuned["solvers"]
    assert solver["guidance"] == [{"name": "dps", "scale": 2.0}]
    assert solver["grids"] == [{"name": "karras"}]
    kept = {name: tuned[name] for name in ("nfe", "seeds", "samples", "metrics")}
    assert kept == {"nfe": [10], "seeds": [0, 1], "samples": 64, "metrics": ["swd"]}
    assert "guidance" not in tuned


def test_rows_of_other_observations_are_refused(tune: Any, made: Any, suite: str) -> None:
    ran = made.run_suite

    def cheat(arguments: list[str]) -> int:
        file = Path(arguments[0])
        file.write_text(file.read_text().replace("split: validation", "split: test"))
        return int(ran(arguments))

    made.run_suite = cheat
    code, _, err = tune(suite)
    assert code == 2
    assert err == ("bench: the results hold rows of other observations than those of validation\n")


def test_the_file_says_how_it_was_chosen_and_is_one_of_bench_run(
    tune: Any, suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = suite.replace("nfe: [10]", "nfe: [10, 20]")
    monkeypatch.setenv("COLUMNS", "250")
    code, out, _ = tune(text, "--out", "tuned.yaml")
    assert code == 0
    assert "guidance.scale = 2.0" in out
    written = (tmp_path / "tuned.yaml").read_text(encoding="utf-8")
    assert "# Chosen by `bench tune b.yaml --metric swd` on validation observations" in written
    assert "# mixture, inpainting, ddim with dps, NFE 10: guidance.scale = 2.0 (0.105 +-" in written
    config = load_config(tmp_path / "tuned.yaml")
    assert config.name == "b-tuned"
    (one,) = config.suites  # the same choice at both budgets
    assert list(one.config.nfe) == [10, 20]


def test_choices_that_differ_by_budget_are_suites_of_their_own(
    tune: Any, made: Any, suite: str, tmp_path: Path
) -> None:
    made.loss = lambda split, scale, budget, seed: abs(scale - budget / 10)
    text = suite.replace("nfe: [10]", "nfe: [20, 30]")
    code, out, _ = tune(text, "--json", "--out", "tuned.yaml")
    assert (code, chosen(out)) == (0, [2.0, 3.0])
    suites = read_yaml(tmp_path / "tuned.yaml")["suites"]
    assert list(suites) == ["inverse-mixture-inpainting-nfe20", "inverse-mixture-inpainting-nfe30"]
    code, out, _ = tune(text, "--json", "--across-budgets")
    (choice,) = json.loads(out)["choices"]
    assert choice["budgets"] == [20, 30]
    assert (choice["tuned"], choice["tied"]) == ({"guidance.scale": 2.0}, True)


def test_a_larger_number_is_better_where_the_metric_says_so(
    tune: Any, made: Any, suite: str
) -> None:
    made.larger = True
    assert chosen(tune(suite, "--json")[1]) == [4.0]  # 4 is farthest from 2


def test_the_mean_over_seeds_has_the_error_of_their_spread(
    tune: Any, made: Any, suite: str
) -> None:
    made.loss = lambda split, scale, budget, seed: abs(scale - 2) + (0.0, 0.3, 0.6)[seed]
    _, out, _ = tune(suite, "--json", "--seeds", "0,1,2")
    (choice,) = json.loads(out)["choices"]
    assert choice["chosen"]["seeds"] == 3
    assert choice["chosen"]["value"] == pytest.approx(0.3)
    assert choice["chosen"]["std_error"] == pytest.approx(0.3 / math.sqrt(3))


def test_one_seed_has_the_error_within_the_run(tune: Any, made: Any, suite: str) -> None:
    made.std_error = 0.25
    _, out, _ = tune(suite, "--json", "--seeds", "5")
    (choice,) = json.loads(out)["choices"]
    assert choice["chosen"]["std_error"] == pytest.approx(0.25)


def test_within_one_standard_error_the_first_of_the_file_is_taken(
    tune: Any, made: Any, suite: str
) -> None:
    made.loss = lambda split, scale, budget, seed: (
        {1: 0.9, 2: 0.55, 3: 0.5, 4: 0.7}[int(scale)] + 0.2 * (seed - 0.5)
    )
    assert chosen(tune(suite, "--json")[1]) == [3.0]
    assert chosen(tune(suite, "--json", "--one-standard-error")[1]) == [2.0]
    code, _, err = tune(suite, "--one-standard-error", "--seeds", "0")
    assert code == 2
    assert "swd has no standard error; run two seeds or more" in err


@pytest.mark.parametrize(("scales", "edge"), [("[2.0, 3.0, 4.0]", True), ("[1.0, 2, 3]", False)])
def test_a_choice_at_the_edge_is_told(tune: Any, suite: str, scales: str, edge: bool) -> None:
    text = suite.replace("[1.0, 2.0, 3.0, 4.0]", scales)
    code, out, err = tune(text, "--json")
    (choice,) = json.loads(out)["choices"]
    assert (code, choice["at_edge"]) == (0, ["guidance.scale"] if edge else [])
    assert ("is at the edge of what was tried" in err) == edge


def test_the_default_value_of_a_parameter_is_known(tune: Any, made: Any, suite: str) -> None:
    """It stands in no table, since tables tell what differs from the defaults."""
    made.loss = lambda split, scale, budget, seed: scale
    _, out, err = tune(suite, "--json", "--out", "tuned.yaml")
    assert chosen(out) == [1.0]
    assert "guidance.scale = 1.0 is at the edge" in err
    (solver,) = read_yaml(Path("tuned.yaml"))["suites"]["inverse"]["solvers"]
    assert solver["guidance"] == [{"name": "dps", "scale": 1.0}]


def test_of_equal_means_the_first_is_taken_and_told(tune: Any, made: Any, suite: str) -> None:
    made.loss = lambda split, scale, budget, seed: abs(scale - 2.5)
    _, out, err = tune(suite, "--json")
    (choice,) = json.loads(out)["choices"]
    assert (choice["tuned"], choice["tied"]) == ({"guidance.scale": 2.0}, True)
    assert "several have the same mean" in err


def test_what_has_no_number_on_every_seed_is_not_chosen(tune: Any, made: Any, suite: str) -> None:
    def loss(split: str, scale: float, budget: int, seed: int) -> float | str:
        return "no luck" if (scale, seed) == (2.0, 1) else (scale - 2) ** 2 + 0.1 * scale

    made.loss = loss
    made.code = 1
    code, out, err = tune(suite, "--json")
    assert (code, chosen(out)) == (0, [1.0])
    assert "1 of 4 left out: 1 of 2 cells have a number; unsupported: no luck" in err
    (choice,) = json.loads(out)["choices"]
    assert [bool(c["reason"]) for c in choice["candidates"]] == [False, True, False, False]


def test_a_combination_without_any_number_is_exit_code_1(
    tune: Any, made: Any, suite: str, tmp_path: Path
) -> None:
    made.loss = lambda split, scale, budget, seed: "too dear" if budget == 10 else scale
    text = suite.replace("nfe: [10]", "nfe: [10, 20]")
    code, out, err = tune(text, "--json", "--out", "tuned.yaml")
    assert (code, chosen(out)) == (1, [None, 1.0])
    assert "NFE 10: no usable number: 0 of 2 cells have a number; unsupported: too dear" in err
    assert read_yaml(tmp_path / "tuned.yaml")["suites"]["inverse"]["nfe"] == [20]
    assert "left out, no usable number" in (tmp_path / "tuned.yaml").read_text(encoding="utf-8")


def test_a_metric_without_a_number_is_told_with_the_reason(
    tune: Any, made: Any, suite: str
) -> None:
    made.loss = lambda split, scale, budget, seed: "too dear"
    assert tune(suite)[0] == 2
    made.loss, made.larger = (lambda split, scale, budget, seed: scale), None
    code, _, err = tune(suite)
    assert (code, "no value of it is better than another" in err) == (2, True)


def test_bench_run_that_fails_is_the_last_word(tune: Any, made: Any, suite: str) -> None:
    made.code = 2
    assert tune(suite)[:2] == (2, "")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("seeds: [0, 1]", "seeds: 0", "`seeds` must be a list of whole numbers"),
        ("seeds: [0, 1]", "seeds: [-1]", "`seeds` must be a list of whole numbers"),
        ("mask: half", "split: validation", "names its split"),
        ("mask: half", "split: [test, validation]", "names its split"),
        ("[1.0, 2.0, 3.0, 4.0]", "1.0", "nothing to choose"),
        ("solvers: [ddim]", "solvers: [{every: predictor}]", "`every` stands for"),
        ("  inverse:\n", "  inverse: [\n", "is not valid YAML"),
        ("suites:", "{}", "is not valid YAML"),
        ("models: [mixture]", "<<: 5", "is not valid YAML"),
    ],
)
def test_what_cannot_be_tuned_is_one_line(
    tune: Any, made: Any, suite: str, before: str, after: str, message: str
) -> None:
    code, out, err = tune(suite.replace(before, after))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("bench: b.yaml")
    assert message in err
    assert made.ran == []


def test_options_that_make_no_sense_are_one_line(tune: Any, suite: str) -> None:
    two = suite + suite.partition("\n")[2].replace("inverse", "other")
    assert "name one of its suites with --suite: inverse, other" in tune(two)[2]
    assert "has no suite 'x', only: inverse" in tune(suite, "--suite", "x")[2]
    assert "write whole numbers" in tune(suite, "--seeds", "a")[2]
    Path("file").touch()
    assert "cannot be written" in tune(suite, "--out", "file/tuned.yaml")[2]
    assert tune(two, "--suite", "other", "--json")[0] == 0


def test_suites_of_included_files_and_defaults_are_found(
    tune: Any, made: Any, suite: str, tmp_path: Path
) -> None:
    head, _, body = suite.partition("suites:\n")
    assert head == ""
    (tmp_path / "other.yaml").write_text(
        "defaults: {nfe: [40]}\nsuites:\n" + body.replace("    nfe: [10]\n", ""), encoding="utf-8"
    )
    _, out, _ = tune("name: mine\ninclude: [other.yaml]\n", "--json")
    (choice,) = json.loads(out)["choices"]
    assert choice["budgets"] == [40]
    assert (tmp_path / "results" / "mine-validation.yaml").exists()
    code, _, err = tune("include: [b.yaml]\n")
    assert (code, "includes itself" in err) == (2, True)


def test_the_processes_that_it_starts(bench: Any, tmp_path: Path) -> None:
    """With nothing made up: a metric of the whole distribution is refused under the task."""
    (tmp_path / "real.yaml").write_text(REAL, encoding="utf-8")
    done = bench("tune", "real.yaml", "--metric", "swd")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "bench: --metric swd: the run has no usable number of that name, only: none; "
    )
    rows = load_results(tmp_path / "results" / "real-validation")
    assert set(rows["task_params"]) == {'{"split":"validation"}'}
    assert len(rows) == 2


REAL = """\
suites:
  a:
    models: [gaussian_mixture]
    tasks: [inpainting]
    solvers: [{name: ddim_eta, eta: [0.5, 1.0]}]
    guidance: [exact]
    nfe: [5]
    samples: 64
    metrics: [swd]
"""
