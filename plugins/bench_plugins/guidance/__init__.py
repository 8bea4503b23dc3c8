"""Guidance by a condition, a classifier, a weaker model, or a temperature."""

from bench.api import family
from bench_plugins.guidance.apg import AdaptiveProjected as AdaptiveProjected
from bench_plugins.guidance.autoguidance import Autoguidance as Autoguidance
from bench_plugins.guidance.cfg import ClassifierFree as ClassifierFree
from bench_plugins.guidance.cfg_pp import CfgPlusPlus as CfgPlusPlus
from bench_plugins.guidance.classifier import ClassifierGuidance as ClassifierGuidance
from bench_plugins.guidance.temperature import Temperature as Temperature
from bench_plugins.guidance.tilted import TiltedDistance as TiltedDistance
from bench_plugins.guidance.zero_star import ZeroStar as ZeroStar

bench_family = family(__name__)
