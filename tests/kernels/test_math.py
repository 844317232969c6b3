"""The stated errors of math/: every function against mpmath, interpreted and compiled."""

import math

import mpmath as mp
import numpy as np
import pytest
import running
import special_references as special

from kagari.kernels import define, interpret, runtime
from kagari.kernels import expr as e
from kagari.kernels.math import accuracy

OPS = define.load()
NUMPY = {"f32": np.float32, "f64": np.float64}
MANTISSA = {"f32": 23, "f64": 52}
SMALLEST = {"f32": -126, "f64": -1022}
INF, NAN = math.inf, math.nan


def normal(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_normal(x):
    return mp.log(normal(x)) if x < 0 else mp.log1p(-normal(-x))


def inverse_normal(p):
    """Newton's method on the logarithm, on the smaller side."""
    q = min(p, 1 - p)
    y = mp.mpf(0) if q > 0.4 else -mp.sqrt(-2 * mp.log(q) - mp.log(-2 * mp.log(q)) / 2)
    for _ in range(80):
        step = (mp.log(normal(y)) - mp.log(q)) * normal(y) * mp.sqrt(2 * mp.pi) * mp.exp(y * y / 2)
        y -= step
        if abs(step) < mp.mpf(2) ** -150:
            break
    return y if p <= 0.5 else -y


WIDE = ("log", 1e-300, 1e300)
# The exact function, and where it is sampled: (lin or log, from, to); log with both signs if "±".
REFERENCES = {
    "exp": (mp.exp, ("lin", -750, 715), ("lin", -105, 90), ("±log", 1e-20, 1)),
    "exp2": (
        lambda x: mp.power(2, x), ("lin", -1080, 1030), ("lin", -151, 129), ("±log", 1e-20, 1),
    ),
    "expm1": (mp.expm1, ("lin", -50, 715), ("lin", -2, 90), ("±log", 1e-300, 2)),
    "sigmoid": (
        lambda x: 1 / (1 + mp.exp(-x)), ("lin", -750, 50), ("lin", -100, 20), ("±log", 1e-9, 9),
    ),
    "tanh": (mp.tanh, ("lin", -25, 25), ("lin", -3, 3), ("±log", 1e-300, 1)),
    "tanh_softplus": (lambda x: mp.tanh(mp.log1p(mp.exp(x))), ("lin", -700, 30), ("lin", -80, 9)),
    "sinh": (mp.sinh, ("lin", -712, 712), ("lin", -89.5, 89.5), ("±log", 1e-300, 3)),
    "cosh": (mp.cosh, ("lin", -712, 712), ("lin", -89.5, 89.5), ("±log", 1e-300, 3)),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), ("lin", -750, 50), ("lin", -90, 9)),
    "log": (mp.log, WIDE, ("lin", 0.3, 3), ("log", 5e-324, 1e-300)),
    "log2": (lambda x: mp.log(x, 2), WIDE, ("lin", 0.3, 3), ("log", 5e-324, 1e-300)),
    "log10": (mp.log10, WIDE, ("lin", 0.3, 3), ("log", 5e-324, 1e-300)),
    "log1p": (mp.log1p, WIDE, ("lin", -1, 3), ("±log", 1e-300, 0.5)),
    "sqrt": (mp.sqrt, WIDE, ("log", 5e-324, 1e-300)),
    "sin": (mp.sin, ("lin", -10, 10), ("lin", -1e6, 1e6), ("±log", 1e-300, 1e308)),
    "cos": (mp.cos, ("lin", -10, 10), ("lin", -1e6, 1e6), ("±log", 1e-300, 1e308)),
    "tan": (mp.tan, ("lin", -10, 10), ("lin", -1e6, 1e6), ("±log", 1e-300, 1e308)),
    "asin": (mp.asin, ("lin", -1, 1), ("±log", 1e-300, 1)),
    "acos": (mp.acos, ("lin", -1, 1), ("±log", 1e-300, 1)),
    "atan": (mp.atan, ("lin", -4, 4), ("±log", 1e-300, 1e300)),
    "asinh": (mp.asinh, ("lin", -4, 4), ("±log", 1e-300, 1e300)),
    "acosh": (mp.acosh, ("lin", 1, 4), ("log", 1, 1e300)),
    "atanh": (mp.atanh, ("lin", -1, 1), ("±log", 1e-300, 1)),
    "erf": (mp.erf, ("lin", -6.5, 6.5), ("±log", 1e-300, 1)),
    "erfc": (mp.erfc, ("lin", -7, 27), ("lin", -4, 10.5), ("±log", 1e-300, 1)),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), ("lin", -9, 50), ("log", 1e-9, 1e3)),
    "erfinv": (mp.erfinv, ("lin", -0.999, 0.999), ("±log", 1e-300, 0.9)),
    "ndtr": (normal, ("lin", -38, 9), ("lin", -14, 6), ("±log", 1e-9, 1)),
    "ndtri": (inverse_normal, ("lin", 0.001, 0.999), ("log", 1e-300, 0.5)),
    "log_ndtr": (log_normal, ("lin", -100, 30), ("lin", -5, 5)),
    "lgamma": (mp.loggamma, ("lin", 0.001, 15), ("log", 1e-300, 1e10)),
    "digamma": (mp.digamma, ("lin", 0.001, 1), ("lin", 2, 15), ("log", 1e-300, 1e10)),
    "trigamma": (lambda x: mp.polygamma(1, x), ("lin", 0.01, 15), ("log", 1e-100, 1e5)),
    "i0": (lambda x: mp.besseli(0, x), ("lin", -20, 20), ("lin", -80, 80)),
    "i1": (lambda x: mp.besseli(1, x), ("lin", -20, 20), ("lin", -80, 80)),
    "i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), ("lin", -20, 20), ("lin", -600, 600)),
    "i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), ("lin", -20, 20), ("lin", -600, 600)),
}  # fmt: skip
REFERENCES.update(special.REFERENCES)
PAIRS = {
    "pow": (mp.power, math.pow),
    "hypot": (mp.hypot, math.hypot),
    "atan2": (mp.atan2, math.atan2),
}

# What is exact: (argument, value)
EDGES = {
    "exp": [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (1e4, INF), (-1e4, 0)],
    "exp2": [(0.0, 1), (INF, INF), (-INF, 0), (10.0, 1024), (-3.0, 0.125)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1)],
    "sigmoid": [(0.0, 0.5), (INF, 1), (-INF, 0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1)],
    "tanh_softplus": [(INF, 1), (-INF, 0)],
    "sinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "cosh": [(0.0, 1), (INF, INF), (-INF, INF)],
    "softplus": [(INF, INF), (-INF, 0)],
    "log": [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)],
    "log2": [(0.0, -INF), (1.0, 0.0), (8.0, 3), (2.0**-140, -140), (INF, INF), (-1.0, NAN)],
    "log10": [(0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN)],
    "log1p": [(-1.0, -INF), (0.0, 0.0), (-0.0, -0.0), (INF, INF), (-2.0, NAN)],
    "sqrt": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-1.0, NAN)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "cos": [(0.0, 1), (INF, NAN), (-INF, NAN)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (1.5, NAN)],
    "acos": [(1.0, 0.0), (1.5, NAN), (-1.5, NAN)],
    "atan": [(0.0, 0.0), (-0.0, -0.0)],
    "asinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "acosh": [(1.0, 0.0), (0.5, NAN), (-3.0, NAN), (INF, INF)],
    "atanh": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (2.0, NAN), (-2.0, NAN)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1)],
    "erfc": [(0.0, 1), (INF, 0), (-INF, 2)],
    "erfcx": [(INF, 0), (-INF, INF)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.5, NAN)],
    "ndtr": [(0.0, 0.5), (INF, 1), (-INF, 0)],
    "ndtri": [(0.5, 0.0), (0.0, -INF), (1.0, INF), (-0.5, NAN), (1.5, NAN)],
    "log_ndtr": [(INF, -0.0), (-INF, -INF)],
    "lgamma": [
        (1.0, 0.0),
        (2.0, 0.0),
        (0.0, INF),
        (-0.0, INF),
        (-3.0, INF),
        (INF, INF),
        (-INF, INF),
    ],
    "digamma": [(0.0, -INF), (-0.0, INF), (-2.0, NAN), (INF, INF), (-INF, NAN)],
    "trigamma": [(INF, 0), (0.0, INF)],
    "i0": [(0.0, 1), (INF, INF), (-INF, INF)],
    "i1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "i0e": [(0.0, 1), (INF, 0)],
    "i1e": [(0.0, 0.0), (INF, 0)],
}

EDGES.update(special.EDGES)


def samples(name: str, dtype: str, count: int) -> np.ndarray:
    """Random arguments from the ranges of a function that are numbers of the dtype."""
    rng = np.random.default_rng(len(name))
    parts = []
    tiny, huge = (1e-45, 3e38) if dtype == "f32" else (5e-324, 1.7e308)
    for kind, low, high in REFERENCES[name][1:]:
        if kind == "lin":
            parts.append(rng.uniform(low, high, count))
            continue
        low, high = max(low, tiny), min(high, huge)
        if low >= high:
            continue
        values = np.exp(rng.uniform(math.log(low), math.log(high), count))
        parts.append(values * (rng.choice([-1, 1], count) if kind[0] == "±" else 1))
    return np.concatenate(parts).astype(NUMPY[dtype])


def interpreted(name: str, dtype: str, *args: np.ndarray) -> np.ndarray:
    function = accuracy.FUNCTIONS[name]
    root = function.trace((dtype,) * len(args))
    with np.errstate(all="ignore"):
        return interpret.evaluate(root, dict(zip(function.parameters, args, strict=True)))


def compiled(name: str, dtype: str, *args: np.ndarray) -> np.ndarray:
    level = runtime.host().name
    return running.run(f"{name}.{dtype}", level, list(args), len(args[0]))


def error(got: float, exact: mp.mpf, dtype: str, size: mp.mpf = 0) -> float:
    """In units in the last place of the exact result (or of `size`, where that is larger),
    subnormal ones included."""
    if mp.isnan(exact):
        return 0 if math.isnan(got) else INF
    largest = float(np.finfo(NUMPY[dtype]).max)
    if abs(exact) > largest:
        exact = mp.sign(exact) * largest if abs(exact) < largest * (1 + mp.mpf(2) ** -20) else exact
        if abs(exact) > largest:
            return 0 if got == math.copysign(INF, float(mp.sign(exact))) else INF
    if not math.isfinite(got):
        return 1 if abs(exact) > largest * (1 - mp.mpf(2) ** -20) and not math.isnan(got) else INF
    largest = max(abs(exact), size)
    exponent = SMALLEST[dtype] if largest == 0 else max(mp.frexp(largest)[1] - 1, SMALLEST[dtype])
    return float(abs(mp.mpf(got) - exact) / mp.mpf(2) ** (exponent - MANTISSA[dtype]))


def worst(
    reference, dtype: str, got: np.ndarray, *args: np.ndarray, size=None
) -> tuple[float, tuple]:
    found = []
    with mp.workprec(200):
        for y, x in zip(got, zip(*args, strict=True), strict=True):
            exactly = tuple(map(mp.mpf, map(float, x)))
            least = size(*exactly) if size else 0
            ulp = error(float(y), mp.mpf(mp.re(reference(*exactly))), dtype, least)
            found.append((ulp, tuple(map(float, x))))
    return max(found)


WAYS = {"interpreted": interpreted, "compiled": compiled}
NAMES = list(REFERENCES)


def is_kernel(name: str) -> bool:
    return name in OPS and name != "softplus"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", NAMES)
def test_error(name, dtype, way, request):
    if way == "compiled" and not is_kernel(name):
        pytest.skip("no kernel of its own")
    slow = name[0] == "i" or "gamma" in name or "ndtr" in name or name in special.REFERENCES
    count = (30 if slow else 200) * (10 if request.config.getoption("--full") else 1)
    x = samples(name, dtype, count)
    size = special.SIZES.get(name)
    found, where = worst(REFERENCES[name][0], dtype, WAYS[way](name, dtype, x), x, size=size)
    assert found <= accuracy.BOUNDS[name].ulp[dtype], f"{found} ulp at {where}"


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", NAMES)
def test_edges(name, dtype):
    """Signed zeros, infinities, NaN, and arguments outside the domain."""
    table = [*EDGES[name], (NAN, NAN)]
    x, want = (np.array(v, NUMPY[dtype]) for v in zip(*table, strict=True))
    got = interpreted(name, dtype, x)
    np.testing.assert_array_equal(got, want)
    numbers = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


def pairs(name: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    parts = [(rng.uniform(-3, 3, 150), rng.uniform(-3, 3, 150))]
    wide = np.exp(rng.uniform(-80, 80, (2, 150)))
    parts.append((wide[0], rng.uniform(-1, 1, 150) if name == "pow" else wide[1]))
    if name == "pow":
        parts.append((rng.uniform(0.3, 3, 150), rng.uniform(-300, 300, 150)))
        parts = [(np.abs(a), b) for a, b in parts]
    return tuple(np.concatenate(c).astype(NUMPY[dtype]) for c in zip(*parts, strict=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", PAIRS)
def test_error_of_two(name, dtype, way):
    a, b = pairs(name, dtype)
    found, where = worst(PAIRS[name][0], dtype, WAYS[way](name, dtype, a, b), a, b)
    assert found <= accuracy.BOUNDS[name].ulp[dtype], f"{found} ulp at {where}"


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", PAIRS)
def test_edges_of_two(name, dtype):
    """C's values at zeros, infinities, NaN and beside them."""
    values = [0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, -2.5, INF, -INF, NAN]
    a, b = (
        np.array(v, NUMPY[dtype])
        for v in zip(*[(p, q) for p in values for q in values], strict=True)
    )

    def exact(p, q):
        try:
            return PAIRS[name][1](p, q)
        except ValueError:  # Python raises where C gives infinity or NaN
            odd = q == math.floor(q) and q % 2 == 1
            return NAN if p != 0 else math.copysign(INF, p) if odd else INF

    want = np.array([exact(float(p), float(q)) for p, q in zip(a, b, strict=True)], NUMPY[dtype])
    got = interpreted(name, dtype, a, b)
    np.testing.assert_allclose(got, want, rtol=1e-6 if dtype == "f32" else 1e-15)
    numbers = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", special.PAIRS)
def test_error_of_rare_ones_of_two(name, dtype, request):
    exact, draw, size = special.PAIRS[name]
    count = 200 if request.config.getoption("--full") else 25
    args = [v.astype(NUMPY[dtype]) for v in draw(np.random.default_rng(len(name)), count)]
    got = interpreted(name, dtype, *args)
    found, where = worst(exact, dtype, got, *args, size=size)
    assert found <= accuracy.BOUNDS[name].ulp[dtype], f"{found} ulp at {where}"


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", special.PAIRS)
def test_edges_of_rare_ones_of_two(name, dtype):
    args, want = zip(*special.PAIR_EDGES[name], strict=True)
    got = interpreted(name, dtype, *np.array(args, NUMPY[dtype]).T)
    np.testing.assert_allclose(got, np.array(want), rtol=1e-6 if dtype == "f32" else 1e-13)


def test_every_function_is_measured():
    assert set(accuracy.BOUNDS) == set(REFERENCES) | set(PAIRS) | set(special.PAIRS)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_hardest_reductions(dtype):
    """Arguments next to multiples of pi/2, where a reduction loses the most."""
    hard = {
        "f32": [float.fromhex("0x1.f9cbe2p+7"), 16367173.0 * 2.0**72, 2.0**21 * 1.57079637],
        "f64": [6381956970095103.0 * 2.0**797, float.fromhex("0x1.6ac5b262ca1ffp+849")],
    }
    x = np.array(hard[dtype] + [k * math.pi / 2 for k in (1, 3, 1001, 10**6)], NUMPY[dtype])
    for name in ("sin", "cos", "tan"):
        found, where = worst(REFERENCES[name][0], dtype, interpreted(name, dtype, x), x)
    assert found <= accuracy.BOUNDS[name].ulp[dtype], f"{name}: {found} ulp at {where}"


def test_the_page_is_up_to_date(request):
    page = request.config.rootpath / "docs" / "accuracy.md"
    assert page.read_text() == accuracy.page(), "run python -m kagari.kernels.math"


def test_a_wrong_coefficient_is_found():
    """The measure sees an error of three ulp."""
    x = np.linspace(0.5, 2, 50)
    got = np.exp(x) * (1 + 3 * 2.0**-52)
    assert worst(mp.exp, "f64", got, x)[0] > 1.4
    assert isinstance(accuracy.FUNCTIONS["exp"](e.symbol("x", "f64")), e.Expr)
