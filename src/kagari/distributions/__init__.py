"""torch.distributions: distributions, the regions of their values, and transforms between these."""

from . import constraints, transforms
from .cauchy import Cauchy
from .constraint_registry import biject_to, transform_to
from .distribution import Distribution, ExponentialFamily
from .exponential import Exponential
from .laplace import Laplace
from .normal import Normal
from .transforms import *  # noqa: F403
from .uniform import Uniform
