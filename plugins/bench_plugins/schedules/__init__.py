"""Grids of image and video pipelines, and grids with steps of equal error."""

from bench.api import family
from bench_plugins.schedules.beta import Beta as Beta
from bench_plugins.schedules.bong_tangent import BongTangent as BongTangent
from bench_plugins.schedules.equal_error import EqualError as EqualError
from bench_plugins.schedules.linear_quadratic import LinearQuadratic as LinearQuadratic

bench_family = family(__name__)
