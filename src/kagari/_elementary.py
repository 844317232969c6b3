"""Functions of elements that are put together in Python: polygamma, mvlgamma, float_power, frexp.
Their gradients are those of the ops they are made of."""

import math
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import kagari
from kagari._C import Tensor, can_cast, places
from kagari._outputs import write_out
from kagari.autograd.modes import differentiating

frexp_result = namedtuple("frexp_result", "mantissa exponent")

_ops = places["ops"]


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The derivative of order n of digamma: (-1)^(n + 1) n! zeta(n + 1, input) for n > 0.

    Integers become the default float. n! is finite up to n = 170. RuntimeError for a negative n.

    >>> kagari.polygamma(2, kagari.tensor([1., 0.5]))
    tensor([ -2.4041, -16.8288])
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"polygamma(): argument 'n' must be int, not {type(n).__name__}")
    if not isinstance(input, Tensor):
        raise TypeError(f"polygamma(): argument 'input' must be Tensor, not {type(input).__name__}")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, but n is {n}")
    if n < 2:
        made = input.digamma() if n == 0 else _ops["trigamma"](input)
    else:
        made = _ops["_polygamma"](input, n)
    return made if out is None else write_out(out, made, "polygamma")


def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """The logarithm of the p-dimensional gamma function: p (p - 1) / 4 log(pi) and the
    sum of lgamma(input - k / 2) over k below p; meant for input > (p - 1) / 2.

    Integers become the default float. RuntimeError for p < 1 and for bool.

    >>> kagari.mvlgamma(kagari.tensor([3., 4.]), 2)
    tensor([1.5502, 3.5651])
    """
    if input.dtype == kagari.bool:
        raise RuntimeError("mvlgamma: The input tensor may not be a boolean tensor.")
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, but it is {p}")
    dtype = input.dtype if input.is_floating_point() else kagari.get_default_dtype()
    steps = kagari.arange(p, dtype=dtype, device=input.device) * -0.5
    made = (input.unsqueeze(-1) + steps).lgamma().sum(-1) + p * (p - 1) / 4 * math.log(math.pi)
    return made if out is None else write_out(out, made, "mvlgamma")


def float_power(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """input to the power of exponent in float64, or complex128 where either is complex. One of the
    two may be a number. RuntimeError for an `out` of another dtype.

    >>> kagari.float_power(kagari.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=torch.float64)
    """
    dtype = _power_dtype(input, exponent)
    if out is not None and out.dtype != dtype:
        raise RuntimeError(
            f"the output given to float_power has dtype {out.dtype} but the operation's result "
            f"requires dtype {dtype}"
        )
    made = kagari.pow(_cast(input, dtype), _cast(exponent, dtype))
    return made if out is None else write_out(out, made, "float_power")


def _power_dtype(input: Any, exponent: Any) -> Any:
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError(
            "float_power(): expected a tensor as argument 'input' or 'exponent', got "
            f"{type(input).__name__} and {type(exponent).__name__}"
        )
    wide = (x.is_complex() if isinstance(x, Tensor) else isinstance(x, complex)
            for x in (input, exponent))  # fmt: skip
    return kagari.complex128 if any(wide) else kagari.float64


def _cast(x: Any, dtype: Any) -> Any:
    return x.to(dtype) if isinstance(x, Tensor) else x


def _float_power_in_place(self: Tensor, exponent: Any) -> Tensor:
    """float_power() in place, for float64 and complex128."""
    dtype = _power_dtype(self, exponent)
    if self.dtype == kagari.complex128:
        dtype = self.dtype
    if self.dtype != dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype} but the operation's result "
            f"requires dtype {dtype}"
        )
    return self.pow_(_cast(exponent, dtype))


def frexp(input: Tensor, *, out: tuple[Tensor, Tensor] | None = None) -> Any:
    """The named pair (mantissa, exponent) of input = mantissa * 2^exponent, with the mantissa
    between 1/2 and 1 in size and the exponent as int32; zeros, infinities and NaN have exponent 0.

    RuntimeError for dtypes that are not floating, and for `out` of other dtypes.

    >>> kagari.frexp(kagari.tensor([1., 12.])).exponent
    tensor([1, 4], dtype=torch.int32)
    """
    if not input.is_floating_point():
        raise RuntimeError(f"frexp() only supports floating-point dtypes, got {input.dtype}")
    if out is not None:
        _check_frexp_out(input, out)
    mantissa = _ops["frexp_mantissa"](input)
    exponent = _ops["frexp_exponent"](input).to(kagari.int32)
    if out is not None:
        mantissa = write_out(out[0], mantissa, "frexp")
        exponent = write_out(out[1], exponent, "frexp")
    return frexp_result(mantissa, exponent)


def _check_frexp_out(input: Tensor, out: Any) -> None:
    if not isinstance(out, tuple | list) or len(out) != 2:
        raise TypeError("frexp(): argument 'out' must be a tuple of two tensors")
    for name, made, dtype in zip(
        ("mantissa", "exponent"), out, (input.dtype, kagari.int32), strict=True
    ):
        if made.dtype != dtype:
            raise RuntimeError(f"frexp() expects {name} to have dtype {dtype}, got {made.dtype}")


def _in_place(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    def method(self: Tensor, order: int) -> Tensor:
        # what the rule keeps of its input is about to change
        kept = self.clone() if differentiating(self) else self
        made = function(kept, order)
        if not can_cast(made.dtype, self.dtype):
            raise RuntimeError(
                f"{name}: result type {made.dtype} can't be cast to the desired output type "
                f"{self.dtype}"
            )
        return self.copy_(made)

    method.__name__ = name
    method.__doc__ = f"{name[:-1]}() in place."
    return method


def _polygamma_method(self: Tensor, n: int) -> Tensor:
    """See kagari.polygamma()."""
    return polygamma(n, self)


__all__ = ["float_power", "frexp", "mvlgamma", "polygamma"]
for _name in ("float_power", "frexp", "mvlgamma"):
    setattr(Tensor, _name, globals()[_name])
Tensor.polygamma = _polygamma_method  # type: ignore[attr-defined]
Tensor.polygamma_ = _in_place(_polygamma_method, "polygamma_")  # type: ignore[attr-defined]
Tensor.mvlgamma_ = _in_place(mvlgamma, "mvlgamma_")  # type: ignore[attr-defined]
Tensor.float_power_ = _float_power_in_place  # type: ignore[attr-defined]
