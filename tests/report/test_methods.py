"""The paragraph on methods and its references: complete, and harmless whatever plugins say."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from bench.core.denoising import PAPERS
from bench.registry import Kind, load_registry
from bench.render.latex import latex_table
from bench.render.table import Table, table_rows, text_columns
from bench.report.bibliography import bibtex_file, cite, known, parse_bibtex
from bench.report.methods import methods
from bench.results.frame import prepare_frame
from bench.results.store import Store

HOSTILE = r"\input{/etc/passwd} } @misc{x, <script>alert(1)</script> $ & % # _ ^ ~"


ALWAYS = {"song2021score", "karras2022elucidating"}


def test_every_entry_has_what_bibtex_needs() -> None:
    carried = [parse_bibtex(entry.cls.bibtex) for entry in load_registry().entries]
    entries = {entry for some in (known(), *carried) for entry in some}
    keys = [entry.key for entry in entries]
    assert len(keys) == len(set(keys)) >= 45  # whoever carries an entry has the same text
    assert {entry.key for entry in known()} == ALWAYS
    for entry in entries:
        assert entry.text.count("{") == entry.text.count("}")
        for field in ("author", "title", "year"):
            assert f"  {field} = {{" in entry.text, entry.key


def test_every_arxiv_number_of_a_built_in_plugin_is_known() -> None:
    for entry in load_registry().entries:
        if not entry.cls.__module__.startswith("bench_plugins."):
            continue
        numbers = {citation.eprint for citation in parse_bibtex(entry.cls.bibtex)}
        for number in re.findall(r"arXiv:(\d+\.\d+)", entry.cls.reference):
            assert number in numbers, (entry.name, number)


def test_a_known_paper_is_cited_in_full() -> None:
    (entry,) = cite("Karras et al. 2022, arXiv:2206.00364, Algorithm 1")
    assert entry.key == "karras2022elucidating"
    swd = load_registry().get("swd", Kind.METRIC).cls
    assert [e.key for e in cite(swd.reference, swd.bibtex)] == [
        "rabin2011wasserstein",
        "bonneel2015sliced",
    ]


def test_a_strangers_paper_is_cited_in_its_own_words() -> None:
    (entry,) = cite("Doe 2026, arXiv:2601.00001, Algorithm 1")
    assert entry.text.startswith("@misc{doe2026-")
    assert "eprint = {2601.00001}" in entry.text
    assert "note = {Doe 2026, arXiv:2601.00001, Algorithm 1}" in entry.text
    assert cite("") == ()


def test_words_of_a_stranger_do_no_harm_in_bibtex() -> None:
    (entry,) = cite(HOSTILE)
    assert re.fullmatch(r"[a-z0-9-]+", entry.key)
    assert r"\input" not in entry.text
    assert bibtex_file([entry]).count("@misc{") == 1
    plain = entry.text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")


def test_words_of_a_stranger_do_no_harm_in_latex() -> None:
    columns, rows = text_columns(HOSTILE, "a"), table_rows([[HOSTILE, "1"]])
    text = latex_table(Table(HOSTILE, columns, rows, (HOSTILE,)))
    assert r"\input" not in text
    assert text.count(r"\textbackslash{}input") == 4
    assert not re.search(r"(?<!\\)[$#%_^~]", text.replace("% needs", "").replace("^", "^"))


def test_the_paragraph_names_and_cites_what_ran(results: pd.DataFrame) -> None:
    sources = '{"ddim":"a","mnist_unet":"b","rmse":"c"}'
    frame = prepare_frame(results.assign(plugin_sources=sources))
    references = {
        "ode_solver ddim": "Song et al. 2021, arXiv:2011.13456",
        "ode_solver heun": "Mine 2026",
        "metric rmse": "Karras et al. 2022, arXiv:2206.00364",
        "predictor never_ran": "Nobody 1999",
    }
    found = methods(frame, references, {})
    assert found is not None
    assert r"\texttt{ddim}~\cite{song2021score}" in found.paragraph
    assert r"\texttt{rmse}~\cite{karras2022elucidating}" in found.paragraph
    assert "5, 10, 20 and 40 network evaluations" in found.paragraph
    assert "Nobody" not in found.bibtex
    keys = set(re.findall(r"@\w+\{([^,]+),", found.bibtex))
    used = {
        k for keys in re.findall(r"\\cite\{([^}]+)\}", found.paragraph) for k in keys.split(",")
    }
    assert used == keys
    assert "euler_maruyama" in found.unknown


def test_options_of_the_denoiser_are_named_with_their_papers(results: pd.DataFrame) -> None:
    frame = prepare_frame(results.assign(denoising='{"afs":true}'))
    references = {f"denoising {name}": text for name, (text, _) in PAPERS.items()}
    entries = {f"denoising {name}": entry for name, (_, entry) in PAPERS.items()}
    found = methods(frame, references, entries)
    assert found is not None
    said = r"Done to the denoiser of some: \texttt{afs}~\cite{dockhorn2022genie}."
    assert said in found.paragraph
    assert "saharia" not in found.bibtex
    assert "@inproceedings{dockhorn2022genie" in found.bibtex
    assert "denoiser" not in str(methods(prepare_frame(results), references, entries))


@pytest.mark.parametrize("text", ["", "not json", "[1]"])
def test_results_without_references_have_a_paragraph(text: str, results: pd.DataFrame) -> None:
    found = methods(prepare_frame(results.assign(plugin_sources=text)), {}, {})
    assert found is not None
    assert set(re.findall(r"@\w+\{([^,]+),", found.bibtex)) == ALWAYS


def test_results_without_a_number_have_none(results: pd.DataFrame) -> None:
    assert methods(prepare_frame(results.assign(value=None)), {}, {}) is None


OWN = """@article{mine2026, title = {A {Title}}, year = {2026}}
@misc{other2025,
  title = {Other}
}"""


def test_a_plugin_that_carries_its_bibtex_is_cited_by_it(results: pd.DataFrame) -> None:
    frame = prepare_frame(results.assign(plugin_sources='{"ddim":"a","heun":"b"}'))
    references = {"ode_solver ddim": "Song 2020, arXiv:2010.02502", "ode_solver heun": "Doe 2026"}
    found = methods(frame, references, {"ode_solver ddim": OWN})
    assert found is not None
    assert r"\texttt{ddim}~\cite{mine2026,other2025}" in found.paragraph
    assert "@article{mine2026, title = {A {Title}}, year = {2026}}\n" in found.bibtex
    assert "song2021ddim" not in found.bibtex
    assert "@misc{doe2026-" in found.bibtex  # of words, where a plugin has no entry


@pytest.mark.parametrize("text", ["", "no entry", "@misc{x, title = {open", "@misc{}", "@"])
def test_bibtex_that_is_none_leaves_the_words(text: str) -> None:
    assert cite("Doe 2026", text) == cite("Doe 2026")


def test_bibtex_is_kept_with_the_results(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_references({"metric a": "A 2020"})
    assert (store.references(), store.bibtex()) == ({"metric a": "A 2020"}, {})
    store.write_references({"metric b": "B 2021"}, {"metric b": OWN})
    store.write_references({"metric a": "A 2020"})
    assert store.references() == {"metric a": "A 2020", "metric b": "B 2021"}
    assert store.bibtex() == {"metric b": OWN}
