"""Tasks: classes, and inverse problems with linear and other operators."""

from bench.api import family
from bench_plugins.tasks.classes import Classes as Classes
from bench_plugins.tasks.colourisation import Colourisation as Colourisation
from bench_plugins.tasks.deblurring import Deblurring as Deblurring
from bench_plugins.tasks.dense import Linear as Linear
from bench_plugins.tasks.dense import RandomLinear as RandomLinear
from bench_plugins.tasks.inpainting import Inpainting as Inpainting
from bench_plugins.tasks.phase_retrieval import PhaseRetrieval as PhaseRetrieval
from bench_plugins.tasks.super_resolution import SuperResolution as SuperResolution

bench_family = family(__name__)
