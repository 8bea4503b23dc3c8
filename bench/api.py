"""The only module of the host that plugins import: the contracts and ``hookimpl``."""

from bench.core.arithmetic import tf32
from bench.core.calibration import Calibration
from bench.core.classes import NO_CLASS, ClassDenoiser, Conditional
from bench.core.combine import combine
from bench.core.errors import BenchError, UnsupportedError
from bench.core.grid import TimeGrid, times_at_levels, unit_interval
from bench.core.history import Evaluation, History
from bench.core.likelihood import (
    Divergence,
    ExactDivergence,
    HutchinsonDivergence,
    log_likelihood,
)
from bench.core.metric import (
    Accumulator,
    Measurement,
    Metric,
    SampleMetric,
    SolverMetric,
    Trial,
)
from bench.core.model import CountedDenoiser, Denoiser, from_eps, from_score, rows_of
from bench.core.noise import SHARD, NoiseStream
from bench.core.plugin import FilePath, Plugin, require
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.quadrature import adams_weights
from bench.core.role import Role
from bench.core.sample import Batch, Draw, Sampler, generate
from bench.core.solver import (
    Adaptive,
    AdaptiveOdeSolver,
    AdaptivePredictor,
    Corrector,
    OdeSolver,
    Predictor,
    Stepper,
)
from bench.core.target import (
    Describes,
    DiscreteData,
    ExactDistribution,
    Exports,
    Model,
    ScoreModel,
    Target,
)
from bench.core.uncertainty import Uncertainty
from bench.files.asset import PREFIX, Asset, NeedsAssets, published
from bench.files.atomic import atomic_write, atomic_write_bytes
from bench.files.cache import cache_folder
from bench.files.catalogue import read_assets
from bench.files.hashing import file_sha256
from bench.files.hub import HubFolder, hub_folder
from bench.files.lock import file_lock
from bench.files.offline import offline
from bench.identity.named import UnknownCodeError, code_identity, import_named
from bench.project import API_VERSION, hookimpl

__all__ = [
    "API_VERSION",
    "NO_CLASS",
    "PREFIX",
    "SHARD",
    "Accumulator",
    "Adaptive",
    "AdaptiveOdeSolver",
    "AdaptivePredictor",
    "Asset",
    "Batch",
    "BenchError",
    "Calibration",
    "ClassDenoiser",
    "Conditional",
    "Corrector",
    "CountedDenoiser",
    "Denoiser",
    "Describes",
    "DiscreteData",
    "Divergence",
    "Draw",
    "Evaluation",
    "ExactDistribution",
    "ExactDivergence",
    "Exports",
    "FilePath",
    "History",
    "HubFolder",
    "HutchinsonDivergence",
    "Measurement",
    "Metric",
    "Model",
    "NeedsAssets",
    "NoiseProcess",
    "NoiseStream",
    "OdeSolver",
    "Plugin",
    "Predictor",
    "Problem",
    "Role",
    "SampleMetric",
    "Sampler",
    "ScoreModel",
    "SolverMetric",
    "Stepper",
    "Target",
    "Time",
    "TimeGrid",
    "Trial",
    "Uncertainty",
    "UnknownCodeError",
    "UnsupportedError",
    "adams_weights",
    "atomic_write",
    "atomic_write_bytes",
    "cache_folder",
    "code_identity",
    "combine",
    "file_lock",
    "file_sha256",
    "from_eps",
    "from_score",
    "generate",
    "hookimpl",
    "hub_folder",
    "import_named",
    "log_likelihood",
    "offline",
    "published",
    "read_assets",
    "require",
    "rows_of",
    "tf32",
    "times_at_levels",
    "unit_interval",
]
