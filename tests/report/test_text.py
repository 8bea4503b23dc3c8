"""Labels and file names from whatever names plugins have."""

from __future__ import annotations

import re

import pytest

from bench.render.labels import letters, number, shorten_label, slug, tick, with_half_width


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "../../etc/passwd", "", "___", "名前", "a" * 500, "a\0b\n"],
)
def test_slugs_are_safe_file_names(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", slug(name))


def test_long_names_are_shortened_in_the_middle() -> None:
    short = shorten_label("dpm_solver(" + "a" * 500 + ", order=3)", 40)
    assert len(short) == 40
    assert short.startswith("dpm_solver(")
    assert short.endswith("order=3)")


@pytest.mark.parametrize(("name", "shown"), [("a\nb\x1b", "a b"), ("", "(no name)"), ("_x", " _x")])
def test_names_fit_on_one_line(name: str, shown: str) -> None:
    assert shorten_label(name, 20) == shown


@pytest.mark.parametrize(
    ("value", "half_width", "shown"),
    [
        (2.01234, 0.0237, "2.012 ± 0.024"),
        (121.4, 17.2, "121 ± 17"),
        (3.0451e-5, 2.1e-8, "3.045e-05 ± 2e-08"),
        (0.12742, 0.00007, "0.127420 ± 0.000070"),
        (2.5, float("nan"), "2.5"),
        (2.5, 0.0, "2.5"),
        (0.0, 0.1, "0.00 ± 0.10"),
        (float("nan"), 0.1, "–"),
    ],
)
def test_values_have_the_digits_that_their_interval_leaves(
    value: float, half_width: float, shown: str
) -> None:
    assert with_half_width(value, half_width) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, "5"),
        (0.02, "0.02"),
        (20000, "20 000"),
        (1e-7, "10⁻⁷"),
        (2e6, "2×10⁶"),
        (0, ""),
        (float("nan"), ""),
    ],
)
def test_ticks_are_plain_text(value: float, shown: str) -> None:
    assert tick(value) == shown


def test_numbers_have_four_digits() -> None:
    assert number(1234.56) == "1235"


def test_protocols_have_letters_where_there_are_several() -> None:
    assert letters(1) == [""]
    assert letters(3) == ["A", "B", "C"]
    assert len(set(letters(40))) == 40
