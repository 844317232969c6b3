"""Divergences of multivariate normal distributions, full and of low rank."""

from typing import Any

import kagari

from .._C import Tensor
from .kl import register_kl
from .lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    low_rank_log_det,
    low_rank_mahalanobis,
)
from .multivariate_normal import MultivariateNormal, batch_mahalanobis


def _same_events(p: Any, q: Any) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be "
            f"computed: {tuple(p.event_shape)} and {tuple(q.event_shape)}"
        )


def _log_det(d: Any) -> Tensor:
    if isinstance(d, LowRankMultivariateNormal):
        return low_rank_log_det(d._unbroadcasted_cov_diag, d._capacitance_tril)
    return 2 * d._half_log_det()


def _roots(d: Any) -> list[Tensor]:
    """Matrices A_i with sum A_i A_i' the covariance."""
    if isinstance(d, LowRankMultivariateNormal):
        return [d._unbroadcasted_cov_factor, d._unbroadcasted_cov_diag.sqrt().diag_embed()]
    return [d._unbroadcasted_scale_tril]


def _squares(matrix: Tensor) -> Tensor:
    return matrix.pow(2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _to_full(p: Any, q: Any) -> Tensor:
    _same_events(p, q)
    factor = q._unbroadcasted_scale_tril
    solved = (kagari.linalg.solve_triangular(factor, a, upper=False) for a in _roots(p))
    trace = sum(_squares(a) for a in solved)
    distance = batch_mahalanobis(factor, q.loc - p.loc)
    return 0.5 * (_log_det(q) - _log_det(p) + trace + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _to_low_rank(p: Any, q: Any) -> Tensor:
    """The trace by Woodbury's formula, as the distance."""
    _same_events(p, q)
    factor, diagonal = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    inner = kagari.linalg.solve_triangular(
        q._capacitance_tril, factor.mT / diagonal.unsqueeze(-2), upper=False
    )
    root = diagonal.rsqrt().unsqueeze(-1)
    trace = sum(_squares(a * root) - _squares(inner @ a) for a in _roots(p))
    distance = low_rank_mahalanobis(factor, diagonal, q.loc - p.loc, q._capacitance_tril)
    return 0.5 * (_log_det(q) - _log_det(p) + trace + distance - p.event_shape[0])
