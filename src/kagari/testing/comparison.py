"""assert_close(): compares tensors, numbers, and sequences and mappings of them, and says what
differs, by how much and where."""

import cmath
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import kagari
from kagari import Tensor

# dtype name -> relative and absolute tolerance
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex32": (1e-3, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
# those of assert_allclose
OLDER_TOLERANCES = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}

Message = str | Callable[[str], str] | None


@dataclass(frozen=True)
class Demands:
    """What must agree, and how closely."""

    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_stride: bool
    allow_subclasses: bool
    msg: Message
    path: str = ""

    def within(self, key: Any) -> "Demands":
        """The same for an item of a container."""
        return replace(self, path=f"{self.path}[{key!r}]")

    def fail(self, text: str, error: type[Exception] = AssertionError) -> None:
        """Raises, with the place in the container."""
        if self.path:
            text += f"\n\nThe failure occurred for item {self.path}"
        if self.msg is not None and error is AssertionError:
            text = self.msg(text) if callable(self.msg) else self.msg
        raise error(text)


def default_tolerances(*inputs: Any) -> tuple[float, float]:
    """The widest relative and absolute tolerance among the dtypes of tensors (or dtypes)."""
    names = [str(i.dtype if isinstance(i, Tensor) else i).rsplit(".", 1)[-1] for i in inputs]
    pairs = [TOLERANCES.get(name, (0.0, 0.0)) for name in names]
    return max(r for r, _ in pairs), max(a for _, a in pairs)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    """Raises AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere.

    Tolerances depend on the dtype unless both are given. Shapes, dtypes and devices must agree too.
    """
    if (rtol is None) != (atol is None):
        missing, given = ("atol", "rtol") if atol is None else ("rtol", "atol")
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, got {given} "
            f"without {missing}"
        )
    demands = Demands(
        rtol, atol, equal_nan, check_device, check_dtype, check_stride, allow_subclasses, msg
    )
    _compare(actual, expected, demands)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """The older form of assert_close: dtypes and devices may differ, NaN equals NaN.

    >>> kagari.testing.assert_allclose([1.0], kagari.tensor([1.0]))
    """
    warnings.warn(
        "assert_allclose() is deprecated; use assert_close()", FutureWarning, stacklevel=2
    )
    if not isinstance(actual, Tensor):
        actual = kagari.tensor(actual)
    if not isinstance(expected, Tensor):
        expected = kagari.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        names = [str(x.dtype).rsplit(".", 1)[-1] for x in (actual, expected)]
        pairs = [OLDER_TOLERANCES.get(name, (0.0, 0.0)) for name in names]
        rtol, atol = max(r for r, _ in pairs), max(a for _, a in pairs)
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_dtype=False,
        msg=msg or None,
    )


def _compare(actual: Any, expected: Any, demands: Demands) -> None:
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            demands.fail(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            _compare(a, e, demands.within(i))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if actual.keys() != expected.keys():
            demands.fail(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(expected.keys() - actual.keys())}\n"
                f"Additional keys in the actual mapping: {sorted(actual.keys() - expected.keys())}"
            )
        for key in actual:
            _compare(actual[key], expected[key], demands.within(key))
    elif actual is None or expected is None:
        if actual is not expected:
            demands.fail(f"None mismatch: {actual} is not {expected}")
    elif _is_number(actual) and _is_number(expected):
        _compare_numbers(actual, expected, demands)
    else:
        _compare_tensors(_tensor(actual, demands), _tensor(expected, demands), demands)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | complex)


def _tensor(value: Any, demands: Demands) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    try:
        return kagari.as_tensor(value)
    except Exception:
        demands.fail(f"No comparison is known for a {type(value).__name__}", TypeError)
        raise


def _compare_numbers(actual: Any, expected: Any, demands: Demands) -> None:
    if demands.check_dtype and type(actual) is not type(expected):
        demands.fail(
            f"The (d)types do not match: {type(actual).__name__} != {type(expected).__name__}"
        )
    dtypes = {bool: kagari.bool, int: kagari.int64, float: kagari.float64}
    kinds = [dtypes.get(type(v), kagari.complex128) for v in (actual, expected)]
    rtol, atol = _tolerances(demands, *kinds)
    if _numbers_close(actual, expected, rtol, atol, demands.equal_nan):
        return
    difference = abs(actual - expected)
    relative = difference / abs(expected) if expected else cmath.inf
    demands.fail(
        f"Scalars are not {_kind(rtol, atol)}!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {difference}{_allowed(atol)}\n"
        f"Relative difference: {relative}{_allowed(rtol)}"
    )


def _numbers_close(a: Any, e: Any, rtol: float, atol: float, equal_nan: bool) -> bool:
    if a == e:
        return True
    if cmath.isnan(a) and cmath.isnan(e):
        return equal_nan
    return cmath.isfinite(a - e) and abs(a - e) <= atol + rtol * abs(e)


def _tolerances(demands: Demands, *inputs: Any) -> tuple[float, float]:
    if demands.rtol is None or demands.atol is None:
        return default_tolerances(*inputs)
    return demands.rtol, demands.atol


def _kind(rtol: float, atol: float) -> str:
    return "equal" if rtol == atol == 0 else "close"


def _allowed(tolerance: float) -> str:
    return f" (up to {tolerance} allowed)" if tolerance else ""


def _check_attributes(actual: Tensor, expected: Tensor, demands: Demands) -> None:
    checks = [
        ("shape", True, tuple(actual.shape), tuple(expected.shape)),
        ("device", demands.check_device, actual.device, expected.device),
        ("dtype", demands.check_dtype, actual.dtype, expected.dtype),
        ("stride()", demands.check_stride, tuple(actual.stride()), tuple(expected.stride())),
    ]
    for name, wanted, a, e in checks:
        if wanted and a != e:
            demands.fail(f"The values for attribute '{name}' do not match: {a} != {e}.")
    if not demands.allow_subclasses and type(actual) is not type(expected):
        demands.fail(f"The classes do not match: {type(actual)} != {type(expected)}", TypeError)


def _compare_tensors(actual: Tensor, expected: Tensor, demands: Demands) -> None:
    import numpy

    _check_attributes(actual, expected, demands)
    rtol, atol = _tolerances(demands, actual, expected)
    a, e = _array(actual), _array(expected)
    if a.dtype != e.dtype:
        a, e = a.astype(numpy.result_type(a, e)), e.astype(numpy.result_type(a, e))
    exact = rtol == atol == 0
    with numpy.errstate(all="ignore"):
        if exact:
            close = (a == e) | (demands.equal_nan & (a != a) & (e != e))
        else:
            close = numpy.isclose(a, e, rtol=rtol, atol=atol, equal_nan=demands.equal_nan)
        if close.all():
            return
        difference = numpy.abs(_wide(a) - _wide(e))
        relative = difference / numpy.abs(_wide(e))
    demands.fail(_report(close, difference, relative, rtol, atol))


def _array(t: Tensor) -> Any:
    """As NumPy sees it: half precision widened, everything on the CPU."""
    if t.dtype in (kagari.bfloat16, kagari.float16):
        t = t.float()
    return t.as_subclass(Tensor).cpu().numpy()


def _wide(array: Any) -> Any:
    """Wide enough for differences: integers must not wrap around."""
    return array.astype("complex128" if array.dtype.kind == "c" else "float64")


def _report(close: Any, difference: Any, relative: Any, rtol: float, atol: float) -> str:
    count, total = int((~close).sum()), close.size
    lines = [f"Tensor-likes are not {_kind(rtol, atol)}!", ""]
    if close.ndim:
        lines.append(f"Mismatched elements: {count} / {total} ({count / total:.1%})")
    for name, values, tolerance in (
        ("absolute", difference, atol),
        ("relative", relative, rtol),
    ):
        # where it is close the size of the difference is of no interest, NaN included
        worst = _worst(values, close)
        place = tuple(int(i) for i in worst)
        where = f" at index {place}" if close.ndim else ""
        lines.append(f"Greatest {name} difference: {values[place]}{where}{_allowed(tolerance)}")
    return "\n".join(lines)


def _worst(values: Any, close: Any) -> Any:
    import numpy

    ranked = numpy.where(numpy.isnan(values), numpy.inf, values)
    return numpy.unravel_index(numpy.where(close, -1.0, ranked).argmax(), close.shape)
