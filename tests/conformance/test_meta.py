"""Every op on meta tensors gives the shapes, dtypes and strides that it gives on the CPU.

The samples are those of PyTorch's own tests; some of the ops here, all with --full.
"""

import warnings
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
import torch

import kagari
from tests.ops.beside_torch import ours

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

# The result, or its size, depends on values: these refuse
VALUES = {
    "allclose", "argwhere", "bincount", "equal", "item", "masked_select", "nonzero",
    "nonzero_static", "nn.functional.ctc_loss", "repeat_interleave", "tensor_split", "unique",
    "unique_consecutive", "linspace", "logspace", "narrow", "index_put", "nn.functional.one_hot",
    "__getitem__", "take_along_dim",
}  # fmt: skip
# Factorisations, whose error codes are looked at, and moves from device to device
LEFT_OUT = {"cholesky", "cholesky_inverse", "lu_solve", "matrix_exp", "to", "as_strided",
            "broadcast_shapes"}  # fmt: skip
EVERY = 5  # of the ops, without --full
SAMPLES = 3


def function_of(op: Any) -> Any:
    """kagari's function of that name; None if it has none, or PyTorch's is not simply called."""
    try:
        path = op.name.split(".")
        plain = reduce(getattr, path, torch) is op.op
        return reduce(getattr, path, kagari) if plain else None
    except AttributeError:
        return None


def usable(op: Any) -> bool:
    family = op.name.startswith(("linalg.", "fft.", "_", "ops.")) or op.name in LEFT_OUT
    return not family and torch.float32 in op.dtypes and function_of(op) is not None


OPS = [op for op in op_db if usable(op)]


def converted(value: Any, meta: bool) -> Any:
    """A sample's part for kagari, its tensors on the CPU or on the meta device."""
    if isinstance(value, torch.Tensor):
        made = ours(value)
        if not meta:
            return made
        size, stride = made.shape, made.stride()
        return kagari.empty_strided(size, stride, dtype=made.dtype, device="meta")
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(converted(v, meta) for v in value)
    if isinstance(value, dict):
        return {k: converted(v, meta) for k, v in value.items() if k != "device"}
    if isinstance(value, (torch.dtype, torch.memory_format)):
        return getattr(kagari, str(value).split(".")[1])
    return value


def tensors(value: Any) -> Iterator[kagari.Tensor]:
    if isinstance(value, kagari.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)


def described(value: Any) -> list[tuple]:
    return [(tuple(t.shape), t.stride(), t.dtype) for t in tensors(value)]


def parts(sample: Any, meta: bool) -> tuple[Any, Any]:
    positional = converted((sample.input, *sample.args), meta)
    keywords = converted(sample.kwargs, meta)
    if not any(True for _ in tensors([positional, list(keywords.values())])) and meta:
        keywords["device"] = "meta"
    return positional, keywords


def check(op: Any) -> int:
    """How many samples were compared."""
    function, compared = function_of(op), 0
    for sample in list(op.sample_inputs("cpu", torch.float32))[: 4 * SAMPLES]:
        try:
            positional, keywords = parts(sample, meta=False)
            expected = function(*positional, **keywords)
        except (TypeError, RuntimeError, AttributeError):
            continue  # measured on the CPU elsewhere
        positional, keywords = parts(sample, meta=True)
        try:
            got = function(*positional, **keywords)
        except (RuntimeError, NotImplementedError) as error:
            assert op.name in VALUES, f"{op.name}: {error}"
            assert "meta" in str(error), f"no clear error: {error}"
            continue
        assert described(got) == described(expected)
        assert all(t.is_meta for t in tensors(got))
        compared += 1
        if compared == SAMPLES:
            break
    return compared


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("start", range(EVERY))
def test_ops(start: int, request: pytest.FixtureRequest) -> None:
    if start and not request.config.getoption("--full"):
        pytest.skip("slow: run by make test-full")
    failures, compared = [], 0
    for op in OPS[start::EVERY]:
        try:
            compared += check(op)
        except Exception as error:  # noqa: BLE001 - all that fail are told at once
            failures.append(f"{op.full_name}: {type(error).__name__}: {str(error)[:300]}")
    assert not failures, "\n".join(failures)
    assert compared > 100


def test_it_can_fail() -> None:
    strange = kagari.empty_strided((2, 3), (1, 2), device="meta")
    assert described(strange) != described(kagari.empty(2, 3))


@pytest.mark.parametrize("name", ["exp_", "add_", "mul_", "zero_", "clamp_"])
def test_writes(name: str) -> None:
    x = kagari.empty(2, 3, device="meta")
    getattr(x, name)(*{"add_": (x,), "mul_": (x,), "clamp_": (0,)}.get(name, ()))
    assert kagari.exp(x, out=x) is x and kagari.cumsum(x, 0, out=x) is x
    assert kagari.add(x, 1, out=kagari.empty(0, device="meta")).shape == (2, 3)
