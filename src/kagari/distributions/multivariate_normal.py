"""The multivariate normal distribution."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .parameters import lazy_property, standard_normal


def batch_mahalanobis(scale_tril: Tensor, x: Tensor) -> Tensor:
    """x' M^-1 x for M = L L', over the batch dimensions of both: (..., n, n), (..., n) -> (...)."""
    solved = kagari.linalg.solve_triangular(
        scale_tril, x.unsqueeze(-1), upper=False
    )  # broadcasts L
    return solved.squeeze(-1).pow(2).sum(-1)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """L with L L' the inverse of a precision matrix, from the factor of the matrix turned about."""
    turned = kagari.linalg.cholesky(precision.flip((-2, -1)))
    inverse = turned.flip((-2, -1)).mT
    identity = kagari.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return kagari.linalg.solve_triangular(inverse, identity, upper=False)


class MultivariateNormal(Distribution):
    """Normal vectors, with one of `covariance_matrix`, `precision_matrix` and its lower Cholesky
    factor `scale_tril`, which is the best to give.

    >>> d = kagari.distributions.MultivariateNormal(kagari.zeros(2), kagari.eye(2))
    >>> d.log_prob(kagari.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters = {"loc": 1, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}
    _constants = ("_unbroadcasted_scale_tril",)

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = one_matrix(
            scale_tril=scale_tril,
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
        )
        batch = kagari.broadcast_shapes(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1]))
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = to_scale_tril(name, matrix)

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._full(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self._full(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return self._full(kagari.cholesky_inverse(self._unbroadcasted_scale_tril))

    def _full(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        variance = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return variance.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        eps = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self._unbroadcasted_scale_tril @ eps.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        distance = batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        log_size = self._half_log_det()
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - log_size

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        entropy = 0.5 * n * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return entropy.expand(self._batch_shape)


def one_matrix(**matrices: Tensor | None) -> tuple[str, Tensor]:
    """The one that is given, with its name; ValueError for none, several, or no matrix."""
    given = [(name, value) for name, value in matrices.items() if value is not None]
    if len(given) != 1:
        raise ValueError(
            "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        )
    ((name, value),) = given
    if value.dim() < 2:
        raise ValueError(
            f"{name} must be at least two-dimensional, with optional leading batch dimensions"
        )
    return name, value


def to_scale_tril(name: str, matrix: Tensor) -> Tensor:
    """The lower Cholesky factor of the covariance that `one_matrix` has found."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return kagari.linalg.cholesky(matrix)
    return precision_to_scale_tril(matrix)
