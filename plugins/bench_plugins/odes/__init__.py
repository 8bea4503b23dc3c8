"""General ODE methods applied to the probability-flow ODE in t."""

from bench.api import family
from bench_plugins.odes.adams import AdamsBashforth as AdamsBashforth
from bench_plugins.odes.adams import AdamsBashforthMoulton as AdamsBashforthMoulton
from bench_plugins.odes.adaptive import Bosh3 as Bosh3
from bench_plugins.odes.adaptive import Dopri5 as Dopri5
from bench_plugins.odes.adaptive import Dopri8 as Dopri8
from bench_plugins.odes.euler import Euler as Euler
from bench_plugins.odes.gauss import Gauss as Gauss
from bench_plugins.odes.heun import Heun as Heun
from bench_plugins.odes.heun3 import Heun3 as Heun3
from bench_plugins.odes.lobatto import LobattoIIIC as LobattoIIIC
from bench_plugins.odes.midpoint import Midpoint as Midpoint
from bench_plugins.odes.radau import RadauIIA as RadauIIA
from bench_plugins.odes.rk4 import RK4 as RK4
from bench_plugins.odes.rk45 import RK45 as RK45
from bench_plugins.odes.tsit5 import Tsit5 as Tsit5

bench_family = family(__name__)
