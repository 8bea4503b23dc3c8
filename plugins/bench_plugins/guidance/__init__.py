"""Guidance by a condition, a classifier, a weaker model, or a temperature."""

from bench.api import family
from bench_plugins.guidance.cfg import ClassifierFree as ClassifierFree

bench_family = family(__name__)
