"""The text of a tensor, character for character as PyTorch prints it.

What is needed of a tensor is its shape, dtype and nested lists of values; everything else is text.
"""

import math
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import kagari
from kagari import _C

ELLIPSIS = "..."


@dataclass(frozen=True)
class Options:
    """What set_printoptions changes."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}
options = Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Changes how tensors print; `profile` is "default", "short" or "full"."""
    global options
    made = options
    if profile is not None:
        if profile not in PROFILES:
            raise ValueError(
                f"set_printoptions: profile: expected one of {list(PROFILES)}, got {profile!r}"
            )
        made = PROFILES[profile]
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changes: dict[str, Any] = {name: v for name, v in given.items() if v is not None}
    options = replace(made, **changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments for set_printoptions."""
    return vars(options).copy()


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """Within the block, tensors print with these options."""
    global options
    before = options
    set_printoptions(**changes)
    try:
        yield
    finally:
        options = before


def values_of(t: Any, summarise: bool) -> Any:
    """Nested lists of the values that are printed, with ELLIPSIS where some are left out."""
    if not summarise or t.dim() == 0:
        return t.tolist()
    edge, size = options.edgeitems, t.shape[0]
    if t.dim() == 1:
        if size <= 2 * edge:
            return t.tolist()
        if edge == 0:
            return [ELLIPSIS]
        return [*t[:edge].tolist(), ELLIPSIS, *t[size - edge :].tolist()]
    if size <= 2 * edge:
        return [values_of(t[i], True) for i in range(size)]
    first = [values_of(t[i], True) for i in range(edge)]
    last = [values_of(t[i], True) for i in range(size - edge, size)]
    return [*first, ELLIPSIS, *last]


def numbers_in(values: Any) -> list[Any]:
    """The numbers of nested lists, flat."""
    if not isinstance(values, list):
        return [] if values is ELLIPSIS else [values]
    return [number for part in values for number in numbers_in(part)]


class IntegerFormat:
    """For integers and bools: right-aligned to the widest."""

    def __init__(self, numbers: list[Any]) -> None:
        self.width = max((len(str(v)) for v in numbers), default=1)

    def __call__(self, value: Any) -> str:
        return str(value).rjust(self.width)


class FloatFormat:
    """For floats: whole numbers as "1.", else fixed or scientific, all equally wide."""

    def __init__(self, numbers: list[float]) -> None:
        self.width, self.spec, self.whole = 1, ".0f", True
        finite = [v for v in numbers if v != 0 and math.isfinite(v)]
        if not finite:
            return
        low, high = min(map(abs, finite)), max(map(abs, finite))
        whole = all(v == math.floor(v) for v in finite)
        scientific = high / low > 1000 or high > 1e8 or low < 1e-4
        if options.sci_mode is not None:
            scientific = options.sci_mode
        self.whole = whole and not scientific
        if scientific:
            self.spec = f".{options.precision}e"
        elif not whole:
            self.spec = f".{options.precision}f"
        self.width = max(len(self.text(v)) for v in finite)

    def text(self, value: float) -> str:
        """As short as it goes."""
        return format(value, self.spec) + ("." if self.whole and math.isfinite(value) else "")

    def __call__(self, value: float) -> str:
        return self.text(value).rjust(self.width)


class ComplexFormat:
    """Real and imaginary part, each in a format of its own."""

    def __init__(self, numbers: list[complex]) -> None:
        self.real = FloatFormat([v.real for v in numbers])
        self.imaginary = FloatFormat([v.imag for v in numbers])
        self.width = self.real.width + self.imaginary.width + 1

    def __call__(self, value: complex) -> str:
        tail = (self.imaginary(value.imag) + "j").lstrip()
        return self.real(value.real) + ("" if tail[0] in "+-" else "+") + tail


Format = IntegerFormat | FloatFormat | ComplexFormat


def format_for(dtype: Any, numbers: list[Any]) -> Format:
    """How the numbers of a tensor are written."""
    if dtype.is_complex:
        return ComplexFormat(numbers)
    return FloatFormat(numbers) if dtype.is_floating_point else IntegerFormat(numbers)


def row_text(values: list[Any], write: Format, indent: int) -> str:
    """One innermost row, wrapped at the line width."""
    if len(values) == 1 and values[0] is ELLIPSIS:
        return "[...]"
    cells = [" ..." if v is ELLIPSIS else write(v) for v in values]
    per_line = max(1, (options.linewidth - indent) // (write.width + 2))
    lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def nested_text(values: Any, dims: int, write: Format, indent: int) -> str:
    """Nested rows, with one blank line more between blocks for each dimension above two."""
    if dims == 0:
        return write(values)
    if dims == 1:
        return row_text(values, write, indent)
    parts = [v if v is ELLIPSIS else nested_text(v, dims - 1, write, indent + 1) for v in values]
    return "[" + ("," + "\n" * (dims - 1) + " " * (indent + 1)).join(parts) + "]"


def contents(t: Any, indent: int) -> str:
    """The numbers of a tensor that has some."""
    values = values_of(t, t.numel() > options.threshold)
    return nested_text(values, t.dim(), format_for(t.dtype, numbers_in(values)), indent)


def grad_text(t: Any) -> list[str]:
    """What the tensor's place in the graph adds."""
    try:
        node = t.grad_fn
    except RuntimeError:  # a view whose base was changed in a way that cannot be differentiated
        return ["grad_fn=<Invalid>"]
    if node is not None:
        return [f"grad_fn=<{node.name().rsplit('::', 1)[-1]}>"]
    return ["requires_grad=True"] if t.requires_grad else []


def suffixes_of(t: Any) -> list[str]:
    """What follows the numbers: device, size, dtype where they cannot be seen, and gradient."""
    default = kagari.get_default_dtype()
    found = [] if t.device.type == "cpu" else [f"device='{t.device}'"]
    size, dtype = f"size={tuple(t.shape)}", f"dtype={t.dtype}"
    if t.is_meta or t.numel() == 0:
        if t.is_meta or t.dim() != 1:
            found.append(size)
        if t.dtype != default:
            found.append(dtype)
    else:
        if not options.edgeitems:
            found.append(size)
        wide = default == kagari.float64
        usual = (default, kagari.complex128 if wide else kagari.complex64)
        if t.dtype not in (*usual, kagari.int64, kagari.bool):
            found.append(dtype)
    return found + grad_text(t)


def with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Appends suffixes, each on the same line while it fits."""
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"


def tangent_text(t: Any) -> str | None:
    """The tangent of the innermost level of forward-mode differentiation, if there is one."""
    for is_dual, level in reversed(_C._transforms()):
        tangent = _C._tangent(t, level) if is_dual else None
        if tangent is not None:
            return f"tangent={tensor_text(tangent)}"
    return None


def _unrecorded(t: Any) -> Any:
    """The same values as a plain tensor without history."""
    before = _C._set_grad_enabled(False)
    try:
        return _C._alias_as(kagari.Tensor, t)
    finally:
        _C._set_grad_enabled(before)


def tensor_text(t: Any, tensor_contents: str | None = None) -> str:
    """The repr of a tensor; `tensor_contents` replaces its numbers."""
    if batch := _C._batch_of(t):
        value = textwrap.indent(tensor_text(batch[0]), "    ")
        return f"BatchedTensor(lvl={batch[1]}, bdim=0, value=\n{value}\n)"
    cls = type(t)
    parameters = sys.modules.get("kagari.nn.parameter")  # none is one before that is loaded
    is_parameter = parameters is not None and isinstance(t, parameters.Parameter)
    plain = cls is kagari.Tensor or (parameters is not None and cls is parameters.Parameter)
    prefix = "tensor(" if plain else f"{cls.__name__}("
    suffixes = suffixes_of(t)
    if _C._intercepted() and (tangent := tangent_text(t)):
        suffixes.append(tangent)
    if tensor_contents is None:
        if t.is_meta:
            tensor_contents = ELLIPSIS
        elif t.numel() == 0:
            tensor_contents = "[]"
        else:
            tensor_contents = contents(_unrecorded(t), len(prefix))
    text = with_suffixes(prefix + tensor_contents, suffixes, len(prefix))
    return f"Parameter({text})" if is_parameter and not plain else text


def format_tensor(t: Any, spec: str) -> str:
    """Tensor.__format__: a 0-d tensor formats as its number."""
    if t.dim() == 0 and not t.is_meta and type(t) is kagari.Tensor:
        return format(t.item(), spec)
    return object.__format__(t, spec)


def result_text(self: Any) -> str:
    """The repr of a named tuple of results, one field per line."""
    cls = type(self)
    name = getattr(cls, "printed_as", cls.__name__)
    fields = [f"{field}={getattr(self, field)!r}" for field in cls.__match_args__]
    return f"torch.return_types.{name}(\n" + ",\n".join(fields) + ")"
