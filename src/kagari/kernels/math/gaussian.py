"""gelu and what it is made of. The normal distribution function to full accuracy is in error.py.

In f32 the upper tail of the normal distribution is a rational function of |x| (least squares,
reweighted to equal ripples; 1.1e-7 absolute, 0 from 5.5 on), which is a third of the work of ndtr.
gelu(x) = max(x, 0) - |x| tail(|x|) is then right to 2e-7 absolute for negative x.
"""

from .. import expr as e
from ..function import function
from .error import ndtr, normal_density
from .floats import poly

_CUT = 5.5
_TOP = (
    0.09090909361839294, -0.08652102947235107, 0.0333138145506382, -0.006479789037257433,
    0.000636007753200829, -2.5172899768222123e-05,
)  # fmt: skip
_BOTTOM = (
    1.0, -0.3356624245643616, 0.2716444730758667, -0.054015595465898514, 0.021228211000561714,
    -0.0005231497925706208, 3.84937011403963e-05, 0.0001793895789887756,
)  # fmt: skip


def _size(x: e.Expr) -> e.Expr:
    """|x|, at most the cut; NaN stays NaN."""
    return e.min(e.const(_CUT, x), e.abs(x))


def _tail(size: e.Expr) -> e.Expr:
    return (_CUT - size) * poly(size, _TOP) / poly(size, _BOTTOM)


@function
def normal_below(x):
    """P(a standard normal number is below x); in f32 with an absolute error of 1.2e-7."""
    if x.dtype != "f32":
        return ndtr(x)
    tail = _tail(_size(x))
    return e.where(x < 0, tail, 1 - tail)


@function
def gelu(x):
    """x * normal_below(x)."""
    if x.dtype != "f32":
        return x * ndtr(x)
    size = _size(x)
    return e.max(e.const(0, x), x) - size * _tail(size)


normal_below.derivative(lambda grad, x: grad * normal_density(x))
gelu.derivative(lambda grad, x: grad * (normal_below(x) + x * normal_density(x)))
