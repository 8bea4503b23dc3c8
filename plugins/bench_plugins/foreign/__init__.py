"""Samplers that were written for other programs, run as they are."""

from bench.api import family
from bench_plugins.foreign.adaptive import AdaptiveFunction as AdaptiveFunction
from bench_plugins.foreign.function import Function as Function

bench_family = family(__name__)
