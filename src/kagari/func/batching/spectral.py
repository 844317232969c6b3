"""Batching rules of the Fourier transforms: other dimensions are a batch anyway."""

from typing import Any

from kagari import Tensor

from .samples import Samples, rule, run


@rule("_fft_complex", "_fft_real", "_fft_half")
def transform(samples: Samples, op: Any, x: Tensor, dims: Any, *rest: Any) -> Any:
    return run(op, samples.front(x), [d + 1 for d in dims], *rest)
