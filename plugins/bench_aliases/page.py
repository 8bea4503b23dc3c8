"""Aliases as text and as a page of the documentation."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from bench.api import Alias, BenchError
from bench.registry import load_registry
from bench_plugins.aliases import bench_aliases

_HEAD = """\
# Names people know

Made by `bench aliases --markdown > docs/aliases.md`; do not edit.

These names stand in YAML and in `--solver` wherever a plugin's own stands: `solvers:
["comfy:dpmpp_2m_sde"]`. Results carry the plugin's own name and parameters, and so are the same,
and found again, under any of the names. Parameters beside an alias go before its own:
`{name: "comfy:dpmpp_2m_sde", eta: 0.5}`. `bench aliases NAME` looks one up.

A schedule of theirs ends with a step to 0, which is the final denoise here: N steps of theirs are
N - 1 of ours and the denoise, N evaluations of a method with one a step.

**Difference** begins with the largest difference of samples (of levels, for grids) that was
measured, as share of the largest one. Of k-diffusion: 20 steps of `karras` from 50 to 0.01, float64
and the same noise. Of diffusers: on the scheduler's own levels, which are float32; see
[schedulers.md](schedulers.md). ComfyUI and the web UI have k-diffusion's functions under names of
their own; they were not run.
"""
_PROJECTS: Mapping[str, str] = {
    "k": "k-diffusion",
    "diffusers": "diffusers",
    "comfy": "ComfyUI",
    "webui": "Stable Diffusion web UI",
}


def find_aliases(name: str) -> list[Alias]:
    """The aliases of a project, the one called ``name``, or all of ""; of all packages.

    Raises:
        BenchError: there is none.
    """
    every = load_registry().aliases
    found = [a for a in every if name in ("", a.name, a.name.partition(":")[0])]
    if not found:
        names = [alias.name for alias in every]
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
        advice = f"did you mean {' or '.join(map(repr, close))}?" if close else "see bench aliases"
        raise BenchError(f"unknown alias '{name}'; {advice}")
    return found


def text(aliases: Sequence[Alias]) -> str:
    """A line for each."""
    width = max(len(alias.name) for alias in aliases)
    return "\n".join(
        f"{alias.name:<{width}}  {_call(alias)}{f'  ({alias.note})' if alias.note else ''}"
        for alias in aliases
    )


def page() -> str:
    """docs/aliases.md: those of this package."""
    return "\n".join([_HEAD, *_sections(list(bench_aliases()))])


def _sections(every: Sequence[Alias]) -> Iterator[str]:
    for project, title in _PROJECTS.items():
        yield f"## {title}\n\n| theirs | ours | difference |\n|---|---|---|"
        for alias in every:
            if alias.name.startswith(f"{project}:"):
                yield f"| `{alias.name}` | `{_call(alias)}` | {alias.note} |"
        yield ""


def _call(alias: Alias) -> str:
    inner = ", ".join(f"{key}={value}" for key, value in alias.params.items())
    return f"{alias.plugin}({inner})" if inner else alias.plugin
