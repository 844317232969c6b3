"""The Wishart distribution."""

import math
import warnings
from typing import Any

import kagari

from .._C import Size, Tensor
from . import constraints
from .chi2 import Chi2
from .distribution import ExponentialFamily
from .multivariate_normal import one_matrix, to_scale_tril
from .parameters import all_numbers, lazy_property, standard_normal

_LOG_TWO = math.log(2)


class Wishart(ExponentialFamily):
    """The sum of the outer products of `df` normal vectors, for any df > n - 1; of one of
    `covariance_matrix`, `precision_matrix` and `scale_tril` as MultivariateNormal. Samples by
    Bartlett's decomposition.

    >>> d = kagari.distributions.Wishart(kagari.tensor(3.0), kagari.eye(2))
    >>> d.log_prob(kagari.eye(2))
    tensor(-3.5310)
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    _constants = ("_unbroadcasted_scale_tril",)
    _parameters = {"df": 0, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        matrices = [m for m in (covariance_matrix, precision_matrix, scale_tril) if m is not None]
        if len(matrices) != 1:
            raise AssertionError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        name, matrix = one_matrix(
            scale_tril=scale_tril,
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
        )
        number = all_numbers(df)
        batch = Size() if number else df.shape
        batch = Size(kagari.broadcast_shapes(tuple(matrix.shape[:-2]), tuple(batch)))
        if number:
            df = kagari.tensor(df, dtype=matrix.dtype, device=matrix.device)
        n = matrix.shape[-1]
        if (df <= n - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        self.df = df.expand(batch)
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        if (self.df < n).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 "
                "< df < ndim.",
                stacklevel=2,
            )
        self._unbroadcasted_scale_tril = to_scale_tril(name, matrix)
        self._chi2 = self._squares()

    def _squares(self) -> Chi2:
        """The squares on the diagonal of Bartlett's factor."""
        n = self._event_shape[-1]
        steps = kagari.arange(n, dtype=self.df.dtype, device=self.df.device)
        return Chi2(self.df.unsqueeze(-1) - steps)

    @property
    def arg_constraints(self) -> dict[str, Any]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Wishart":
        new: Any = super().expand(batch_shape, _instance)
        new._chi2 = new._squares()
        return new

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
        return matrix.expand(self._batch_shape + self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.df.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._event_shape[-1] - 1
        factor = factor.masked_fill(factor <= 0, math.nan)
        return factor.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        covariance = self.covariance_matrix
        diagonal = covariance.diagonal(dim1=-2, dim2=-1)
        outer = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.view((*self._batch_shape, 1, 1)) * (covariance.pow(2) + outer)

    def _bartlett_sampling(self, sample_shape: Any = ()) -> Tensor:
        n = self._event_shape[-1]
        factor = self._chi2.rsample(sample_shape).sqrt().diag_embed(dim1=-2, dim2=-1)
        rows, columns = kagari.tril_indices(n, n, offset=-1)
        shape = (*sample_shape, *self._batch_shape, n * (n - 1) // 2)
        factor[..., rows, columns] = standard_normal(shape, factor)
        root = self._unbroadcasted_scale_tril @ factor
        return root @ root.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Singular samples are drawn anew, up to `max_try_correction` times (10)."""
        with kagari.no_grad():
            self._bartlett_sampling(sample_shape)  # PyTorch's numbers are those of a second draw
        sample = self._bartlett_sampling(sample_shape)
        singular = self._singular(sample)
        if not singular.any():
            return sample
        warnings.warn("Singular sample detected.", stacklevel=2)
        for _ in range(10 if max_try_correction is None else max_try_correction):
            anew = self._bartlett_sampling((int(singular.sum()),))
            sample, still = sample.clone(), singular.clone()
            sample[singular] = anew
            still[singular] = self._singular(anew)
            singular = still
            if not singular.any():
                break
        return sample

    def _singular(self, sample: Tensor) -> Tensor:
        bad = ~self.support.check(sample)
        return bad.any(tuple(range(-len(self._batch_shape), 0))) if self._batch_shape else bad

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        nu, n = self.df, self._event_shape[-1]
        solved = kagari.cholesky_solve(value, self._unbroadcasted_scale_tril)
        return (
            -nu * (n * _LOG_TWO / 2 + self._half_log_det())
            - (nu / 2).mvlgamma(n)
            + (nu - n - 1) / 2 * kagari.linalg.slogdet(value).logabsdet
            - solved.diagonal(dim1=-2, dim2=-1).sum(-1) / 2
        )

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        steps = kagari.arange(n, dtype=nu.dtype, device=nu.device)
        digammas = ((nu.unsqueeze(-1) - steps) / 2).digamma().sum(-1)
        size = (n + 1) * (n * _LOG_TWO / 2 + self._half_log_det())
        return size + (nu / 2).mvlgamma(n) - (nu - n - 1) / 2 * digammas + nu * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        size = -kagari.linalg.slogdet(-2 * x).logabsdet + _LOG_TWO * n
        return half * size + half.mvlgamma(n)
