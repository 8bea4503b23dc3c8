"""Schedulers of the installed diffusers, run as they are."""

from bench.api import family
from bench_plugins.diffusers_schedulers.grid import SchedulerLevels as SchedulerLevels
from bench_plugins.diffusers_schedulers.solver import DiffusersScheduler as DiffusersScheduler

bench_family = family(__name__)
