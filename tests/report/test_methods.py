"""The paragraph on methods and its references: complete, and harmless whatever plugins say."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from bench.registry import load_registry
from bench.render.latex import latex_table
from bench.render.table import Table, table_rows, text_columns
from bench.report.bibliography import ALWAYS, always, bibtex_file, cite, known
from bench.report.methods import methods
from bench.results.frame import prepared

HOSTILE = r"\input{/etc/passwd} } @misc{x, <script>alert(1)</script> $ & % # _ ^ ~"


def test_every_entry_has_what_bibtex_needs() -> None:
    keys = [entry.key for entry in known()]
    assert len(keys) == len(set(keys)) >= 45
    assert {entry.key for entry in always()} == set(ALWAYS)
    for entry in known():
        assert entry.text.count("{") == entry.text.count("}")
        assert bool(entry.eprint) or bool(entry.cited_as)
        assert "cited_as" not in entry.text
        for field in ("author", "title", "year"):
            assert f"  {field} = {{" in entry.text, entry.key


def test_every_arxiv_number_of_a_built_in_plugin_is_known() -> None:
    numbers = {entry.eprint for entry in known()}
    for entry in load_registry().entries:
        for number in re.findall(r"arXiv:(\d+\.\d+)", entry.cls.reference):
            assert number in numbers, (entry.name, number)


def test_a_known_paper_is_cited_in_full() -> None:
    (entry,) = cite("Song, Meng and Ermon 2020, arXiv:2010.02502, Eq. 12 with eta = 0")
    assert entry.key == "song2021ddim"
    assert [e.key for e in cite("Rabin et al. 2011; Bonneel et al. 2015")] == [
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
    frame = prepared(results.assign(plugin_sources=sources))
    references = {
        "ode_solver ddim": "Song, Meng and Ermon 2020, arXiv:2010.02502",
        "ode_solver heun": "Mine 2026",
        "metric rmse": "Karras et al. 2022, arXiv:2206.00364",
        "predictor never_ran": "Nobody 1999",
    }
    found = methods(frame, references, {})
    assert found is not None
    assert r"\texttt{ddim}~\cite{song2021ddim}" in found.paragraph
    assert r"\texttt{rmse}~\cite{karras2022elucidating}" in found.paragraph
    assert "5, 10, 20 and 40 network evaluations" in found.paragraph
    assert "Nobody" not in found.bibtex
    keys = set(re.findall(r"@\w+\{([^,]+),", found.bibtex))
    used = {
        k for keys in re.findall(r"\\cite\{([^}]+)\}", found.paragraph) for k in keys.split(",")
    }
    assert used == keys
    assert "euler_maruyama" in found.unknown


@pytest.mark.parametrize("text", ["", "not json", "[1]"])
def test_results_without_references_have_a_paragraph(text: str, results: pd.DataFrame) -> None:
    found = methods(prepared(results.assign(plugin_sources=text)), {}, {})
    assert found is not None
    assert set(re.findall(r"@\w+\{([^,]+),", found.bibtex)) == set(ALWAYS)


def test_results_without_a_number_have_none(results: pd.DataFrame) -> None:
    assert methods(prepared(results.assign(value=None)), {}, {}) is None
