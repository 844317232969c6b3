"""What the tests of the definitions need: PyTorch's function for an op, samples, and gradients
by rows.
"""

import itertools

import numpy as np
import torch

from kagari.kernels import define, dtypes, interpret, rows

TORCH = {
    "bool": torch.bool, "u8": torch.uint8, "i8": torch.int8, "i16": torch.int16,
    "i32": torch.int32, "i64": torch.int64, "f16": torch.float16, "bf16": torch.bfloat16,
    "f32": torch.float32, "f64": torch.float64, "c64": torch.complex64, "c128": torch.complex128,
}  # fmt: skip

DTYPE_OF = {t: dtypes.NUMPY.get(d, "float32") for d, t in TORCH.items()}

# Arguments of parameters that are not tensors, per op; each dict is one call.
CALLS = {
    "add": [{}, {"alpha": 2}], "sub": [{}, {"alpha": 2}], "rsub": [{}, {"alpha": 2}],
    "div": [{}, {"rounding_mode": "trunc"}, {"rounding_mode": "floor"}],
    "addcmul": [{}, {"value": 2}], "addcdiv": [{}, {"value": 2}],
    "nan_to_num": [{}, {"nan": 1.0}, {"nan": 2.0, "posinf": 3.0, "neginf": -3.0}],
    "gelu": [{}, {"approximate": "tanh"}], "elu": [{}, {"alpha": 1.5}],
    "celu": [{}, {"alpha": 1.5}], "leaky_relu": [{}, {"negative_slope": 0.25}],
    "softplus": [{}, {"beta": 2.0, "threshold": 3.0}], "hardshrink": [{}, {"lambd": 1.0}],
    "softshrink": [{}, {"lambd": 1.0}], "hardtanh": [{}, {"min_val": -2.0, "max_val": 2.0}],
    "clamp": [{"min": 1}, {"max": 2}, {"min": 1, "max": 3}, {"min": 3, "max": 1}],
    "threshold": [{"threshold": 0.5, "value": 3.0}, {"threshold": 1, "value": 2}],
    "logit": [{}, {"eps": 0.25}], "round": [{}, {"decimals": 2}, {"decimals": -1}],
    "smooth_l1_loss_elements": [{}, {"beta": 0.5}], "huber_loss_elements": [{}, {"delta": 0.5}],
}  # fmt: skip
F = torch.nn.functional
SPECIAL_NAMES = {
    "frexp_mantissa": lambda x: torch.frexp(x)[0],
    "frexp_exponent": lambda x: torch.where(torch.isfinite(x), torch.frexp(x)[1], 0).long(),
    "pow__square": lambda x: (-x) ** 2,  # no bool, as for the power itself
    "prelu_kernel": lambda x, w: torch.ops.aten._prelu_kernel(x, w),
    "trigamma": lambda x: torch.polygamma(1, x),
    "mse_loss_elements": lambda x, y: F.mse_loss(x, y, reduction="none"),
    "l1_loss_elements": lambda x, y: F.l1_loss(x, y, reduction="none"),
    "smooth_l1_loss_elements": lambda x, y, **k: F.smooth_l1_loss(x, y, reduction="none", **k),
    "huber_loss_elements": lambda x, y, **k: F.huber_loss(x, y, reduction="none", **k),
    "binary_cross_entropy_elements": lambda x, y: F.binary_cross_entropy(x, y, reduction="none"),
    "binary_cross_entropy_logits_elements": lambda x, y: F.binary_cross_entropy_with_logits(
        x, y, reduction="none"
    ),
    "kl_div_elements": lambda x, y: F.kl_div(x, y, reduction="none"),
    "soft_margin_loss_elements": lambda x, y: F.soft_margin_loss(x, y, reduction="none"),
}


def torch_function(name: str):
    """PyTorch's function of this name, wherever it lives."""
    if name in SPECIAL_NAMES:
        return SPECIAL_NAMES[name]
    for place in (torch, torch.nn.functional, torch.special, torch.ops.aten):
        if hasattr(place, name):
            return getattr(place, name)
    raise LookupError(f"PyTorch has no {name}")


def expected(op: define.Pointwise, keywords: dict, tensors: list[torch.Tensor]) -> torch.Tensor:
    """PyTorch's result."""
    if op.name == "where":
        tensors = [tensors[0].to(torch.bool), *tensors[1:]]
    return torch_function(op.name)(*tensors, **keywords)


def real_values(dtype: str, count: int) -> list[np.ndarray]:
    """All combinations of some telling values."""
    if dtype == "bool":
        chosen = [False, True]
    elif dtype == "u8":
        chosen = [0, 1, 2, 3, 7, 8, 200, 255]
    elif dtypes.is_integral(dtype):
        top = np.iinfo(dtypes.NUMPY[dtype])
        chosen = [0, 1, -1, 2, -2, 3, -3, 7, -7, 100, top.max, top.min]
    else:
        chosen = [0.0, -0.0, 0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, -3.0, 6.0, 3.0]
        chosen += [-20.0, 25.0, np.inf, -np.inf, np.nan] if count < 3 else []
    grid = itertools.product(*[chosen] * count)
    return [np.array(column) for column in zip(*grid, strict=True)]


def samples(dtype: str, count: int, finite: bool = False) -> list[torch.Tensor]:
    """`count` operands of a dtype."""
    if dtypes.is_complex(dtype):
        parts = [0.0, 0.5, -0.75, 1.0, -2.0] if count < 3 else [0.0, 0.5, -2.0]
        chosen = [complex(a, b) for a in parts for b in parts]
        grid = itertools.product(*[chosen] * count)
        arrays = [np.array(column) for column in zip(*grid, strict=True)]
    else:
        arrays = real_values(dtype, count)
    if finite and not dtypes.is_complex(dtype):
        keep = np.all([np.isfinite(a) for a in arrays], axis=0)
        arrays = [a[keep] for a in arrays]
    return [torch.tensor(a).to(TORCH[dtype]) for a in arrays]


def calls(op: define.Pointwise) -> list[dict]:
    return CALLS.get(op.name, [{}])


def find(op: define.Pointwise, keywords: dict, tensors: int) -> rows.Row:
    """The row that serves a call with these keywords and that many tensors."""
    for i, variant in enumerate(op.variants):
        names = [p.name for p in variant.operands]
        mode = keywords.get(op.mode.name, op.mode.default) if op.mode else None
        scalars = {p.name for p in op.parameters if p.role == "scalar"}
        wanted = {k for k in keywords if not op.mode or k != op.mode.name}
        if wanted & scalars:
            wanted |= scalars
        passed = {n for n in names if n in wanted}
        if mode == variant.mode and wanted == passed and len(names) - len(passed) == tensors:
            return rows._variant_row(op, i)
    raise LookupError(f"{op.name}: no variant for {keywords}")


def arguments(op: define.Pointwise, row: rows.Row, tensors: list, keywords: dict) -> list:
    """The operands of a row in order."""
    defaults = {p.name: p.default for p in op.parameters} | keywords
    rest = iter(tensors)
    scalars = {p.name for p in op.parameters if p.role == "scalar"} | set(keywords)
    return [defaults[o.name] if o.name in scalars else next(rest) for o in row.operands]


def tensor_count(op: define.Pointwise) -> int:
    """How many operands are tensors in every call."""
    given = {k for call in calls(op) for k in call}
    return sum(p.role == "operand" and p.name not in given for p in op.parameters)


def computing(row: rows.Row, dtype: str) -> str:
    """The dtype a row computes in for tensors of a dtype."""
    if row.promote == "bool":
        return "bool"
    if row.promote == "number" and dtype == "bool":
        return "i64"
    exact = not dtypes.is_floating(dtype) and not dtypes.is_complex(dtype)
    return "f32" if row.promote == "float" and exact else dtype


def numpy_of(t) -> np.ndarray:
    if not isinstance(t, torch.Tensor):
        return np.asarray(t)
    if t._is_zerotensor():
        return np.zeros(t.shape, DTYPE_OF[t.dtype])
    return (
        (t.float() if t.dtype in (torch.bfloat16, torch.float16) else t)
        .detach()
        .resolve_conj()
        .resolve_neg()
        .numpy()
    )


def run(row: rows.Row, dtype: str, *operands) -> np.ndarray:
    """A row in the interpreter; half results are rounded to half."""
    with np.errstate(all="ignore"):
        out = interpret.run(row, dtype, *map(numpy_of, operands))
    if dtype in dtypes.HALF and out.dtype == np.float32:
        return torch.tensor(out.copy()).to(TORCH[dtype]).float().numpy()
    return out


def vjp(row: rows.Row, dtype: str, operands: list, output, grad) -> list:
    """The gradient of each operand, by the derivative rows; None where none flows."""
    found = []
    known = dict(zip((o.name for o in row.operands), operands, strict=True))
    known[row.fresh[1]] = output
    for i, rule in enumerate(row.derivatives):
        if rule.rule == "Op":
            found.append(run(row.derivative(i), dtype, grad, *(known[n] for n in rule.uses)))
        elif rule.rule == "Identity":
            found.append(grad)
        else:
            found.append(None if rule.rule == "None" else np.zeros_like(numpy_of(operands[i])))
    return found


def second(row: rows.Row, dtype: str, index: int, operands: list, output, grad, cotangent) -> list:
    """What `cotangent`, the gradient of an operand's gradient, sends to grad and the operands."""
    source = row.derivative(index)
    grad, cotangent = numpy_of(grad), numpy_of(cotangent)
    known = dict(zip((o.name for o in row.operands), operands, strict=True))
    known |= {row.fresh[0]: grad, row.fresh[1]: output}
    used = [known[o.name] for o in source.operands]
    found = vjp(source, dtype, used, run(source, dtype, *used), cotangent)
    by_name = dict(zip((o.name for o in source.operands), found, strict=True))
    through = by_name.get(row.fresh[1])
    onward = [None] * len(operands)
    if through is not None:
        onward = vjp(row, dtype, operands, output, through)
    totals = [by_name.get(row.fresh[0])]
    for o, more in zip(row.operands, onward, strict=True):
        direct = by_name.get(o.name)
        totals.append(direct if more is None else more if direct is None else direct + more)
    return totals
