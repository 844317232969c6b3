"""Samples of differentiable calls in double precision: PyTorch's own, and those of own_samples.py.

PyTorch's database of operators makes the arguments. Where its entry is a function of its own and
not a name, that function runs with kagari in place of torch.
"""

import builtins
import dataclasses
import functools
import itertools
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.testing._internal.common_methods_invocations import op_db

import kagari
from tests.gradients import excluded, own_samples
from tests.ops.pairs import ours

DTYPES = {"float64": torch.float64, "complex128": torch.complex128}
IN_PLACE = 4  # samples of an in-place form


@dataclasses.dataclass(frozen=True)
class Sample:
    """A call `function(*tensors)` of tensors that require grad."""

    function: Callable[..., Any]
    tensors: tuple[kagari.Tensor, ...]

    @property
    def size(self) -> int:
        return sum(t.numel() for t in self.tensors)


def _flatten(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flatten(item)
    elif isinstance(value, dict):
        yield from _flatten(list(value.values()))
    else:
        yield value


def _leaves(value: Any) -> tuple[kagari.Tensor, ...]:
    found = (v for v in _flatten(value) if isinstance(v, kagari.Tensor) and v.requires_grad)
    return tuple({id(v): v for v in found}.values())


def _replace(value: Any, new: dict[int, Any]) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_replace(v, new) for v in value)
    if isinstance(value, dict):
        return {k: _replace(v, new) for k, v in value.items()}
    return new.get(id(value), value)


def sample_of(function: Callable[..., Any], args: Any, kwargs: Any) -> Sample:
    """The call as a function of those of its tensors that require grad. It starts from one seed."""
    leaves = _leaves((args, kwargs))

    def call(*tensors: kagari.Tensor) -> Any:
        new = {id(old): t for old, t in zip(leaves, tensors, strict=True)}
        kagari.manual_seed(0)
        return function(*_replace(tuple(args), new), **_replace(kwargs, new))

    return Sample(call, leaves)


# --- PyTorch's operators -------------------------------------------------------------------------


def lookup(library: Any, name: str) -> Any:
    """What stands under a path, or None."""
    return functools.reduce(
        lambda place, part: getattr(place, part, None), name.split("."), library
    )


_SPACES = ("Tensor", "nn.functional", "linalg", "fft", "special", "masked", "signal.windows")


@functools.cache
def _torch_names() -> dict[int, str]:
    names = {id(torch): ""}
    for space in ("", *_SPACES):
        holder = lookup(torch, space) if space else torch
        if space:
            names[id(holder)] = space
        for name in dir(holder):
            value = getattr(holder, name, None)
            if callable(value):
                names.setdefault(id(value), f"{space}.{name}".lstrip("."))
    return names


def in_kagari(value: Any) -> Any:
    """What a function of PyTorch's tests refers to, in kagari."""
    if isinstance(value, torch.dtype):
        return getattr(kagari, str(value).removeprefix("torch."))
    name = _torch_names().get(id(value)) if callable(value) or value is torch else None
    if isinstance(value, types.ModuleType) and value.__name__.startswith("torch"):
        name = value.__name__.removeprefix("torch").removeprefix(".")
    if name is not None:
        return lookup(kagari, name) if name else kagari
    if isinstance(value, types.FunctionType) and value.__name__ == "wrapper_set_seed":
        return lambda op, *args, **kwargs: op(*args, **kwargs)
    if isinstance(value, types.FunctionType) and value.__module__.startswith("torch.testing"):
        return _rebound(value)
    return value


@functools.cache
def _rebound(function: types.FunctionType) -> Any:
    """The function, with kagari in place of torch."""
    cells = tuple(types.CellType(in_kagari(c.cell_contents)) for c in function.__closure__ or ())
    scope = {"__builtins__": builtins}
    copy = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, cells
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    for name in _names_in(function.__code__) & function.__globals__.keys():
        scope[name] = in_kagari(function.__globals__[name])
    return copy


def _names_in(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def _function_of(op: Any) -> Any:
    """The operator in kagari, or None if it is not there."""
    named = lookup(kagari, op.name)
    if named is None and lookup(kagari.Tensor, op.name) is None:
        return None
    return named if lookup(torch, op.name) is op.op else in_kagari(op.op)


def _convert(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _convert(v) for k, v in value.items()}
    if isinstance(value, torch.Size):
        return kagari.Size(value)
    if isinstance(value, list | tuple):
        return type(value)(_convert(v) for v in value)
    if isinstance(value, torch.Tensor):
        return ours(value.resolve_conj().resolve_neg())
    if isinstance(value, torch.nn.Module):
        return lookup(kagari.nn, type(value).__name__)()
    if isinstance(value, types.FunctionType | torch.dtype):
        return in_kagari(value)
    return value


def _processed(op: Any, sample: Any, function: Any) -> Any:
    """The operator on what its entry wants its inputs to be, and of its results what has a gradient
    that does not depend on the choice of a phase or sign."""
    wrapper, process = op.gradcheck_wrapper, sample.output_process_fn_grad
    process = own_samples.INVARIANT.get(op.name) or in_kagari(process)
    wrapper = in_kagari(wrapper)
    return lambda *args, **kwargs: process(wrapper(function, *args, **kwargs))


def _of_operator(op: Any, dtype: torch.dtype) -> Iterator[Sample]:
    function = _function_of(op)
    for sample in op.sample_inputs("cpu", dtype, requires_grad=True):
        if any(isinstance(v, torch.Tensor) and v.layout is not torch.strided
               for v in _flatten((sample.input, sample.args, sample.kwargs))):  # fmt: skip
            continue
        args, kwargs = _convert((sample.input, *sample.args)), _convert(sample.kwargs)
        made = sample_of(_processed(op, sample, function), args, kwargs)
        if made.tensors and made.size:
            yield made


@functools.cache
def operators() -> dict[str, Any]:
    """PyTorch's entries that have a derivative, and that kagari has too."""
    return {
        op.full_name: op
        for op in op_db
        if op.supports_autograd and op.full_name not in excluded.ENTRIES and _function_of(op)
    }


def _in_place(name: str) -> Callable[..., Any]:
    """The in-place form of an operator on a copy: its gradient is the operator's."""

    def call(first: kagari.Tensor, *args: Any, **kwargs: Any) -> Any:
        return getattr(first.clone(), name)(*args, **kwargs)

    return call


def _of_in_place(op: Any, dtype: torch.dtype) -> Iterator[Sample]:
    """Some samples of the in-place form, of those whose first argument has the result's shape."""
    name = op.inplace_variant.__name__
    given = op.sample_inputs("cpu", dtype, requires_grad=True)
    for sample in itertools.islice((s for s in given if not s.broadcasts_input), IN_PLACE):
        args, kwargs = _convert((sample.input, *sample.args)), _convert(sample.kwargs)
        made = sample_of(_in_place(name), args, kwargs)
        if made.tensors and made.size:
            yield made


# --- all of them ----------------------------------------------------------------------------------


@functools.cache
def sources() -> dict[str, Callable[[], list[Sample]]]:
    """Where the samples of each case come from: "exp/float64", "exp_/float64"."""
    found: dict[str, Any] = {}
    for name, op in operators().items():
        for text, dtype in DTYPES.items():
            if dtype not in op.backward_dtypes or f"{name}/{text}" in excluded.ENTRIES:
                continue
            found[f"{name}/{text}"] = functools.partial(_of_operator, op, dtype)
            form = op.inplace_variant and getattr(op.inplace_variant, "__name__", "<lambda>")
            refused = f"{name}, {form}/{text}" in excluded.ENTRIES
            known = form and not refused and hasattr(kagari.Tensor, form)
            if known and op.supports_inplace_autograd:
                found[f"{name}, {form}/{text}"] = functools.partial(_of_in_place, op, dtype)
    for name, calls in own_samples.SAMPLES.items():
        found[f"own {name}"] = lambda calls=calls: [sample_of(*call) for call in calls()]
    return found


def samples(case: str) -> list[Sample]:
    """The samples of a case, the smallest first."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sorted(sources()[case](), key=lambda s: s.size)


def spread(found: list[Sample], count: int) -> list[Sample]:
    """Some samples, from the smallest to the largest."""
    return found[:: max(1, -(-len(found) // count))]
