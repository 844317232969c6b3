"""What becomes of a distribution under transforms of its values."""

from typing import Any

import kagari

from .._C import Size, Tensor
from . import constraints
from .distribution import Distribution
from .independent import Independent
from .transforms import ComposeTransform, Transform, sum_rightmost


class TransformedDistribution(Distribution):
    """Values of `base_distribution` sent through `transforms`, one after the other.

    >>> from kagari.distributions import ExpTransform, Normal, TransformedDistribution
    >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform()).log_prob(kagari.tensor(1.0))
    tensor(-0.9189)
    """

    arg_constraints: dict[str, Any] = {}  # type: ignore[assignment]

    def __init__(
        self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None
    ):
        listed = isinstance(transforms, list)
        if not (isinstance(transforms, Transform) or listed):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        if listed and not all(isinstance(t, Transform) for t in transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        self.transforms: list[Transform] = transforms if listed else [transforms]
        base, whole = base_distribution, ComposeTransform(self.transforms)
        shape, own = base.batch_shape + base.event_shape, len(base.event_shape)
        if len(shape) < whole.domain.event_dim:
            raise ValueError(
                "base_distribution needs to have shape with size at least "
                f"{whole.domain.event_dim}, but got {shape}."
            )
        # the parameters of transforms may widen the shape, and their domains take batch dimensions
        forward = whole.forward_shape(shape)
        needed = whole.inverse_shape(forward)
        if tuple(needed) != tuple(shape):
            base = base.expand(needed[: len(needed) - own])
        missing = whole.domain.event_dim - own
        self.base_dist = Independent(base, missing) if missing > 0 else base
        more = whole.codomain.event_dim - whole.domain.event_dim
        cut = len(forward) - max(whole.codomain.event_dim, own + more)
        super().__init__(forward[:cut], forward[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "TransformedDistribution":
        return self._expanded_base(TransformedDistribution, _instance, batch_shape)

    def _expanded_base(self, cls: type, _instance: Any, batch_shape: Any, **others: Any) -> Any:
        shape = Size(tuple(batch_shape) + tuple(self.event_shape))
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        cut = len(shape) - len(self.base_dist.event_shape)
        base = self.base_dist.expand(shape[:cut])
        kept = {"base_dist": base, "transforms": self.transforms, **others}
        return self._expanded(cls, _instance, batch_shape, **kept)

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        missing = len(self.event_shape) - support.event_dim
        return constraints.independent(support, missing) if missing > 0 else support

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with kagari.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        dims, total, y = len(self.event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            jacobian = transform.log_abs_det_jacobian(x, y)
            total = total - sum_rightmost(jacobian, dims - transform.domain.event_dim)
            y = x
        base = self.base_dist
        return total + sum_rightmost(base.log_prob(y), dims - len(base.event_shape))

    def _monotonized(self, probability: Tensor) -> Tensor:
        """1 - probability where the transforms turn values around."""
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonized(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._forward(self.base_dist.icdf(self._monotonized(value)))
