"""Where nothing is observed, parameters are chosen on noise that the test does not use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import load_results
from bench.config.load import load_config
from bench_tune.draws import FIRST_SEED, make_draws
from bench_tune.yaml_text import read_yaml

TASKS = "tasks: [{name: inpainting, mask: half}]"
FRESH = f"{FIRST_SEED},{FIRST_SEED + 1}"


def chosen(out: str) -> list[Any]:
    return [choice["tuned"].get("guidance.scale") for choice in json.loads(out)["choices"]]


@pytest.mark.parametrize(
    ("tasks", "written"),
    [
        ("tasks: [class]", {"name": "class"}),
        ("tasks: [{name: class, classes: 2}]", {"name": "class", "classes": 2}),
        ("tasks: [null]", None),
        ("samples: 32", None),
    ],
)
def test_other_seeds_choose_and_the_suites_own_stay_in_the_file(
    tune: Any, made: Any, suite: str, tmp_path: Path, tasks: str, written: Any
) -> None:
    """On the suite's seeds 3 is best, on all others 2."""
    text = suite.replace(TASKS, tasks).replace("    samples: 64\n", "")
    code, out, err = tune(text, "--json", "--out", "tuned.yaml")
    assert (code, err, chosen(out)) == (0, "", [2.0])
    assert made.ran == [("inverse", FRESH)]
    assert json.loads(out)["seeds"] == [FIRST_SEED, FIRST_SEED + 1]
    tuned = read_yaml(tmp_path / "tuned.yaml")["suites"]["inverse"]
    assert (tuned["tasks"], tuned["seeds"]) == ([written], [0, 1])
    load_config(tmp_path / "tuned.yaml")
    text = (tmp_path / "tuned.yaml").read_text(encoding="utf-8")
    assert "on validation draws alone" in text
    where = "task 'class'" if written else "no task"
    own = "class(classes=2)" if "classes" in tasks else "class" if written else "no task"
    assert f"# mixture, {own}, ddim with dps, NFE 10: guidance.scale = 2.0" in text
    assert f"({where}) the noise of the seeds {FRESH.replace(',', ', ')} chose" in text


def test_seeds_of_the_test_are_refused_by_name(tune: Any, made: Any, suite: str) -> None:
    text = suite.replace(TASKS, "tasks: [class, null]")
    code, out, err = tune(text, "--seeds", "5,1")
    assert (code, out, made.ran) == (2, "", [])
    assert err == (
        "bench: --seeds 5,1: the test run uses 1 too, and without observations (task 'class', no "
        "task) seeds alone keep the two apart; name others, or leave --seeds away\n"
    )
    assert (
        "the test run uses 0 too" in tune(text.replace("    seeds: [0, 1]\n", ""), "--seeds=0")[2]
    )
    assert tune(text, "--seeds", "5,6", "--json")[0] == 0
    assert made.ran == [("inverse", "5,6")] * 2
    assert tune(suite, "--seeds", "5,1", "--json")[0] == 0  # other observations


def test_in_a_mixed_suite_all_tasks_have_the_other_seeds(
    tune: Any, made: Any, suite: str, tmp_path: Path
) -> None:
    text = suite.replace(TASKS, "tasks: [{name: inpainting, mask: half}, class]")
    code, out, _ = tune(text, "--json", "--out", "tuned.yaml")
    assert (code, chosen(out)) == (0, [2.0, 2.0])
    assert made.ran == [("inverse", "validation"), ("inverse", FRESH)]
    rows = load_results(tmp_path / "results" / "b-validation")
    assert set(rows["seed"]) == {FIRST_SEED, FIRST_SEED + 1}
    suites = read_yaml(tmp_path / "tuned.yaml")["suites"]
    assert [body["tasks"] for body in suites.values()] == [
        [{"name": "inpainting", "split": "test"}],
        [{"name": "class"}],
    ]
    assert [body["seeds"] for body in suites.values()] == [[0, 1], [0, 1]]
    assert tune(text, "--seeds", "0")[0] == 2


def test_rows_of_the_tests_noise_are_refused(tune: Any, made: Any, suite: str) -> None:
    ran = made.run_suite

    def cheat(arguments: list[str]) -> int:
        file = Path(arguments[0])
        file.write_text(file.read_text().replace(str(FIRST_SEED + 1), "1"))
        return int(ran(arguments))

    made.run_suite = cheat
    code, _, err = tune(suite.replace(TASKS, "tasks: [class]"))
    assert (code, err) == (
        2,
        "bench: the results hold rows of other seeds than those of validation\n",
    )


def test_observations_that_do_not_split_are_refused(tune: Any, made: Any, suite: str) -> None:
    """A stranger's task may observe something and have no split: other noise is no other."""
    made.observes = True
    code, out, err = tune(suite.replace(TASKS, "tasks: [class]"))
    assert (code, out) == (2, "")
    assert err == (
        "bench: task 'class' has observations, but none for validation (no parameter `split`); "
        "leave it out of the suite\n"
    )
    assert tune(suite, "--json")[0] == 0


@pytest.mark.parametrize("own", [[0], [7, 3, 3], [FIRST_SEED, FIRST_SEED + 2, 0]])
def test_the_seeds_are_as_many_and_none_of_the_suites(own: list[int]) -> None:
    seeds = make_draws(own, ["class"], None).seeds
    assert len(set(seeds)) == len(seeds) == len(set(own))
    assert not set(seeds) & set(own)
    assert make_draws(own, [], None).seeds == tuple(own)


def test_a_scale_is_chosen_with_nothing_made_up(bench: Any, tmp_path: Path) -> None:
    """Guidance carries samples away from the classes: of scales >= 1 the least is nearest."""
    (tmp_path / "real.yaml").write_text(REAL, encoding="utf-8")
    done = bench("tune", "real.yaml", "--metric", "class_energy", "--out", "t.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert chosen(done.stdout) == [1.0]
    rows = load_results(tmp_path / "results" / "real-validation")
    assert set(rows["seed"]) == {FIRST_SEED}
    (one,) = load_config(tmp_path / "t.yaml").suites
    assert one.config.tasks == [{"name": "class", "classes": 2}]


REAL = """\
suites:
  a:
    models: [class_mixture]
    tasks: [{name: class, classes: 2}]
    solvers: [ddim]
    guidance: [{name: cfg, scale: [1.0, 4.0]}]
    nfe: [12]
    samples: 256
    metrics: [{name: tilted, reference_samples: 500}]
"""
