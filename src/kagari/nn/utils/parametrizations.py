"""Parametrizations that are often wanted: orthogonal, weight-normalised, spectrally normalised."""

from typing import Any

import kagari
from kagari import Tensor

from .. import functional as F
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module
from . import parametrize
from .weight_norm import normalised, norms

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

_MAPS = ("matrix_exp", "cayley", "householder")


# ---- orthogonal ----


def _is_orthogonal(q: Tensor) -> bool:
    rows, columns = q.shape[-2:]
    identity = kagari.eye(columns, dtype=q.dtype, device=q.device)
    close = 10.0 * rows * kagari.finfo(q.dtype).eps
    return bool(kagari.isclose(q.mH @ q, identity, rtol=1e-5, atol=close).all())


def _made_orthogonal(a: Tensor) -> Tensor:
    """Q of a QR decomposition whose R has a positive diagonal: it is unique."""
    x, tau = kagari.geqrf(a)
    q = kagari.linalg.householder_product(x, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """A matrix with orthonormal columns (rows, if it is wide) from one without constraint."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        rows, columns = X.shape[-2:]
        if self.orthogonal_map == "householder":
            A = X.tril(-1)
            tau = 2.0 / (1.0 + (A * A).sum(-2))
            Q = kagari.linalg.householder_product(A, tau)
            # The diagonal says which columns are turned around
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            X = X.tril()
            if rows != columns:
                X = kagari.cat([X, X.new_zeros(*X.shape[:-2], rows, rows - columns)], -1)
            Q = self._of_skew(X - X.mH)[..., :columns]
        if self.use_trivialization and self.base is not None:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def _of_skew(self, A: Tensor) -> Tensor:
        if self.orthogonal_map == "matrix_exp":
            return kagari.linalg.matrix_exp(A)
        identity = kagari.eye(A.shape[-1], dtype=A.dtype, device=A.device)
        return kagari.linalg.solve(identity - 0.5 * A, identity + 0.5 * A)

    def right_inverse(self, Q: Tensor) -> Tensor:
        """What gives Q, or the orthogonal matrix near it."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {Q.shape}."
            )
        if not self.use_trivialization:
            return self._householder_of(Q)
        start = Q
        Q = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
        rows, columns = Q.shape[-2:]
        if rows == columns:
            Q = Q.clone() if _is_orthogonal(Q) else _made_orthogonal(Q)
        else:
            shape = (*Q.shape[:-2], rows, rows - columns)
            rest = kagari.randn(shape, dtype=Q.dtype, device=Q.device)
            Q = _made_orthogonal(kagari.cat([Q, rest], -1))
        self.base = Q
        neutral = kagari.zeros_like(start)
        neutral.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return neutral

    def _householder_of(self, Q: Tensor) -> Tensor:
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley "
                "parametrizations when use_trivialization=False."
            )
        wide = Q.shape[-2] < Q.shape[-1]
        A, tau = kagari.geqrf(Q.mT if wide else Q)
        signs = A.diagonal(dim1=-2, dim2=-1).sign()
        # LAPACK leaves out a reflection (tau is 0) where forward, from the same zeros, makes one
        A.diagonal(dim1=-2, dim2=-1).copy_(kagari.where(tau == 0, -signs, signs))
        return A.mT if wide else A


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True,
) -> Module:  # fmt: skip
    """Keep a matrix (or each of a batch) orthogonal or unitary: its columns orthonormal, or its
    rows where it is wide. Returns `module`.

    Args:
        orthogonal_map: how an unconstrained matrix becomes orthogonal: "matrix_exp" and "cayley" of
            a skew-symmetric matrix, "householder" by reflections; by default the first for square
            and complex matrices and the last for others.
        use_trivialization: the map starts from the matrix there is (Lezcano-Casado 2019).

    ValueError where there is no such tensor, for less than two dimensions, for an unknown map.

    >>> layer = orthogonal(kagari.nn.Linear(3, 3))
    >>> bool(kagari.allclose(layer.weight @ layer.weight.mT, kagari.eye(3), atol=1e-5))
    True
    """
    weight = _tensor_of(module, name)
    if weight.dim() < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: '
            f"{orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


# ---- weight_norm ----


class _WeightNorm(Module):
    """A tensor as sizes and directions."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normalised(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norms(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn size and direction of a tensor apart: original0 is the norm over all dimensions but
    `dim` (over all where it is None), original1 the direction (Salimans and Kingma 2016).

    >>> layer = weight_norm(kagari.nn.Linear(2, 3))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([3, 1])
    """
    made = _WeightNorm(dim)
    parametrize.register_parametrization(module, name, made, unsafe=True)

    def take_older_names(
        state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        older = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in older):
            for i, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(take_older_names)
    return module


# ---- spectral_norm ----


class _SpectralNorm(Module):
    """A tensor divided by its largest singular value, which power iterations follow."""

    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        rank = weight.dim()
        if not -rank <= dim < rank:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{rank}, {rank - 1}] but "
                f"got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % rank, eps
        self.n_power_iterations, self.vector = n_power_iterations, rank == 1
        if not self.vector:
            matrix = self._matrix(weight)
            for buffer, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = matrix.new_empty(size).normal_(0, 1)
                self.register_buffer(buffer, F.normalize(start, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    def _power_method(self, matrix: Tensor, count: int) -> None:
        with kagari.no_grad():
            for _ in range(count):
                self._u.copy_(F.normalize(matrix @ self._v, dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matrix.mH @ self._u, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if self.vector:  # the spectral norm of a vector is its norm
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # clones: backward needs these, whatever later iterations write
        u, v = self._u.clone(), self._v.clone()
        return weight / kagari.vdot(u, matrix @ v)

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> Module:  # fmt: skip
    """Divide a tensor, seen as a matrix with `dim` as rows, by its largest singular value (Miyato
    et al. 2018). In training each access makes `n_power_iterations` steps towards it.

    `dim` is 0 by default, and 1 for transposed convolutions. ValueError where there is no such
    tensor.

    >>> layer = spectral_norm(kagari.nn.Linear(3, 3))
    >>> 0.9 < kagari.linalg.matrix_norm(layer.weight, 2).item() < 1.1
    True
    """
    weight = _tensor_of(module, name)
    if dim is None:
        transposed = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
        dim = 1 if isinstance(module, transposed) else 0
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, made)
