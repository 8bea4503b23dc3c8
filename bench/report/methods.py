"""A paragraph on methods, with its references, ready to paste: made from what ran."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.render.labels import tick
from bench.render.latex import escape
from bench.report.bibliography import BibtexEntry, bibtex_file, cite, known

MAX_NAMES = 40
"""Plugins of one kind that the paragraph names."""


@dataclass(frozen=True)
class Methods:
    """The paragraph.

    Attributes:
        paragraph: LaTeX, with citations.
        bibtex: the entries that it cites.
        unknown: plugins whose results came without a reference.
    """

    paragraph: str
    bibtex: str
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class _Writer:
    references: Mapping[str, str]
    bibtex: Mapping[str, str]

    def entries(self, kinds: Sequence[str], name: str) -> tuple[BibtexEntry, ...]:
        for kind in kinds:
            key = f"{kind} {name}"
            if key in self.references:
                return cite(self.references[key], self.bibtex.get(key, ""))
        return ()

    def name(self, kinds: Sequence[str], names: Iterable[str]) -> str:
        """Name the plugins, each with its citations."""
        every = sorted({name for name in names if name})
        parts = [_name(name) + _cite(self.entries(kinds, name)) for name in every[:MAX_NAMES]]
        if len(every) > MAX_NAMES:
            parts.append(f"{len(every) - MAX_NAMES} more")
        return _enumerate(parts)


def methods(
    frame: pd.DataFrame, references: Mapping[str, str], bibtex: Mapping[str, str]
) -> Methods | None:
    """Write the paragraph on a run; None for a run without a usable number.

    Args:
        frame: the prepared results.
        references: what plugins name as their papers, by kind and name.
        bibtex: the entries of those that carry their own, by kind and name.
    """
    usable = frame[frame["usable"]]
    if usable.empty:
        return None
    writer = _Writer(references, bibtex)
    names = _names(usable)
    entries = [e for kinds, some in names for name in some for e in writer.entries(kinds, name)]
    unknown = [
        name for kinds, some in names for name in some if name and not writer.entries(kinds, name)
    ]
    paragraph = " ".join(
        _sentences(usable, writer, dict(zip((*_KINDS, *_OTHERS), names, strict=True)))
    )
    return Methods(paragraph, bibtex_file([*known(), *entries]), tuple(sorted(set(unknown))))


_KINDS = ("model", "task", "process", "grid", "solver", "corrector", "guidance")
_OTHERS = ("denoising", "metric")


def _names(usable: pd.DataFrame) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return, for each kind, the kinds of plugin that it may be, and the names."""
    seen = {kind: sorted(set(usable[kind]) - {""}) for kind in _KINDS}
    others = {name for some in seen.values() for name in some}
    sources = {name for text in usable["plugin_sources"].unique() for name in _parse(text)}
    kinds = {"solver": ("ode_solver", "predictor")}
    found = [(kinds.get(kind, (kind,)), names) for kind, names in seen.items()]
    options = {name for text in usable["denoising"].unique() for name in _parse(text)}
    return [
        *found,
        (("denoising",), sorted(options)),
        (("metric",), sorted(sources - others)),
    ]


def _parse(text: object) -> list[str]:
    try:
        found = json.loads(str(text) or "{}")
    except ValueError:
        return []
    return [str(name) for name in found] if isinstance(found, dict) else []


def _sentences(
    usable: pd.DataFrame,
    writer: _Writer,
    names: Mapping[str, tuple[tuple[str, ...], list[str]]],
) -> Iterator[str]:
    def name(kind: str) -> str:
        return writer.name(*names[kind])

    protocol = _cite(known())
    core = sorted({str(core).split(" ")[0] for core in usable["core"]} - {""})
    version = f" {escape(', '.join(core))}" if core else ""
    yield (
        f"Samplers were compared with scorebench{version}, in the coordinates and with the noise "
        f"levels of the score-based framework{protocol}, on {name('model')} under "
        f"{name('process')}."
    )
    yield f"The samplers are {name('solver')}."
    heads = ("task", "Tasks"), ("corrector", "Correctors"), ("guidance", "Guidance")
    done = "denoising", "Done to the denoiser of some"
    for kind, head in (*heads, done, ("grid", "Time grids")):
        if names[kind][1]:
            yield f"{head}: {name(kind)}."
    yield from _budgets(usable)
    if names["metric"][1]:
        yield f"Metrics: {name('metric')}."
    yield from _uncertainty(usable)
    yield from _machine(usable)


def _budgets(usable: pd.DataFrame) -> Iterator[str]:
    budgets = sorted(usable["budget"].dropna().unique())
    finish = set(usable["finish"])
    included = {
        frozenset({"denoise"}): ", the final denoising evaluation included",
        frozenset({"none"}): ", without a final denoising evaluation",
    }.get(frozenset(finish), "")
    if budgets:
        yield (
            f"Budgets of {_enumerate([tick(b) for b in budgets])} network evaluations (NFE) per "
            f"sample were given; NFE are measured at the network{included}."
        )
    if usable["budget"].isna().any():
        yield "Adaptive solvers were run at several tolerances and stand at the NFE they spent."
    yield "All samplers start from the same noise, sample by sample."


def _uncertainty(usable: pd.DataFrame) -> Iterator[str]:
    counts = sorted(usable["samples"].dropna().unique())
    seeds = sorted(usable["seed"].dropna().unique())
    each = _enumerate([f"{count:.0f}" for count in counts[:6]])
    if len(seeds) > 1:
        yield (
            f"Figures are means over up to {len(seeds)} seeds of {each} samples each, with 95\\% "
            "intervals from Student's $t$ over seeds."
        )
    else:
        yield (
            f"Figures rest on one seed and {each} samples; 95\\% intervals, where given, are 1.96 "
            "standard errors within the run."
        )


def _machine(usable: pd.DataFrame) -> Iterator[str]:
    devices = sorted(set(usable["device"]) - {""})
    if devices:
        torch = _enumerate(sorted(map(escape, set(usable["torch"]) - {""})))
        dtypes = _enumerate(sorted(map(escape, set(usable["dtype"]) - {""})))
        yield (
            f"Computed in {dtypes} on {_enumerate(list(map(escape, devices[:4])))} with PyTorch "
            f"{torch}; times are of sampling alone, after a warm-up."
        )


def _name(name: str) -> str:
    return rf"\texttt{{{escape(name)}}}"


def _cite(entries: Sequence[BibtexEntry]) -> str:
    keys = ",".join(dict.fromkeys(entry.key for entry in entries))
    return rf"~\cite{{{keys}}}" if keys else ""


def _enumerate(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
