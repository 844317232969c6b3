"""Transforms of vectors and matrices, and those that treat the parts of a tensor differently."""

from collections.abc import Callable, Sequence
from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor
from . import constraints
from .transforms import Transform


class _Plain(Transform):
    """A transform without parameters: all of a class are equal."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = object.__hash__


def _resized(shape: Any, by: int, needed: int = 1) -> Any:
    if len(shape) < needed:
        raise ValueError("Too few dimensions on input")
    return shape[:-1] + (shape[-1] + by,)


class SoftmaxTransform(_Plain):
    """y = softmax(x) over the last dimension; as its inverse stands the logarithm."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        return _resized(shape, 0)

    inverse_shape = forward_shape


class StickBreakingTransform(_Plain):
    """From n numbers to n + 1 lengths of a broken stick: each takes sigmoid(x - log(rest)) of what
    is left."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    @staticmethod
    def _offset(x: Tensor) -> Tensor:
        """log of how many pieces are still to come."""
        n = x.shape[-1]
        return kagari.arange(n, 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Tensor) -> Tensor:
        z = _inside(kagari.sigmoid(x - self._offset(x)))
        left = (1 - z).cumprod(-1)
        return F.pad(z, [0, 1], value=1) * F.pad(left, [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        head = y[..., :-1]
        left = 1 - head.cumsum(-1)
        left = kagari.clamp(left, min=kagari.finfo(y.dtype).tiny)
        return head.log() - left.log() + self._offset(head)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x)
        return (-x + F.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        return _resized(shape, 1)

    def inverse_shape(self, shape: Any) -> Any:
        return _resized(shape, -1)


def _inside(p: Tensor) -> Tensor:
    limits = kagari.finfo(p.dtype)
    return p.clamp(min=limits.tiny, max=1.0 - limits.eps)


class LowerCholeskyTransform(_Plain):
    """From a square matrix to a lower Cholesky factor, with the exponential of its diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Plain):
    """From a square matrix to a positive definite one, L @ L.mT of LowerCholeskyTransform's L."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(kagari.linalg.cholesky(y))


class CorrCholeskyTransform(Transform):
    """From d (d - 1) / 2 numbers to the Cholesky factor of a d × d correlation matrix.

    Their hyperbolic tangents are partial correlations; row by row each takes its share of the
    length 1 (Lewandowski, Kurowicka, Joe 2009).
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        x = kagari.tanh(x)
        eps = kagari.finfo(x.dtype).eps
        r = _lower(x.clamp(min=-1 + eps, max=1 - eps))
        # what is left of a row's length 1 before each of its elements
        left = (1 - r * r).sqrt().cumprod(-1)
        r = r + kagari.eye(r.shape[-1], dtype=r.dtype, device=r.device)
        return r * F.pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = F.pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1)
        t = _entries(y) / _entries(left).sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor, intermediates: Any = None) -> Tensor:
        left = 1 - (y * y).cumsum(-1)
        rows = 0.5 * _entries(left, -2).log().sum(-1)
        # log(1 - tanh²) of the partial correlations
        return rows - 2 * (x + F.softplus(-2 * x) - _LOG2).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        n = shape[-1]
        d = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if d * (d - 1) // 2 != n:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return shape[:-1] + (d, d)

    def inverse_shape(self, shape: Any) -> Any:
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        d = shape[-1]
        return shape[:-2] + (d * (d - 1) // 2,)


_LOG2 = 0.6931471805599453


def _places(d: int, diagonal: int) -> Tensor:
    return kagari.tril_indices(d, d, diagonal)


def _lower(entries: Tensor) -> Tensor:
    """A matrix with the entries below its diagonal, row by row."""
    n = entries.shape[-1]
    d = round((0.25 + 2 * n) ** 0.5 + 0.5)
    rows, columns = _places(d, -1)
    out = entries.new_zeros(entries.shape[:-1] + (d, d))
    out[..., rows, columns] = entries
    return out


def _entries(matrix: Tensor, diagonal: int = -1) -> Tensor:
    """The entries up to a diagonal, row by row."""
    rows, columns = _places(matrix.shape[-1], diagonal)
    return matrix[..., rows, columns]


class _Parts(Transform):
    """Transforms of the parts of a tensor along `dim`."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int):
        self.transforms = [t.with_cache(cache_size) if cache_size else t for t in tseq]
        super().__init__(cache_size=cache_size)
        self.dim = dim

    def _split(self, value: Tensor) -> list[Tensor]:
        raise NotImplementedError

    def _join(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _each(self, value: Tensor, apply: Callable[[Transform, Tensor], Tensor]) -> Tensor:
        parts = self._split(value)
        return self._join([apply(t, v) for t, v in zip(self.transforms, parts, strict=True)])

    def _call(self, x: Tensor) -> Tensor:
        return self._each(x, lambda t, v: t(v))

    def _inverse(self, y: Tensor) -> Tensor:
        return self._each(y, lambda t, v: t.inv(v))

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)


class CatTransform(_Parts):
    """The transforms `tseq` of consecutive pieces, of `lengths`, along `dim`."""

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ):
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError("CatTransform: expected a length for each transform")

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        return sum(self.lengths)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _split(self, value: Tensor) -> list[Tensor]:
        if not -value.dim() <= self.dim < value.dim() or value.size(self.dim) != self.length:
            raise AssertionError(
                f"CatTransform: expected {self.length} elements in dimension {self.dim}, got the "
                f"shape {tuple(value.shape)}"
            )
        return list(value.split(self.lengths, self.dim))

    def _join(self, parts: list[Tensor]) -> Tensor:
        return kagari.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        terms = []
        for t, a, b in zip(self.transforms, self._split(x), self._split(y), strict=True):
            term = t.log_abs_det_jacobian(a, b)
            missing = self.event_dim - t.event_dim
            terms.append(term.flatten(term.dim() - missing).sum(-1) if missing else term)
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        if dim < 0:
            return kagari.cat(terms, dim)
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_Parts):
    """The transforms `tseq` of the slices along `dim`."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0):
        super().__init__(tseq, dim, cache_size)

    def with_cache(self, cache_size: int = 1) -> Transform:
        same = self._cache_size == cache_size
        return self if same else StackTransform(self.transforms, self.dim, cache_size)

    def _split(self, value: Tensor) -> list[Tensor]:
        count = len(self.transforms)
        if not -value.dim() <= self.dim < value.dim() or value.size(self.dim) != count:
            raise AssertionError(
                f"StackTransform: expected {count} slices in dimension {self.dim}, got the shape "
                f"{tuple(value.shape)}"
            )
        return list(value.unbind(self.dim))

    def _join(self, parts: list[Tensor]) -> Tensor:
        return kagari.stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._split(x), self._split(y), strict=True)
        return self._join([t.log_abs_det_jacobian(a, b) for t, a, b in parts])

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
