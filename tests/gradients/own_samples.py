"""Samples of what PyTorch's database lacks, and results with a free phase made unique."""

from collections.abc import Callable
from typing import Any

import kagari
from kagari import _ops
from kagari.nn import functional as F

Call = tuple[Callable[..., Any], tuple, dict]


def x(*shape: int, low: float = -1.0, high: float = 1.0) -> kagari.Tensor:
    """Numbers in an interval, no two of them alike."""
    generator = kagari.Generator().manual_seed(len(shape))
    random = kagari.rand(shape, dtype=kagari.float64, generator=generator)
    return (random * (high - low) + low).requires_grad_()


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    return function, args, kwargs


def _overwritten(name: str, *args: Any) -> Callable[[], list[Call]]:
    """A sampling function that writes over a tensor cuts its history; what is beside it has one."""

    def write(x: kagari.Tensor, weight: kagari.Tensor) -> kagari.Tensor:
        return getattr(x * 2, name)(*args) * weight

    return lambda: [_call(write, x(3, low=0.2, high=0.8), x(3))]


def _filled(x: kagari.Tensor, mask: kagari.Tensor, value: kagari.Tensor) -> kagari.Tensor:
    return (x * x).masked_fill_(mask, value)


def _third(x: kagari.Tensor, weight: kagari.Tensor) -> Any:
    """Derivatives of max_pool2d, whose second and third have nodes of their own."""
    return kagari.autograd.grad(F.max_pool2d(x, 2), x, weight, create_graph=True)


SAMPLES: dict[str, Callable[[], list[Call]]] = {
    "masked_fill_ (a tensor)": lambda: [
        _call(_filled, x(2, 3), kagari.tensor([True, False, True]), x())
    ],
    "floor_divide": lambda: [_call(_ops.floor_divide, x(3, low=2.1, high=2.9), 2.0)],
    "heaviside": lambda: [_call(_ops.heaviside, x(3, low=0.1), x(3))],
    "frexp": lambda: [_call(lambda x: _ops.frexp_mantissa(x), x(4, low=1.1, high=1.9))],
    "trigamma": lambda: [_call(_ops.trigamma, x(4, low=0.2, high=9.0))],
    "kl_div_elements": lambda: [_call(_ops.kl_div_elements, x(4), x(4, low=0.1))],
    "l1_loss_elements": lambda: [_call(_ops.l1_loss_elements, x(4), x(4, low=2.0, high=3.0))],
    "mse_loss_elements": lambda: [_call(_ops.mse_loss_elements, x(4), x(4))],
    "prod": lambda: [_call(kagari.prod, x(2, 3), 1)],
    "prelu_kernel": lambda: [_call(_ops.prelu_kernel, x(4), x(4))],
    "max_pool2d (derivatives)": lambda: [_call(_third, x(1, 4, 4), x(1, 2, 2))],
    "bernoulli_ (a tensor)": lambda: [
        _call(lambda x, p, w: (x * 2).bernoulli_(p) * w, x(3), x(3, low=0.1, high=0.9), x(3))
    ],
    "bernoulli_": _overwritten("bernoulli_", 0.3),
    "cauchy_": _overwritten("cauchy_"),
    "exponential_": _overwritten("exponential_"),
    "geometric_": _overwritten("geometric_", 0.3),
    "log_normal_": _overwritten("log_normal_"),
    "normal_": _overwritten("normal_"),
    "random_": _overwritten("random_"),
    "random_ (to)": _overwritten("random_", 9),
    "random_ (from, to)": _overwritten("random_", 3, 9),
    "uniform_": _overwritten("uniform_"),
    "poisson": lambda: [_call(lambda r, w: kagari.poisson(r) * w, x(3, low=1, high=2), x(3))],
    "__rpow__": lambda: [_call(lambda x: 2.5**x, x(3)), _call(lambda x: 0.5**x, x(2, 2))],
    "igamma": lambda: [
        _call(lambda v: kagari.igamma(kagari.tensor(1.5), v), x(3, low=0.5, high=2))
    ],
    "polygamma": lambda: [_call(lambda v: kagari.polygamma(3, v), x(3, low=1, high=2))],
    "while_loop": lambda: [
        _call(
            lambda v: kagari.while_loop(
                lambda i, a: i < 2, lambda i, a: (i + 1, a * a), (kagari.tensor(0), v)
            )[1],
            x(3),
        )
    ],
    "igammac": lambda: [
        _call(lambda v: kagari.igammac(kagari.tensor(1.5), v), x(3, low=0.5, high=2))
    ],
    "zeta": lambda: [_call(lambda v: kagari.special.zeta(3.5, v), x(3, low=1, high=2))],
    "put (another shape)": lambda: [
        _call(kagari.put, x(4), kagari.tensor([[0, 2]]), x(2), accumulate=a) for a in (True, False)
    ],
    "chain_matmul": lambda: [_call(kagari.chain_matmul, x(2, 3), x(3, 2), x(2, 1))],
    "convolution": lambda: [
        _call(kagari.convolution, x(1, 2, 4), x(2, 1, 2), x(2), [1], [1], [1], False, [0], 2)
    ],
    "frobenius_norm": lambda: [_call(kagari.frobenius_norm, x(2, 3), 1)],
    "nuclear_norm": lambda: [_call(kagari.nuclear_norm, x(2, 3))],
    "unsafe_split_with_sizes": lambda: [_call(kagari.unsafe_split_with_sizes, x(5), [2, 3])],
    "select_copy": lambda: [_call(kagari.select_copy, x(2, 3), 1, 2)],
    "slice_copy": lambda: [_call(kagari.slice_copy, x(5), 0, 1, 4, 2)],
    "split_copy": lambda: [_call(kagari.split_copy, x(5), 2)],
    "view_as_real_copy": lambda: [
        _call(lambda x: kagari.view_as_real_copy(kagari.complex(x, x * x)), x(3))
    ],
    "view_as_complex_copy": lambda: [_call(kagari.view_as_complex_copy, x(3, 2))],
    "feature_dropout": lambda: [_call(kagari.feature_dropout, x(2, 3, 2), 0.5, True)],
    "feature_alpha_dropout": lambda: [_call(kagari.feature_alpha_dropout, x(2, 3, 2), 0.5, True)],
    "alpha_dropout": lambda: [_call(kagari.alpha_dropout, x(2, 3), 0.5, True)],
    "nn.functional.dropout1d": lambda: [_call(F.dropout1d, x(2, 3, 2))],
    "nn.functional.affine_grid": lambda: [
        _call(F.affine_grid, x(2, 2, 3), (2, 1, 3, 2), align_corners=a) for a in (True, False)
    ],
    "nn.functional.conv_tbc": lambda: [_call(F.conv_tbc, x(4, 2, 3), x(2, 3, 2), x(2), 1)],
    "nn.functional.fold": lambda: [_call(F.fold, x(1, 4, 6), (3, 4), 2)],
    "nn.functional.gumbel_softmax": lambda: [_call(F.gumbel_softmax, x(2, 3))],
    "nn.functional.lp_pool1d": lambda: [_call(F.lp_pool1d, x(1, 2, 6), 2.0, 3)],
    "nn.functional.lp_pool2d": lambda: [_call(F.lp_pool2d, x(1, 4, 4, low=0.1), 3.0, 2)],
    "nn.functional.lp_pool3d": lambda: [_call(F.lp_pool3d, x(1, 2, 2, 4), 2.0, 2)],
    "nn.functional.upsample": lambda: [_call(F.upsample, x(1, 1, 2, 3), scale_factor=2)],
    "nn.functional.rrelu": lambda: [_call(F.rrelu, x(5), training=t) for t in (True, False)],
}

INVARIANT: dict[str, Callable[[Any], Any]] = {
    "linalg.qr": lambda out: (out[0] @ out[1], out[1].abs()) if out[0].numel() else out,
    "qr": lambda out: (out[0] @ out[1], out[1].abs()) if out[0].numel() else out,
}
