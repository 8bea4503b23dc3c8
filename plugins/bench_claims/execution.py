"""Runs the suites of claims as `bench run` does: cells, workers, resume."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.files.atomic import atomic_write
from bench.registry import load_registry
from bench.run.machine import WorkerOptions
from bench.run.progress import RichObserver
from bench.run.runner import Plan, Request, RunOutcome, execute_plan, plan_run
from bench.run.summary import doubt_lines, state_lines
from bench_claims.claim import Claim
from bench_claims.networks import missing_networks, train
from bench_claims.suite import benchmark_file, filters

FILE = "claims.yaml"
_REMEDY = "free space or choose another place with --out"


@dataclass(frozen=True)
class Job:
    """Claims to run, and their place.

    Attributes:
        every: all claims that there are; the results' plan is theirs.
        wanted: those to run.
        out: folder of the results, named after the run.
        seed: the first of the replicates.
        workers: processes; None: one per core.
    """

    every: Sequence[Claim]
    wanted: Sequence[Claim]
    out: Path
    seed: int
    workers: int | None = None

    def runnable(self) -> list[Claim]:
        """All claims, but for those whose networks nobody has asked for yet."""
        place = self.out / "networks"
        return [
            c for c in self.every if c in self.wanted or not missing_networks(c.networks, place)
        ]


def execute(job: Job, console: Console) -> RunOutcome:
    """Train what is missing, write the benchmark file, and run the cells that are missing.

    Raises:
        BenchError: bad input, or a training that failed.
    """
    place = job.out / "networks"
    missing = missing_networks([n for claim in job.wanted for n in claim.networks], place)
    if missing:
        console.print(f"training {len(missing)} small networks in {place}", markup=False)
        train(missing, place, job.workers or os.cpu_count() or 1)
    plan = _plan(job)
    for line in (*state_lines(plan), *doubt_lines(plan)):
        console.print(line, markup=False, soft_wrap=True)
    done = len(plan.wanted) - len(plan.missing)
    console.print(
        f"{plan.name}: {len(plan.missing)} cells to run, {done} finished before", markup=False
    )
    with RichObserver(console, plan.missing) as observer:
        return execute_plan(plan, WorkerOptions(job.workers, None), observer)


def _plan(job: Job) -> Plan:
    text = benchmark_file(job.runnable(), job.out.name, job.seed, job.out / "networks")
    file = job.out / FILE
    with atomic_write(file, _REMEDY) as path:
        path.write_text(text, encoding="utf-8")
    request = Request(file, job.out.parent, filters(job.wanted), "cpu")
    return plan_run(request, load_registry())
