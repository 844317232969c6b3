"""Recurrent layers and cells as functions: RNN, LSTM and GRU, stacked, in both directions, packed.

One layer in one direction is one op of the core (csrc/ops/nn/recurrent.cpp), where there is nothing
but float32 or float64 to compute. Step by step, from other ops, go projections, other dtypes,
transforms and derivatives of derivatives. Packed data is (rows, features), all samples of a step
one below the other, longest sequence first; `batch_sizes` says how many each step has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari import _ops as ops

__all__ = [
    "gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh",
    "rnn_tanh_cell",
]  # fmt: skip

States = tuple[Tensor, ...]  # (h,), or (h, c) of an LSTM
_FAST = (kagari.float32, kagari.float64)


@dataclass(frozen=True)
class Weights:
    """Of one layer in one direction: (gates * units, features), (gates * units, units or
    projected), biases (gates * units), projection (projected, units)."""

    ih: Tensor
    hh: Tensor
    b_ih: Tensor | None = None
    b_hh: Tensor | None = None
    hr: Tensor | None = None

    @property
    def given(self) -> list[Tensor]:
        found = (self.ih, self.hh, self.b_ih, self.b_hh, self.hr)
        return [t for t in found if t is not None]


# ---- one step, from other ops ----


def _simple(activation: Callable[[Tensor], Tensor]) -> Any:
    def step(from_input: Tensor, states: States, w: Weights) -> States:
        return (activation(from_input + ops.linear(states[0], w.hh, w.b_hh)),)

    return step


def _lstm_step(from_input: Tensor, states: States, w: Weights) -> States:
    h, c = states
    i, f, g, o = (from_input + ops.linear(h, w.hh, w.b_hh)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if w.hr is None else ops.linear(h, w.hr)), c


def _gru_step(from_input: Tensor, states: States, w: Weights) -> States:
    (h,) = states
    r, z, n = from_input.chunk(3, -1)
    r_hidden, z_hidden, n_hidden = ops.linear(h, w.hh, w.b_hh).chunk(3, -1)
    r, z = (r + r_hidden).sigmoid(), (z + z_hidden).sigmoid()
    n = (n + r * n_hidden).tanh()
    return (n + z * (h - n),)


_STEPS: dict[str, Any] = {
    "RNN_TANH": _simple(ops.tanh), "RNN_RELU": _simple(ops.relu), "LSTM": _lstm_step,
    "GRU": _gru_step,
}  # fmt: skip


def _step_by_step(
    mode: str, x: Tensor, states: States, w: Weights, sizes: Sequence[int], reverse: bool
) -> tuple[Tensor, States]:
    """(output, last states) of packed data. Samples behind a step's are done, or to come."""
    step, projected = _STEPS[mode], ops.linear(x, w.ih, w.b_ih)
    if not sizes:
        sizes = (states[0].shape[0],) * (x.shape[0] // max(1, states[0].shape[0]))
    parts = list(projected.split(list(sizes)))
    outputs: list[Tensor] = []
    for part in reversed(parts) if reverse else parts:
        count = part.shape[0]
        if count == states[0].shape[0]:
            states = step(part, states, w)
            outputs.append(states[0])
            continue
        now = step(part, tuple(s[:count] for s in states), w)
        outputs.append(now[0])
        states = tuple(kagari.cat([n, s[count:]]) for n, s in zip(now, states, strict=True))
    return kagari.cat(outputs[::-1] if reverse else outputs), states


# ---- one layer in one direction, as one op ----


class _Layer(kagari.autograd.Function):
    """The op with its backward; differentiating that goes step by step."""

    @staticmethod
    def forward(ctx: Any, mode: str, sizes: Any, reverse: bool, *tensors: Tensor) -> Any:  # type: ignore[override]
        ctx.how = mode, sizes, reverse
        cells = 2 if mode == "LSTM" else 1
        found = _run(mode, sizes, reverse, tensors, True)
        ctx.save_for_backward(*tensors, *found[1 + cells :])
        ctx.count = len(tensors)
        ctx.set_materialize_grads(False)
        return tuple(found[: 1 + cells])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:  # type: ignore[override]
        mode, sizes, reverse = ctx.how
        saved = ctx.saved_tensors
        tensors, kept = saved[: ctx.count], saved[ctx.count :]
        if kagari.is_grad_enabled() or _C._intercepted():
            return (None, None, None, *_composed_gradients(ctx, tensors, grads))
        x, h, w = tensors[0], tensors[1], tensors[len(grads) :]
        grad_c = grads[2] if mode == "LSTM" else None
        found = ops._rnn_layer_backward(
            grads[0], grads[1], grad_c, x, w[0], w[1], list(kept), sizes, reverse, mode,
            h.shape[0], len(w) > 2,
        )  # fmt: skip
        return (None, None, None, *found)


def _run(mode: str, sizes: Any, reverse: bool, tensors: Sequence[Tensor], keep: bool) -> Any:
    cells = 2 if mode == "LSTM" else 1
    x, states, w = tensors[0], tensors[1 : 1 + cells], tensors[1 + cells :]
    b_ih, b_hh = w[2:] if len(w) > 2 else (None, None)
    c = states[1] if cells == 2 else None
    return ops._rnn_layer(x, states[0], c, w[0], w[1], b_ih, b_hh, sizes, reverse, mode, keep)


def _composed_gradients(ctx: Any, tensors: Sequence[Tensor], grads: Sequence[Any]) -> list[Any]:
    """The same from ops that are recorded and seen by transforms."""
    mode, sizes, reverse = ctx.how
    cells = 2 if mode == "LSTM" else 1
    needs = ctx.needs_input_grad[3:]
    with kagari.enable_grad():
        # a view of each: its gradient is that of this place, and not of what the others come from
        inputs = [t.view_as(t) for t in tensors]
        w = Weights(*inputs[1 + cells :])
        before = tuple(inputs[1 : 1 + cells])
        out, states = _step_by_step(mode, inputs[0], before, w, sizes, reverse)
        made = [(y, g) for y, g in zip((out, *states), grads, strict=True) if g is not None]
        wanted = [t for t, needed in zip(inputs, needs, strict=True) if needed]
        found = iter(
            kagari.autograd.grad(
                [y for y, _ in made], wanted, [g for _, g in made], create_graph=True,
                allow_unused=True,
            )
        )  # fmt: skip
    return [next(found) if needed else None for needed in needs]


def _layer(
    mode: str, x: Tensor, states: States, w: Weights, sizes: Sequence[int], reverse: bool
) -> tuple[Tensor, States]:
    """(output, last states) of packed data; no sizes: every step has all samples."""
    tensors = [x, *states, *w.given]
    plain = x.dtype in _FAST and w.hr is None and x.numel() > 0 and states[0].numel() > 0
    plain = plain and (w.b_ih is None) == (w.b_hh is None)
    if not plain or x.is_meta or _C._intercepted():
        return _step_by_step(mode, x, states, w, sizes, reverse)
    if kagari.is_grad_enabled() and any(t.requires_grad for t in tensors):
        out, *last = _Layer.apply(mode, list(sizes), reverse, *tensors)
    else:
        out, *last = _run(mode, list(sizes), reverse, tensors, False)
    return out, tuple(last)


# ---- layers and directions ----


def _grouped(params: Sequence[Tensor], has_biases: bool, projected: bool) -> list[Weights]:
    size = (4 if has_biases else 2) + projected
    if len(params) % size:
        raise RuntimeError(
            f"got an incorrect number of RNN parameters: {len(params)} is no multiple of {size}"
        )
    grouped = []
    for i in range(0, len(params), size):
        group = params[i : i + size]
        b_ih, b_hh = group[2:4] if has_biases else (None, None)
        grouped.append(Weights(group[0], group[1], b_ih, b_hh, group[-1] if projected else None))
    return grouped


def _stacked(
    mode: str, x: Tensor, states: States, weights: list[Weights], sizes: Sequence[int],
    dropout: float, bidirectional: bool,
) -> tuple[Tensor, States]:  # fmt: skip
    """All layers of packed data; `states` are (layers * directions, samples, units)."""
    directions = 2 if bidirectional else 1
    last: list[States] = []
    for first in range(0, len(weights), directions):
        made = []
        for i in range(first, first + directions):
            out, final = _layer(mode, x, tuple(s[i] for s in states), weights[i], sizes, i > first)
            made.append(out)
            last.append(final)
        x = made[0] if directions == 1 else kagari.cat(made, -1)
        if dropout > 0 and first + directions < len(weights):
            x = ops.dropout(x, dropout, True)
    return x, tuple(kagari.stack(parts) for parts in zip(*last, strict=True))


def _check_states(
    op: str, states: Sequence[Any], count: int, params: Sequence[Tensor], x: Tensor
) -> None:
    for t in states:
        if not isinstance(t, Tensor):
            raise TypeError(f"{op}(): argument 'hx' must be Tensor, not {type(t).__name__}")
        if t.dim() != 3 or t.shape[0] != count:
            raise RuntimeError(
                f"{op}(): expected hidden states of shape ({count}, batch, units), one for each "
                f"layer and direction, got {tuple(t.shape)}"
            )
    for t in [*states, *params]:
        if t.dtype != x.dtype:
            raise RuntimeError(
                f"{op}(): Input and hidden tensors are not the same dtype, found input tensor with "
                f"{x.dtype} and hidden tensor or weight with {t.dtype}"
            )


def _recurrent(
    op: str, mode: str, x: Tensor, sizes: Tensor | None, hx: Any, params: Sequence[Tensor],
    has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool,
    batch_first: bool = False,
) -> tuple[Tensor, States]:  # fmt: skip
    states: States = tuple(hx) if mode == "LSTM" else (hx,)
    if mode == "LSTM" and len(states) != 2:
        raise RuntimeError(f"{op}() expects two hidden states")
    count = num_layers * (2 if bidirectional else 1)
    _check_states(op, states, count, params, x)
    projected = mode == "LSTM" and states[0].shape[2] != states[1].shape[2]
    weights = _grouped(params, has_biases, projected)
    if len(weights) != count:
        raise RuntimeError(
            f"got an incorrect number of RNN parameters: {len(params)} for {num_layers} layers"
        )
    dropped = dropout if train else 0.0
    if sizes is not None:
        counts = [int(n) for n in sizes.tolist()]
        return _stacked(mode, x, states, weights, counts, dropped, bidirectional)
    x = x.transpose(0, 1) if batch_first else x
    length, batch = x.shape[:2]
    if length == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    flat = x.reshape(length * batch, x.shape[2])
    counts = [batch] * length if batch == 0 else []
    out, states = _stacked(mode, flat, states, weights, counts, dropped, bidirectional)
    out = out.view(length, batch, out.shape[1])
    return (out.transpose(0, 1) if batch_first else out), states


def _arguments(op: str, packed: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """By name: (input, hx, params, ..., batch_first), or (data, batch_sizes, hx, params, ...)."""
    names = ["hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional"]
    names = ["data", "batch_sizes", *names] if packed else ["input", *names, "batch_first"]
    given = dict(zip(names, args, strict=False))
    missing = [n for n in names if n not in given and n not in kwargs]
    unknown = [n for n in kwargs if n not in names or n in given]
    if len(args) > len(names) or missing or unknown:
        found = f"missing {missing}" if missing else f"unexpected {unknown or len(args)}"
        raise TypeError(f"{op}(): expected ({', '.join(names)}), {found}")
    return {**given, **kwargs}


def _call(
    op: str, mode: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Tensor, States]:
    second = args[1] if len(args) > 1 else kwargs.get("batch_sizes")
    third = args[2] if len(args) > 2 else kwargs.get("hx")
    # what follows the sizes of packed data is a state: tensors of an LSTM come in a sequence
    if mode == "LSTM":
        packed = isinstance(second, Tensor)
    else:
        packed = "batch_sizes" in kwargs or (len(args) > 2 and isinstance(third, Tensor))
    found = _arguments(op, packed, args, kwargs)
    x = found.pop("data" if packed else "input")
    sizes = found.pop("batch_sizes", None)
    return _recurrent(op, mode, x, sizes, **found)


def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """(output, h, c) of (input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first), or of packed data (data, batch_sizes, hx, params, ..., bidirectional).

    Args:
        input: (L, N, features), or (N, L, features) with `batch_first`; data: (rows, features).
        hx: (h, c) of shapes (layers * directions, N, units).
        params: per layer and direction w_ih, w_hh, (b_ih, b_hh,) and with projections w_hr.

    RuntimeError for states or parameters that do not fit. The formula is that of torch.nn.LSTM.

    >>> h, w = kagari.zeros(1, 1, 2), kagari.ones(8, 2)
    >>> x = kagari.ones(3, 1, 2)
    >>> kagari.lstm(x, (h, h), (w, w), False, 1, 0.0, False, False, False)[0].shape
    torch.Size([3, 1, 2])
    """
    out, (h, c) = _call("lstm", "LSTM", args, kwargs)
    return out, h, c


def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """(output, h) of the arguments of `kagari.lstm`, where hx is one tensor.

    RuntimeError for states or parameters that do not fit. The formula is that of torch.nn.GRU.

    >>> x, h, w = kagari.ones(3, 1, 2), kagari.zeros(1, 1, 2), kagari.ones(6, 2)
    >>> kagari.gru(x, h, (w, w), False, 1, 0.0, False, False, False)[0].shape
    torch.Size([3, 1, 2])
    """
    out, (h,) = _call("gru", "GRU", args, kwargs)
    return out, h


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """(output, h) of the arguments of `kagari.gru`: h = tanh(w_ih x + b_ih + w_hh h + b_hh).

    RuntimeError for states or parameters that do not fit.

    >>> x, h, w = kagari.ones(3, 1, 2), kagari.zeros(1, 1, 2), kagari.ones(2, 2)
    >>> kagari.rnn_tanh(x, h, (w, w), False, 1, 0.0, False, False, False)[1].shape
    torch.Size([1, 1, 2])
    """
    out, (h,) = _call("rnn_tanh", "RNN_TANH", args, kwargs)
    return out, h


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """(output, h) of the arguments of `kagari.gru`: h = relu(w_ih x + b_ih + w_hh h + b_hh).

    RuntimeError for states or parameters that do not fit.

    >>> x, h, w = kagari.ones(3, 1, 2), kagari.zeros(1, 1, 2), kagari.ones(2, 2)
    >>> kagari.rnn_relu(x, h, (w, w), False, 1, 0.0, False, False, False)[1]
    tensor([[[14., 14.]]])
    """
    out, (h,) = _call("rnn_relu", "RNN_RELU", args, kwargs)
    return out, h


# ---- cells ----


def _cell(op: str, mode: str, x: Tensor, states: States, w: Weights) -> States:
    _check_cell(op, x, states, w)
    single = x.dim() == 1
    if single:
        x, states = x.unsqueeze(0), tuple(s.unsqueeze(0) for s in states)
    _, last = _layer(mode, x, states, w, (), False)
    return tuple(s.squeeze(0) for s in last) if single else last


def _check_cell(op: str, x: Tensor, states: States, w: Weights) -> None:
    if x.shape[-1] != w.ih.shape[1]:
        raise RuntimeError(
            f"{op}: input has inconsistent input_size: got {x.shape[-1]} expected {w.ih.shape[1]}"
        )
    for i, state in enumerate(states):
        if state.shape[:-1] != x.shape[:-1]:
            raise RuntimeError(
                f"{op}: Input batch size {tuple(x.shape[:-1])} doesn't match hidden{i} batch size "
                f"{tuple(state.shape[:-1])}"
            )
        if state.shape[-1] != w.hh.shape[1]:
            raise RuntimeError(
                f"{op}: hidden{i} has inconsistent hidden_size: got {state.shape[-1]}, expected "
                f"{w.hh.shape[1]}"
            )


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(h, c) one step later: input is (N, features) or (features), hx (h, c) of (N, units).

    RuntimeError for sizes that do not fit together.

    >>> x, w = kagari.zeros(1, 2), kagari.ones(8, 2)
    >>> kagari.lstm_cell(x, (x, x), w, w)
    (tensor([[0., 0.]]), tensor([[0., 0.]]))
    """
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    h, c = _cell("lstm_cell", "LSTM", input, tuple(hx), Weights(w_ih, w_hh, b_ih, b_hh))
    return h, c


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """h one step later: input is (N, features) or (features), hx (N, units) or (units).

    RuntimeError for sizes that do not fit together.

    >>> kagari.gru_cell(kagari.zeros(2), kagari.ones(2), kagari.zeros(6, 2), kagari.zeros(6, 2))
    tensor([0.5000, 0.5000])
    """
    return _cell("gru_cell", "GRU", input, (hx,), Weights(w_ih, w_hh, b_ih, b_hh))[0]


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """tanh(w_ih input + b_ih + w_hh hx + b_hh); shapes as in `gru_cell`.

    RuntimeError for sizes that do not fit together.

    >>> kagari.rnn_tanh_cell(kagari.ones(2), kagari.ones(2), kagari.ones(2, 2), kagari.ones(2, 2))
    tensor([0.9993, 0.9993])
    """
    return _cell("rnn_tanh_cell", "RNN_TANH", input, (hx,), Weights(w_ih, w_hh, b_ih, b_hh))[0]


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """relu(w_ih input + b_ih + w_hh hx + b_hh); shapes as in `gru_cell`.

    RuntimeError for sizes that do not fit together.

    >>> kagari.rnn_relu_cell(kagari.ones(2), kagari.ones(2), kagari.ones(2, 2), kagari.ones(2, 2))
    tensor([4., 4.])
    """
    return _cell("rnn_relu_cell", "RNN_RELU", input, (hx,), Weights(w_ih, w_hh, b_ih, b_hh))[0]
