"""Tasks: classes, and inverse problems with linear and other operators."""

from bench.api import family
from bench_plugins.tasks.classes import Classes as Classes
from bench_plugins.tasks.inpainting import Inpainting as Inpainting

bench_family = family(__name__)
