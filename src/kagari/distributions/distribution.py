"""The base of all distributions: shapes, and the checking of arguments and samples."""

import warnings
from typing import Any

import kagari

from .._C import Size, Tensor
from . import constraints
from .parameters import broadcast_all, lazy_property


class Distribution:
    """A distribution over events of `event_shape`, independent ones over `batch_shape`.

    A subclass says its parameters and their regions in `arg_constraints`, the region of its values
    in `support`, and defines `sample` or `rsample` and `log_prob`. Arguments outside of their
    region are a ValueError, unless `validate_args` is False.
    """

    has_rsample = False
    has_enumerate_support = False
    # the parameters of batch shape, each with the number of dimensions that follow; what else an
    # expanded instance takes over
    _parameters: dict[str, int] = {}
    _constants: tuple[str, ...] = ()
    _validate_args: bool = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check their arguments when they are not told."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected a bool, got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_arguments()

    def _take(self, validate_args: bool | None, **parameters: Any) -> None:
        """Makes a distribution of numbers and tensors that are broadcast to the batch shape."""
        values = broadcast_all(*parameters.values())
        self.__dict__.update(zip(parameters, values, strict=True))
        Distribution.__init__(self, values[0].shape, validate_args=validate_args)

    def _check_arguments(self) -> None:
        try:
            regions = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set "
                "`arg_constraints = {}` or initialize the distribution with `validate_args=False` "
                "to turn off validation.",
                stacklevel=4,
            )
            return
        for name, region in regions.items():
            # what is computed when it is asked for need not be checked
            if constraints.is_dependent(region) or not self._is_given(name):
                continue
            value = getattr(self, name)
            if not region.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{region!r}, but found invalid values:\n{value}"
                )

    def _is_given(self, name: str) -> bool:
        computed = isinstance(getattr(type(self), name, None), lazy_property)
        return name in self.__dict__ or not computed

    @property
    def batch_shape(self) -> Size:
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of a single sample, without batching."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The region of each parameter, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The region of the values."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Samples of shape sample_shape + batch_shape + event_shape, without history."""
        with kagari.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Samples with a gradient in the parameters."""
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or probability, at `value`."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a value up to `value`."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """Where `cdf` has the value `value`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, along a first dimension; of full batch shape if `expand`."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy in nats, of batch shape."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        return self.entropy().exp()

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Distribution":
        """The same distribution with its parameters expanded to a batch shape."""
        maker = next((c for c in type(self).__mro__ if "_parameters" in c.__dict__), Distribution)
        if maker is Distribution:
            raise NotImplementedError
        batch_shape = Size(batch_shape)
        parameters = {name: self.__dict__[name] for name in self._constants}
        for name, kept in self._parameters.items():
            if name in self.__dict__:
                value = self.__dict__[name]
                more = tuple(value.shape[value.dim() - kept :])
                parameters[name] = value.expand(tuple(batch_shape) + more)
        return self._expanded(maker, _instance, batch_shape, **parameters)

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        """The shape of samples."""
        return Size(tuple(sample_shape) + tuple(self._batch_shape) + tuple(self._event_shape))

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """An empty instance to expand into. A subclass that has its own constructor must say how
        it is expanded."""
        if _instance is None and type(self).__init__ is not cls.__init__:
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ "
                "method must also define a custom .expand() method."
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    def _expanded(self, cls: type, _instance: Any, batch_shape: Any, **parameters: Any) -> Any:
        """An instance of `batch_shape` with these parameters, past the checks."""
        new = self._get_checked_instance(cls, _instance)
        new.__dict__.update(parameters)
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _judge(self, value: Tensor) -> None:
        """Validates a sample where arguments are validated."""
        if self._validate_args:
            self._validate_sample(value)

    def _validate_sample(self, value: Tensor) -> None:
        """A ValueError for what is no tensor, does not broadcast to the shape, or is not in the
        support."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        start = value.dim() - len(self._event_shape)
        if tuple(value.shape[max(start, 0) :]) != tuple(self._event_shape):
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{tuple(value.shape)} vs {tuple(self._event_shape)}."
            )
        expected = tuple(self._batch_shape) + tuple(self._event_shape)
        pairs = zip(reversed(tuple(value.shape)), reversed(expected), strict=False)
        if any(i != 1 and j != 1 and i != j for i, j in pairs):
            raise ValueError(
                f"Value is not broadcastable with batch_shape+event_shape: {tuple(value.shape)} vs "
                f"{expected}."
            )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                "Expected value argument "
                f"({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        names = [k for k in self.arg_constraints if k in self.__dict__]
        values = (self.__dict__[k] for k in names)
        shown = (
            f"{k}: {v if v.numel() == 1 else v.size()}" for k, v in zip(names, values, strict=True)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """Densities exp(<natural, statistics> - log_normalizer(natural) + carrier): the entropy comes
    from the gradient of the log normalizer."""

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        natural = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        gradients = kagari.autograd.grad(normalizer.sum(), natural, create_graph=True)
        result = normalizer - self._mean_carrier_measure
        for parameter, gradient in zip(natural, gradients, strict=True):
            product = parameter * gradient
            kept = len(self._batch_shape)
            result = result - product.reshape(tuple(self._batch_shape) + (-1,)).sum(kept)
        return result
