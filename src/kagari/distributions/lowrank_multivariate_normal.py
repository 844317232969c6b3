"""Multivariate normal distributions of a covariance of low rank and a diagonal."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .multivariate_normal import batch_mahalanobis
from .parameters import lazy_property, standard_normal


def capacitance_tril(factor: Tensor, diagonal: Tensor) -> Tensor:
    """The Cholesky factor of 1 + W' D^-1 W, (..., m, m): what Woodbury's formula inverts."""
    inner = (factor / diagonal.unsqueeze(-1)).mT @ factor
    identity = kagari.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    return kagari.linalg.cholesky(inner + identity)


def low_rank_log_det(diagonal: Tensor, capacitance: Tensor) -> Tensor:
    """log |W W' + D|, by the matrix determinant lemma."""
    inner = 2 * capacitance.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return inner + diagonal.log().sum(-1)


def low_rank_mahalanobis(
    factor: Tensor, diagonal: Tensor, x: Tensor, capacitance: Tensor
) -> Tensor:
    """x' (W W' + D)^-1 x, by Woodbury's formula."""
    inner = (factor.mT / diagonal.unsqueeze(-2) @ x.unsqueeze(-1)).squeeze(-1)
    outer = (x.pow(2) / diagonal).sum(-1)
    return outer - batch_mahalanobis(capacitance, inner)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors with the covariance W W' + D: `cov_factor` W is (..., n, m) and the diagonal
    `cov_diag` (..., n).

    >>> from kagari.distributions import LowRankMultivariateNormal
    >>> d = LowRankMultivariateNormal(kagari.zeros(2), kagari.ones(2, 1), kagari.ones(2))
    >>> d.log_prob(kagari.zeros(2))
    tensor(-2.3872)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters = {
        "loc": 1, "cov_factor": 2, "cov_diag": 1, "scale_tril": 2, "covariance_matrix": 2,
        "precision_matrix": 2,
    }  # fmt: skip
    _constants = ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril")

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ):
        batch = self._checked_shapes(loc, cov_factor, cov_diag)
        self.loc, self.cov_diag = loc.expand((*batch, -1)), cov_diag.expand((*batch, -1))
        self.cov_factor = cov_factor.expand((*batch, -1, -1))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)

    @staticmethod
    def _checked_shapes(loc: Tensor, factor: Tensor, diagonal: Tensor) -> Any:
        """The batch shape."""
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event = loc.shape[-1:]
        if factor.dim() < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if factor.shape[-2:-1] != event:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event[0]} x m")
        if diagonal.shape[-1:] != event:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event}")
        shapes = loc.shape[:-1], factor.shape[:-2], diagonal.shape[:-1]
        try:
            return kagari.broadcast_shapes(*map(tuple, shapes))
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {factor.shape}, cov_diag "
                f"{diagonal.shape}"
            ) from error

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:  # type: ignore[override]
        variance = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return variance.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        # D^1/2 times the factor of 1 + D^-1/2 W W' D^-1/2, which is always far from singular
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        identity = kagari.eye(self._event_shape[0], dtype=scaled.dtype, device=scaled.device)
        return self._full(root * kagari.linalg.cholesky(scaled @ scaled.mT + identity))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        factor = self._unbroadcasted_cov_factor
        return self._full(factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed())

    @lazy_property
    def precision_matrix(self) -> Tensor:
        diagonal = self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diagonal.unsqueeze(-2)
        inner = kagari.linalg.solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._full(diagonal.reciprocal().diag_embed() - inner.mT @ inner)

    def _full(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        common = standard_normal(shape[:-1] + self.cov_factor.shape[-1:], self.loc)
        own = standard_normal(shape, self.loc)
        along = (self._unbroadcasted_cov_factor @ common.unsqueeze(-1)).squeeze(-1)
        return self.loc + along + self._unbroadcasted_cov_diag.sqrt() * own

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        factor, diagonal = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        inner, away = self._capacitance_tril, value - self.loc
        distance = low_rank_mahalanobis(factor, diagonal, away, inner)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + low_rank_log_det(diagonal, inner) + distance)

    def entropy(self) -> Tensor:
        log_det = low_rank_log_det(self._unbroadcasted_cov_diag, self._capacitance_tril)
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return entropy.expand(self._batch_shape)
