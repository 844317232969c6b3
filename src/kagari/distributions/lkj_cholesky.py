"""The distribution of Lewandowski, Kurowicka and Joe (2009) over correlation matrices."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .parameters import broadcast_all, standard_normal


class LKJCholesky(Distribution):
    """Lower Cholesky factors of `dim` x `dim` correlation matrices M with a density proportional to
    |M|^(concentration - 1). Samples by the onion method.

    >>> kagari.distributions.LKJCholesky(3, 0.5).log_prob(kagari.eye(3))
    tensor(-2.5310)
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None):
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        # the squared lengths of rows of the factor, without its diagonal
        concentration = self.concentration
        like = {"dtype": concentration.dtype, "device": concentration.device}
        offset = kagari.arange(dim - 1, **like)
        offset = kagari.cat([offset.new_zeros((1,)), offset])
        marginal = (concentration + 0.5 * (dim - 2)).unsqueeze(-1)
        self._beta = Beta(offset + 0.5, marginal - 0.5 * offset)
        super().__init__(concentration.shape, (dim, dim), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "LKJCholesky":
        kept = {
            "dim": self.dim,
            "concentration": self.concentration.expand(batch_shape),
            "_beta": self._beta.expand((*batch_shape, self.dim)),
        }
        return self._expanded(LKJCholesky, _instance, batch_shape, **kept)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with kagari.no_grad():
            length = self._beta.sample(sample_shape).unsqueeze(-1)
            shape = self._extended_shape(sample_shape)
            normal = standard_normal(shape, self.concentration).tril(-1)
            sphere = normal / normal.norm(dim=-1, keepdim=True)
            sphere[..., 0, :] = 0.0
            rows = length.sqrt() * sphere
            rest = (1 - rows.pow(2).sum(-1)).clamp(min=kagari.finfo(rows.dtype).tiny)
            return rows + rest.sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        c, n = self.concentration, self.dim - 1
        order = kagari.arange(2, self.dim + 1, device=c.device)
        order = 2 * (c - 1).unsqueeze(-1) + self.dim - order
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        # the normalising constant as on page 1999 of the paper
        alpha = c + 0.5 * n
        norm = 0.5 * n * math.log(math.pi) + (alpha - 0.5).mvlgamma(n) - alpha.lgamma() * n
        return (order * diagonal.log()).sum(-1) - norm
