"""The rare special functions for test_math.py: exact values, where they are sampled, what their
errors are measured by, and what is exact. The tests themselves are there."""

import math

import mpmath as mp
import numpy as np

INF, NAN = math.inf, math.nan


def airy_size(x):
    return 0 if x > -4 else 1 / (mp.sqrt(mp.pi) * mp.sqrt(mp.sqrt(-x)))


def far_size(x):
    """The amplitude of a Bessel function beyond 8."""
    return 0 if abs(x) <= 8 else mp.sqrt(2 / (mp.pi * abs(x)))


def amplitude(order):
    return lambda x: abs(mp.hankel1(order, x))


def spherical(x):
    return mp.sin(x) / x if x else mp.mpf(1)


def odd(f):
    """For functions that mpmath continues into the complex plane."""
    return lambda x: mp.sign(x) * f(abs(x))


REFERENCES = {
    "bessel_j0": (lambda x: mp.besselj(0, abs(x)), ("lin", -30, 30), ("±log", 1e-9, 1e15)),
    "bessel_j1": (odd(lambda x: mp.besselj(1, x)), ("lin", -30, 30), ("±log", 1e-300, 1e15)),
    "bessel_y0": (lambda x: mp.bessely(0, x), ("lin", 0.01, 30), ("log", 1e-300, 1e15)),
    "bessel_y1": (lambda x: mp.bessely(1, x), ("lin", 0.01, 30), ("log", 1e-300, 1e15)),
    "k0": (lambda x: mp.besselk(0, x), ("lin", 0.01, 100), ("log", 1e-300, 700)),
    "k1": (lambda x: mp.besselk(1, x), ("lin", 0.01, 100), ("log", 1e-300, 700)),
    "k0e": (lambda x: mp.besselk(0, x) * mp.exp(x), ("lin", 0.01, 20), ("log", 1e-300, 1e5)),
    "k1e": (lambda x: mp.besselk(1, x) * mp.exp(x), ("lin", 0.01, 20), ("log", 1e-300, 1e5)),
    "spherical_bessel_j0": (spherical, ("lin", -3, 3), ("±log", 1e-300, 3)),
    "airy_ai": (mp.airyai, ("lin", -20, 10), ("±log", 1e-300, 100), ("lin", -1e5, 0)),
}  # fmt: skip
# Errors count in ulp of this, where the result is smaller; 0 where it is not named.
SIZES = {
    "bessel_j0": far_size,
    "bessel_j1": far_size,
    "bessel_y0": amplitude(0),
    "bessel_y1": amplitude(1),
    "airy_ai": airy_size,
}
EDGES = {
    "bessel_j0": [(0.0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN)],
    "bessel_j1": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN)],
    "bessel_y0": [(0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, NAN)],
    "bessel_y1": [(0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, NAN)],
    "k0": [(0.0, INF), (-0.0, INF), (-1.0, NAN), (INF, 0), (1e4, 0), (-INF, NAN)],
    "k1": [(0.0, INF), (-0.0, INF), (-1.0, NAN), (INF, 0), (1e4, 0), (-INF, NAN)],
    "k0e": [(0.0, INF), (-0.0, INF), (-1.0, NAN), (INF, 0), (-INF, NAN)],
    "k1e": [(0.0, INF), (-0.0, INF), (-1.0, NAN), (INF, 0), (-INF, NAN)],
    "spherical_bessel_j0": [(0.0, 1), (-0.0, 1), (INF, 0), (-INF, 0)],
    "airy_ai": [(INF, 0), (-INF, 0), (1e4, 0)],
}


# Functions of two arguments: the exact one, two columns of samples, and the size (see SIZES).


def recurrence(first, step):
    """A polynomial of degree n from its own three-term recurrence."""

    def value(x, n):
        below, at = mp.mpf(1), first(x)
        for k in range(1, int(n)):
            below, at = at, step(k, x, below, at)
        return at if n else mp.mpf(1)

    return value


def double(k, x, below, at):
    return 2 * x * at - below


def shifted(polynomial):
    return lambda x, n: polynomial(2 * x - 1, n)


def zeta(s, q, terms=60):
    """By Euler and Maclaurin, with more terms than the kernel's: mpmath's own loses digits."""
    a = q + terms
    total = mp.fsum((q + k) ** -s for k in range(terms)) + a ** (1 - s) / (s - 1) + a**-s / 2
    for j in range(1, 40):
        total += (
            mp.bernoulli(2 * j) / mp.factorial(2 * j) * mp.rf(s, 2 * j - 1) / a ** (s + 2 * j - 1)
        )
    return total


def incomplete(lower):
    def value(a, x):
        return (
            mp.gammainc(a, 0, x, regularized=True) if lower else mp.gammainc(a, x, regularized=True)
        )

    return value


def with_logarithm(f):
    def size(*args):
        exact = mp.re(f(*args))
        return abs(exact) * (1 + abs(mp.log(exact))) if exact > 0 else 0

    return size


def about_one(f):
    return lambda *args: 1 + abs(f(*args))


def degrees(rng, count):
    return rng.uniform(-3, 3, count), rng.integers(0, 31, count)


def zetas(rng, count):
    return 1 + np.exp(rng.uniform(-9, 4, count)), np.exp(rng.uniform(-3, 9, count))


def orders(rng, count):
    return np.exp(rng.uniform(-3, 6, count)), rng.integers(2, 21, count)


def gammas(rng, count):
    """Small and large ones, and pairs close to each other."""
    a = np.exp(rng.uniform(-5, 9, count))
    near = a * (1 + rng.normal(size=count) * 2 / np.sqrt(1 + a))
    far = np.exp(rng.uniform(-5, 5, count))
    return a, np.where(rng.integers(0, 2, count) == 1, np.abs(near), far)


def moved(distribution, log_density):
    """-dF/da over the density, by a difference quotient of many digits."""

    def value(a, x, *rest):
        with mp.workprec(300):
            h = a * mp.mpf(2) ** -80
            slope = distribution(a + h, x, *rest) - distribution(a - h, x, *rest)
            return -slope / (2 * h) / mp.exp(log_density(a, x, *rest))

    return value


def gamma_side(a, x):
    """The distribution function, or less what is beyond it: the smaller one has more digits."""
    if x < a:
        return mp.gammainc(a, 0, x, regularized=True)
    return -mp.gammainc(a, x, regularized=True)


def beta_side(a, x, b):
    if x * (a + b) < a:
        return mp.betainc(a, b, 0, x, regularized=True)
    return -mp.betainc(b, a, 0, 1 - x, regularized=True)


def gamma_log_density(a, x):
    return (a - 1) * mp.log(x) - x - mp.loggamma(a)


def beta_log_density(a, x, b):
    return (a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) - mp.log(mp.beta(a, b))


def drawn_gammas(rng, count):
    a = np.exp(rng.uniform(-4, 7, count))
    return a, np.maximum(rng.gamma(a), 1e-30)


def drawn_betas(rng, count):
    a, b = np.exp(rng.uniform(-3, 5, (2, count)))
    return np.clip(rng.beta(a, b), 1e-30, 0.999), a, a + b


gamma_moved = moved(gamma_side, gamma_log_density)
beta_moved = moved(beta_side, beta_log_density)

POLYNOMIALS = {
    "chebyshev_t": recurrence(lambda x: x, double),
    "chebyshev_u": recurrence(lambda x: 2 * x, double),
    "chebyshev_v": recurrence(lambda x: 2 * x - 1, double),
    "chebyshev_w": recurrence(lambda x: 2 * x + 1, double),
    "hermite_h": lambda x, n: mp.hermite(int(n), x),
    "hermite_he": recurrence(lambda x: x, lambda k, x, below, at: x * at - k * below),
    "laguerre_l": recurrence(
        lambda x: 1 - x, lambda k, x, below, at: ((2 * k + 1 - x) * at - k * below) / (k + 1)
    ),
    "legendre_p": lambda x, n: mp.re(mp.legendre(int(n), x)),
}
POLYNOMIALS |= {
    f"shifted_{name}": shifted(f) for name, f in POLYNOMIALS.items() if name.startswith("cheb")
}
PAIRS = {name: (f, degrees, about_one(f)) for name, f in POLYNOMIALS.items()}
PAIRS |= {
    "zeta": (zeta, zetas, None),
    "polygamma": (
        lambda x, n: (-1) ** (int(n) + 1) * mp.factorial(n) * zeta(n + 1, x), orders, None,
    ),
    "gammainc": (incomplete(True), gammas, with_logarithm(incomplete(True))),
    "gammaincc": (incomplete(False), gammas, with_logarithm(incomplete(False))),
    "standard_gamma_grad": (gamma_moved, drawn_gammas, None),
    "dirichlet_grad": (
        lambda x, a, total: beta_moved(a, x, total - a) / (1 - x), drawn_betas, None,
    ),
}  # fmt: skip
# (arguments, value)
PAIR_EDGES = {
    "zeta": [
        ((2, INF), 0), ((1, 2), INF), ((0.5, 2), NAN), ((2, 0), INF), ((2, -3), INF),
        ((2, -INF), INF), ((2.5, -1.5), NAN), ((INF, 1), 1), ((INF, 2), 0), ((INF, 0.5), INF),
        ((NAN, 1), NAN), ((2, NAN), NAN), ((2, -0.5), 8.934802200544679),
        ((3, -0.5), 0.41439832211716),
        ((400, 0.1), INF),
    ],
    "polygamma": [
        ((0, 2), -INF), ((0, 3), INF), ((-2, 2), -INF), ((INF, 2), -0.0), ((NAN, 2), NAN),
        ((-0.5, 2), -0.8287966442343199), ((-0.5, 3), 193.40909103400242),
    ],
    "gammainc": [
        ((0, 0), NAN), ((0, 1), 1), ((1, 0), 0), ((-1, 1), NAN), ((1, -1), NAN), ((INF, 1), 0),
        ((1, INF), 1), ((INF, INF), NAN), ((NAN, 1), NAN), ((1, NAN), NAN), ((0, INF), 1),
    ],
    "gammaincc": [
        ((0, 0), NAN), ((0, 1), 0), ((1, 0), 1), ((-1, 1), NAN), ((1, -1), NAN), ((INF, 1), 1),
        ((1, INF), 0), ((INF, INF), NAN), ((NAN, 1), NAN), ((1, NAN), NAN), ((0, INF), 0),
    ],
    "standard_gamma_grad": [
        ((1, 0), 0), ((0, 1), NAN), ((-1, 1), NAN), ((1, -1), NAN), ((1, INF), NAN),
        ((INF, 1), NAN), ((NAN, 1), NAN), ((1, NAN), NAN), ((1e10, 1e10), 1.0000000000166667),
        ((100001, 100001), 1.00000166665166679), ((2e5, 2e5 + 1e3), 1.00249667913178293),
    ],
    "dirichlet_grad": [
        ((0, 1, 2), 0), ((1, 1, 2), 0), ((0.5, 2, 2), 0), ((0.5, -1, 2), NAN),
        ((0.5, 3, 2), NAN), ((NAN, 1, 2), NAN), ((0.5, NAN, 2), NAN), ((0.5, 1, NAN), NAN),
        ((1.5, 1, 2), NAN),
    ],
}  # fmt: skip
PAIR_EDGES |= {
    name: [((NAN, 3), NAN), ((0.5, -1), 0), ((0.5, NAN), 0), ((0.5, INF), 0), ((NAN, 0), 1)]
    for name in POLYNOMIALS
}
