"""One call in kagari and in PyTorch on the same tensors: results and gradients compared."""

import functools
import operator

import torch

import kagari

TOLERANCE = {
    torch.float16: 2e-3, torch.bfloat16: 2e-2, torch.float32: 2e-6, torch.float64: 1e-12,
    torch.complex64: 2e-6, torch.complex128: 1e-12,
}  # fmt: skip
DTYPES = (
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
    torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
)  # fmt: skip
REAL = tuple(d for d in DTYPES if not d.is_complex)
FLOATING = tuple(d for d in DTYPES if d.is_floating_point)


def sample(dtype: torch.dtype, *sizes: int, seed: int = 0) -> torch.Tensor:
    made = torch.Generator().manual_seed(seed + 7 * len(sizes))
    if dtype == torch.bool:
        return torch.rand(sizes, generator=made) < 0.5
    if dtype.is_floating_point or dtype.is_complex:
        wide = torch.complex128 if dtype.is_complex else torch.float64
        return torch.randn(sizes, generator=made, dtype=wide).to(dtype)
    low = 0 if dtype == torch.uint8 else -9
    return torch.randint(low, 9, sizes, generator=made).to(dtype)


def layouts(x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same values in other strides."""
    found = {"contiguous": x}
    if x.dim() >= 2:
        found["transposed"] = x.transpose(0, -1).contiguous().transpose(0, -1)
        found["outer"] = x.transpose(0, 1).contiguous().transpose(0, 1)
    if x.dim() >= 1:
        found["strided"] = torch.stack([x, x], -1)[..., 0]
        found["broadcast"] = x[:1].expand(x.shape)
    return found


def ours(value):
    """Tensors of PyTorch in an argument become kagari's, on the same memory; so do dtypes."""
    if isinstance(value, torch.Tensor):
        made = kagari.from_dlpack(value.detach())
        return made.requires_grad_() if value.requires_grad else made
    if isinstance(value, torch.dtype):
        return getattr(kagari, str(value).removeprefix("torch."))
    if isinstance(value, (list, tuple)):
        return type(value)(ours(v) for v in value)
    return value


def theirs(value):
    if isinstance(value, kagari.Tensor):
        flat = value.detach()
        if flat.dtype == kagari.bool:
            return torch.from_dlpack(flat.to(kagari.uint8)).bool()
        return torch.from_dlpack(flat).clone()
    return value


def flat_results(result) -> list:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def assert_close(got, expected: torch.Tensor, scale: float = 1.0, note: str = "") -> None:
    """Same dtype, shape and values; NaN equals NaN."""
    assert str(got.dtype).split(".")[-1] == str(expected.dtype).split(".")[-1], (
        f"{note}: dtype {got.dtype}, expected {expected.dtype}"
    )
    assert tuple(got.shape) == tuple(expected.shape), (
        f"{note}: shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
    )
    tolerance = scale * TOLERANCE.get(expected.dtype, 0)
    torch.testing.assert_close(
        theirs(got), expected.detach(), rtol=tolerance, atol=tolerance, equal_nan=True,
        msg=lambda m: f"{note}\n{m}",
    )  # fmt: skip


def compare(name: str, *args, scale: float = 1.0, note: str = "", **kwargs) -> None:
    """`name` is a path from the library ("nn.functional.softmax") or "Tensor.name"."""
    expected = flat_results(_function(torch, name)(*args, **kwargs))
    got = flat_results(
        _function(kagari, name)(*map(ours, args), **{k: ours(v) for k, v in kwargs.items()})
    )
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        if isinstance(e, torch.Tensor):
            assert_close(g, e, scale, note or f"{name}{kwargs}")
        else:
            assert g == e


def _function(library, name: str):
    found = library
    for part in name.split("."):
        found = getattr(found, part)
    return found


def compare_gradients(name: str, *args, scale: float = 1.0, second: bool = True, **kwargs) -> None:
    """First and, with a weighted sum of the first, second derivatives in every tensor argument."""
    runs = []
    for library, convert in ((torch, lambda v: v), (kagari, ours)):
        inputs = [_leaf(a, convert) for a in args]
        wanted = [i for i, a in zip(inputs, args, strict=True)
                  if isinstance(a, torch.Tensor) and a.requires_grad]  # fmt: skip
        out = flat_results(_function(library, name)(*inputs, **kwargs))
        runs.append(_derivatives(library, convert, out, wanted, second))
    for kind, got, expected in zip(("first", "second"), runs[1], runs[0], strict=False):
        for g, e in zip(got, expected, strict=True):
            if e is not None:
                assert_close(g, e, scale, f"{kind} derivative of {name}{kwargs}")


def _leaf(a, convert):
    if isinstance(a, torch.Tensor) and a.requires_grad:
        return convert(a.detach().clone()).requires_grad_()
    return convert(a)


def _derivatives(library, convert, results, wanted, second: bool) -> list:
    def weighted(tensors):
        parts = []
        for i, t in enumerate(tensors):
            if t is not None and t.requires_grad:
                weights = sample(getattr(torch, str(t.dtype).split(".")[-1]), *t.shape, seed=11 + i)
                parts.append((t * convert(weights)).sum())
        return functools.reduce(operator.add, parts)

    loss = weighted(results)
    grad = library.autograd.grad
    first = grad(_real(library, loss), wanted, create_graph=second, allow_unused=True)
    found = [list(first)]
    if second and any(g is not None and g.requires_grad for g in first):
        again = weighted([g * g for g in first if g is not None])
        found.append(list(grad(_real(library, again), wanted, allow_unused=True)))
    return found


def _real(library, x):
    return library.view_as_real(x).sum() if "complex" in str(x.dtype) else x
