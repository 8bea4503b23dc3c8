"""Real-valued sets in the plane whose denoisers, densities and samples are exact."""

from bench.api import family
from bench_plugins.points.checkerboard import Checkerboard as Checkerboard
from bench_plugins.points.clusters import EightGaussians as EightGaussians
from bench_plugins.points.curves import Pinwheel as Pinwheel
from bench_plugins.points.curves import SwissRoll as SwissRoll
from bench_plugins.points.curves import TwoMoons as TwoMoons
from bench_plugins.points.curves import TwoSpirals as TwoSpirals
from bench_plugins.points.rings import Rings as Rings

bench_family = family(__name__)
