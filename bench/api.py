"""All that plugins import of the host: contracts, drivers, helpers and ``hookimpl``."""

from bench.core.arithmetic import tf32
from bench.core.brownian import BrownianPath
from bench.core.calibrate import calibrate
from bench.core.calibration import Calibration
from bench.core.classes import NO_CLASS, ClassDenoiser, Conditional
from bench.core.combine import combine
from bench.core.denoising import Denoising
from bench.core.errors import BenchError, UnsupportedError, first_line
from bench.core.frechet import Moments, frechet_distance, frechet_influence, root_factor
from bench.core.grid import FixedTimes, TimeGrid, times_at_levels, uniform_times, unit_interval
from bench.core.guidance import Given, Guidance, Guided, Passes
from bench.core.guided import guide
from bench.core.history import Evaluation, History, Past, weighted_terms
from bench.core.karras import karras_heun, karras_times
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
from bench.core.model import CountedDenoiser, Denoiser, from_eps, from_score
from bench.core.multistep import (
    AdamsBashforthInS,
    HighestOrder,
    Multistep,
    MultistepOdeSolver,
    MultistepPredictor,
)
from bench.core.noise import SHARD, NoiseStream
from bench.core.observation import LinearOperator, Observation, Operator
from bench.core.papers import paper
from bench.core.per_model import per_model
from bench.core.per_sample import (
    PerSample,
    PerSampleOdeSolver,
    PerSamplePredictor,
    TriedStep,
    Walk,
    WalkStart,
)
from bench.core.plugin import Alias, FilePath, Plugin, require
from bench.core.problem import Problem
from bench.core.process import NoiseProcess, Time
from bench.core.quadrature import Exponential, adams_weights
from bench.core.role import Role
from bench.core.rows import ForSamples, RowNetwork, rows_of
from bench.core.runge_kutta import EULER, HEUN, KUTTA3, KUTTA4, ExplicitRungeKutta, Tableau
from bench.core.sample import Batch, Draw, Sampler, batch_problem, generate
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
    Conditionable,
    Describes,
    DiscreteData,
    ExactDistribution,
    ExactPosterior,
    Exports,
    Model,
    ScoreModel,
    Target,
)
from bench.core.task import InverseProblem, Question, Questions, Split, Task
from bench.core.trainable import (
    FeatureNetwork,
    Trainable,
    TrainableClassifier,
    TrainingRecord,
    TrainingTask,
)
from bench.core.uncertainty import Uncertainty
from bench.files import inert
from bench.files.arrays import load_tensors
from bench.files.asset import PREFIX, Asset, NeedsAssets, find_published
from bench.files.atomic import atomic_write, atomic_write_bytes
from bench.files.cache import cache_folder
from bench.files.catalogue import read_assets
from bench.files.hashing import file_sha256
from bench.files.held_out import HELD_OUT, HELD_OUT_LABELS
from bench.files.hub import HubFolder, hub_folder
from bench.files.lock import file_lock
from bench.files.offline import offline
from bench.files.weights import WeightsFile, read_weights, write_network, write_weights
from bench.hookspecs import family
from bench.identity.named import UnknownCodeError, code_identity, import_named
from bench.project import API_VERSION, hookimpl
from bench.registry import ParameterError, make_plugin

__all__ = [
    "API_VERSION",
    "EULER",
    "HELD_OUT",
    "HELD_OUT_LABELS",
    "HEUN",
    "KUTTA3",
    "KUTTA4",
    "NO_CLASS",
    "PREFIX",
    "SHARD",
    "Accumulator",
    "AdamsBashforthInS",
    "Adaptive",
    "AdaptiveOdeSolver",
    "AdaptivePredictor",
    "Alias",
    "Asset",
    "Batch",
    "BenchError",
    "BrownianPath",
    "Calibration",
    "ClassDenoiser",
    "Conditionable",
    "Conditional",
    "Corrector",
    "CountedDenoiser",
    "Denoiser",
    "Denoising",
    "Describes",
    "DiscreteData",
    "Divergence",
    "Draw",
    "Evaluation",
    "ExactDistribution",
    "ExactDivergence",
    "ExactPosterior",
    "ExplicitRungeKutta",
    "Exponential",
    "Exports",
    "FeatureNetwork",
    "FilePath",
    "FixedTimes",
    "ForSamples",
    "Given",
    "Guidance",
    "Guided",
    "HighestOrder",
    "History",
    "HubFolder",
    "HutchinsonDivergence",
    "InverseProblem",
    "LinearOperator",
    "Measurement",
    "Metric",
    "Model",
    "Moments",
    "Multistep",
    "MultistepOdeSolver",
    "MultistepPredictor",
    "NeedsAssets",
    "NoiseProcess",
    "NoiseStream",
    "Observation",
    "OdeSolver",
    "Operator",
    "ParameterError",
    "Passes",
    "Past",
    "PerSample",
    "PerSampleOdeSolver",
    "PerSamplePredictor",
    "Plugin",
    "Predictor",
    "Problem",
    "Question",
    "Questions",
    "Role",
    "RowNetwork",
    "SampleMetric",
    "Sampler",
    "ScoreModel",
    "SolverMetric",
    "Split",
    "Stepper",
    "Tableau",
    "Target",
    "Task",
    "Time",
    "TimeGrid",
    "Trainable",
    "TrainableClassifier",
    "TrainingRecord",
    "TrainingTask",
    "Trial",
    "TriedStep",
    "Uncertainty",
    "UnknownCodeError",
    "UnsupportedError",
    "Walk",
    "WalkStart",
    "WeightsFile",
    "adams_weights",
    "atomic_write",
    "atomic_write_bytes",
    "batch_problem",
    "cache_folder",
    "calibrate",
    "code_identity",
    "combine",
    "family",
    "file_lock",
    "file_sha256",
    "find_published",
    "first_line",
    "frechet_distance",
    "frechet_influence",
    "from_eps",
    "from_score",
    "generate",
    "guide",
    "hookimpl",
    "hub_folder",
    "import_named",
    "inert",
    "karras_heun",
    "karras_times",
    "load_tensors",
    "log_likelihood",
    "make_plugin",
    "offline",
    "paper",
    "per_model",
    "read_assets",
    "read_weights",
    "require",
    "root_factor",
    "rows_of",
    "tf32",
    "times_at_levels",
    "uniform_times",
    "unit_interval",
    "weighted_terms",
    "write_network",
    "write_weights",
]
