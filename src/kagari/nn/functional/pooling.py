"""Pooling. Maximum, average and adaptive pooling are ops of the core; the rest is made of them."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari import _ops as ops

Ints = int | tuple[int, ...]


def avg_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """Mean over windows of (N, C, L)."""
    return ops.avg_pool1d(
        input, kernel_size, _stride(stride, kernel_size), padding, ceil_mode, count_include_pad
    )


def _stride(stride: Any, kernel_size: Any) -> Any:
    return kernel_size if stride is None or stride == () or stride == [] else stride


def avg_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Mean over windows of (N, C, H, W)."""
    return ops.avg_pool2d(
        input, kernel_size, _stride(stride, kernel_size), padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def avg_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Mean over windows of (N, C, D, H, W)."""
    return ops.avg_pool3d(
        input, kernel_size, _stride(stride, kernel_size), padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Maxima over windows of (N, C, L), and where they were."""
    return ops.max_pool1d_with_indices(
        input, kernel_size, _stride(stride, kernel_size), padding, dilation, ceil_mode
    )


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Maxima over windows of (N, C, H, W), and where they were."""
    return ops.max_pool2d_with_indices(
        input, kernel_size, _stride(stride, kernel_size), padding, dilation, ceil_mode
    )


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Maxima over windows of (N, C, D, H, W), and where they were."""
    return ops.max_pool3d_with_indices(
        input, kernel_size, _stride(stride, kernel_size), padding, dilation, ceil_mode
    )


def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Maxima over windows of (N, C, L); with `return_indices` also where they were."""
    stride = _stride(stride, kernel_size)
    op = ops.max_pool1d_with_indices if return_indices else ops.max_pool1d
    return op(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Maxima over windows of (N, C, H, W); with `return_indices` also where they were."""
    stride = _stride(stride, kernel_size)
    op = ops.max_pool2d_with_indices if return_indices else ops.max_pool2d
    return op(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Maxima over windows of (N, C, D, H, W); with `return_indices` also where they were."""
    stride = _stride(stride, kernel_size)
    op = ops.max_pool3d_with_indices if return_indices else ops.max_pool3d
    return op(input, kernel_size, stride, padding, dilation, ceil_mode)


# -- adaptive --------------------------------------------------------------------------------


def _adaptive_size(input: Tensor, size: Any, n: int) -> list[int]:
    """`size` for n dimensions, where None keeps the input's."""
    sizes = [size] * n if isinstance(size, int) or size is None else list(size)
    if len(sizes) == 1:
        sizes *= n
    if len(sizes) != n:
        raise ValueError(f"adaptive pooling: output_size needs {n} numbers, got {tuple(sizes)}")
    if input.dim() <= n and None in sizes:
        raise ValueError(f"Input dimension should be at least {n + 1}")
    return [input.shape[i - n] if s is None else int(s) for i, s in enumerate(sizes)]


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Means over as many windows as `output_size` says."""
    return ops.adaptive_avg_pool1d(input, _adaptive_size(input, output_size, 1))


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means over as many windows as `output_size` says; None keeps a dimension."""
    return ops.adaptive_avg_pool2d(input, _adaptive_size(input, output_size, 2))


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Means over as many windows as `output_size` says; None keeps a dimension."""
    return ops.adaptive_avg_pool3d(input, _adaptive_size(input, output_size, 3))


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Maxima over as many windows as `output_size` says, and where they were."""
    return ops.adaptive_max_pool1d(input, _adaptive_size(input, output_size, 1))


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Maxima over as many windows as `output_size` says, and where they were."""
    return ops.adaptive_max_pool2d(input, _adaptive_size(input, output_size, 2))


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Maxima over as many windows as `output_size` says, and where they were."""
    return ops.adaptive_max_pool3d(input, _adaptive_size(input, output_size, 3))


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over as many windows as `output_size` says."""
    result = adaptive_max_pool1d_with_indices(input, output_size)
    return tuple(result) if return_indices else result[0]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over as many windows as `output_size` says."""
    result = adaptive_max_pool2d_with_indices(input, output_size)
    return tuple(result) if return_indices else result[0]


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over as many windows as `output_size` says."""
    result = adaptive_max_pool3d_with_indices(input, output_size)
    return tuple(result) if return_indices else result[0]


# -- power averages --------------------------------------------------------------------------


def _lp(pool: Any, input: Tensor, p: float, kernel: Any, stride: Any, ceil: bool, n: int) -> Tensor:
    count = 1
    for k in [kernel] * n if isinstance(kernel, int) else kernel:
        count *= k
    powered = pool(input.pow(p), kernel, stride, 0, ceil)
    return (powered.sign() * powered.abs().relu() * count).pow(1.0 / p)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: int, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """p-norms of windows of (N, C, L)."""
    return _lp(avg_pool1d, input, norm_type, kernel_size, stride, ceil_mode, 1)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """p-norms of windows of (N, C, H, W)."""
    return _lp(avg_pool2d, input, norm_type, kernel_size, stride, ceil_mode, 2)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """p-norms of windows of (N, C, D, H, W)."""
    return _lp(avg_pool3d, input, norm_type, kernel_size, stride, ceil_mode, 3)


# -- fractional ------------------------------------------------------------------------------


def _fractional(
    input: Tensor, kernel: Any, size: Any, ratio: Any, samples: Tensor | None, n: int
) -> tuple[Tensor, Tensor]:
    """Maxima over windows whose starts are spread pseudo-randomly (Graham, 2014)."""
    if (size is None) == (ratio is None):
        raise ValueError(
            f"fractional_max_pool{n}d: exactly one of output_size and output_ratio is needed"
        )
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(f"fractional_max_pool{n}d: got input {tuple(input.shape)}")
    kernels = [kernel] * n if isinstance(kernel, int) else list(kernel)
    spatial = list(input.shape[-n:])
    if ratio is not None:
        ratios = [ratio] * n if isinstance(ratio, float) else list(ratio)
        sizes = [int(s * r) for s, r in zip(spatial, ratios, strict=True)]
    else:
        sizes = [size] * n if isinstance(size, int) else list(size)
    for old, new, k in zip(spatial, sizes, kernels, strict=True):
        if new < 1 or new + k - 1 > old:
            raise RuntimeError(
                f"fractional_max_pool{n}d: kernel_size {tuple(kernels)} and output size "
                f"{tuple(sizes)} are too large for input {tuple(input.shape)}"
            )
    x = input if input.dim() == n + 2 else input.unsqueeze(0)
    if samples is None:
        samples = kagari.rand(x.shape[0], x.shape[1], n, dtype=x.dtype, device=x.device)
    samples = samples[: x.shape[0]]
    flat: Any = 0  # (N, C, windows..., kernel...): index into the flattened input
    for i in range(n):
        sample = samples[:, :, 1 - i if n == 2 else i]  # PyTorch's order: (w, h), but (t, h, w)
        starts = _starts(sample, spatial[i], sizes[i], kernels[i])
        place = starts.unsqueeze(-1) + kagari.arange(kernels[i], device=x.device)
        shape = [1] * (2 * n)
        shape[i], shape[n + i] = sizes[i], kernels[i]
        flat = flat * spatial[i] + place.reshape(*place.shape[:2], *shape)
    flat = flat.reshape(*flat.shape[:2], -1, _product(kernels))
    values = x.reshape(*x.shape[:2], -1).gather(2, flat.reshape(*flat.shape[:2], -1))
    best, which = values.reshape(flat.shape).max(-1)
    indices = flat.gather(-1, which.unsqueeze(-1)).squeeze(-1)
    shape = [*x.shape[:2], *sizes]
    best, indices = best.reshape(shape), indices.reshape(shape)
    return (best, indices) if input.dim() == n + 2 else (best.squeeze(0), indices.squeeze(0))


def _product(values: Any) -> int:
    result = 1
    for value in values:
        result *= value
    return result


def _starts(sample: Tensor, old: int, new: int, kernel: int) -> Tensor:
    """Where the windows of one dimension begin: (N, C, new)."""
    last = sample.new_full((*sample.shape, 1), old - kernel).to(kagari.int64)
    if new == 1:
        return last
    alpha = (old - kernel) / (new - 1)
    u = sample.unsqueeze(-1)
    steps = kagari.arange(new - 1, device=sample.device, dtype=sample.dtype)
    places = ((steps + u) * alpha).to(kagari.int64) - (u * alpha).to(kagari.int64)
    return kagari.cat([places, last], -1)


def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Ints, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Fractional maximum pooling, and where the maxima were."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 2)


def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Ints, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Fractional maximum pooling, and where the maxima were."""
    return _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 3)


def fractional_max_pool2d(
    input: Tensor, kernel_size: Ints, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """Fractional maximum pooling of (N, C, H, W)."""
    result = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 2)
    return result if return_indices else result[0]


def fractional_max_pool3d(
    input: Tensor, kernel_size: Ints, output_size: Any = None, output_ratio: Any = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """Fractional maximum pooling of (N, C, D, H, W)."""
    result = _fractional(input, kernel_size, output_size, output_ratio, _random_samples, 3)
    return result if return_indices else result[0]


# -- undone ----------------------------------------------------------------------------------


def _unpool(
    input: Tensor, indices: Tensor, kernel: Any, stride: Any, padding: Any, size: Any, n: int
) -> Tensor:
    name = f"max_unpool{n}d"
    if indices.shape != input.shape:
        raise RuntimeError(
            f"{name}: expected indices of the input's shape {tuple(input.shape)}, got "
            f"{tuple(indices.shape)}"
        )
    if indices.dtype is not kagari.int64:
        raise RuntimeError(f"{name}: elements in indices should be type int64, got {indices.dtype}")
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: expected a {n + 1}D or {n + 2}D input, got {tuple(input.shape)}"
        )
    spread = [
        [v] * n if isinstance(v, int) else list(v)
        for v in (kernel, _stride(stride, kernel), padding)
    ]
    default = [
        (input.shape[i - n] - 1) * s + k - 2 * p
        for i, (k, s, p) in enumerate(zip(*spread, strict=True))
    ]
    sizes = default if size is None else list(size)[-n:]
    if size is not None:
        if len(size) not in (n, n + 2, n + 1):
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has "
                f"a length of '{len(size)}'"
            )
        for got, want, step in zip(sizes, default, spread[1], strict=True):
            if not want - step < got < want + step:
                raise ValueError(f'invalid output_size "{tuple(sizes)}" ({name}: about {default})')
    lead = list(input.shape[:-n])
    total = _product(sizes)
    flat, where = input.reshape(*lead, -1), indices.reshape(*lead, -1)
    places = _C._all_samples(where)
    if (
        places.numel()
        and not places.is_meta
        and not 0 <= int(places.min()) <= int(places.max()) < total
    ):
        raise RuntimeError(f"{name}: found an invalid max index (output size {tuple(sizes)})")
    return flat.new_zeros(*lead, total).scatter(-1, where, flat).reshape(*lead, *sizes)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Put the maxima of `max_pool1d` back where they were, zeros elsewhere."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Put the maxima of `max_pool2d` back where they were, zeros elsewhere."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 2)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Put the maxima of `max_pool3d` back where they were, zeros elsewhere."""
    return _unpool(input, indices, kernel_size, stride, padding, output_size, 3)


__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]
