"""One step of recurrent layers, between its matrix product and the next: gates and new states.

Rows are samples, elements hidden units. What a step starts from (h, c) is overwritten by what it
ends with; gates are overwritten by their activations, which the backward step needs (the plain
forms, for inference, leave them as they are). The formulas
are those of torch.nn.RNN, LSTM and GRU: Hochreiter and Schmidhuber 1997 with a forget gate, and
Cho et al. 2014 with the reset gate behind the product.
"""

from collections.abc import Callable

from .. import expr as e
from ..math import sigmoid, tanh
from ..rowwise import Row, define, rowwise

_DTYPES = "f32 f64"
_LSTM_GATES = ("input_gate", "forget_gate", "cell_gate", "output_gate")
_GRU_GATES = ("reset_gate", "update_gate", "new_gate")


def _elements(row: Row, dtype: str, *names: str) -> list[e.Expr]:
    return [row.element(name, dtype) for name in names]


def _new_state(row: Row, dtype: str, h: e.Expr) -> None:
    row.store("h", dtype, h)
    row.store("output", dtype, h)


def _forms(name: str, step: Callable[[Row, str, bool], None]) -> None:
    """Two programs: `name` keeps what the backward step needs, `name`_plain does not."""
    define(name, lambda row, dtype: step(row, dtype, True), _DTYPES)
    define(f"{name}_plain", lambda row, dtype: step(row, dtype, False), _DTYPES)


def _simple(row: Row, dtype: str, activated: e.Expr, keep: bool) -> None:
    if keep:
        row.store("kept", dtype, activated)
    _new_state(row, dtype, activated)


def _rnn_tanh_step(row: Row, dtype: str, keep: bool) -> None:
    """h = tanh(gate)."""
    _simple(row, dtype, tanh(row.element("gate", dtype)), keep)


def _rnn_relu_step(row: Row, dtype: str, keep: bool) -> None:
    """h = max(gate, 0)."""
    x = row.element("gate", dtype)
    _simple(row, dtype, e.where(x <= 0.0, e.const(0, x), x), keep)


@rowwise(_DTYPES)
def rnn_tanh_step_backward(row: Row, dtype: str) -> None:
    """The gradient of the gate, from the gradients that came to h from above and from behind."""
    kept, above, behind = _elements(row, dtype, "kept", "above", "behind")
    row.store("grad_gate", dtype, (above + behind) * (1 - kept * kept))


@rowwise(_DTYPES)
def rnn_relu_step_backward(row: Row, dtype: str) -> None:
    kept, above, behind = _elements(row, dtype, "kept", "above", "behind")
    row.store("grad_gate", dtype, e.where(kept <= 0.0, e.const(0, kept), above + behind))


def _lstm_step(row: Row, dtype: str, keep: bool) -> None:
    """c = f c + i g, h = o tanh(c), for gates i, f, g, o."""
    i, f, g, o = _elements(row, dtype, *(f"{name}_in" for name in _LSTM_GATES))
    gates = (sigmoid(i), sigmoid(f), tanh(g), sigmoid(o))
    c = gates[1] * row.element("c_in", dtype) + gates[0] * gates[2]
    for name, gate in zip(_LSTM_GATES, gates, strict=True):
        if keep:
            row.store(name, dtype, gate)
    row.store("c", dtype, c)
    _new_state(row, dtype, gates[3] * tanh(c))


@rowwise(_DTYPES)
def lstm_step_backward(row: Row, dtype: str) -> None:
    """The gradients of the gates before their activation, and of c before the step."""
    i, f, g, o = _elements(row, dtype, *_LSTM_GATES)
    before, above, behind, grad_c = _elements(row, dtype, "c_in", "above", "behind", "grad_c_out")
    y = tanh(f * before + i * g)
    grad_h = above + behind
    inner = grad_c + grad_h * o * (1 - y * y)
    grads = (
        inner * g * i * (1 - i), inner * before * f * (1 - f), inner * i * (1 - g * g),
        grad_h * y * o * (1 - o),
    )  # fmt: skip
    for name, grad in zip(_LSTM_GATES, grads, strict=True):
        row.store(f"grad_{name}", dtype, grad)
    row.store("grad_c", dtype, inner * f)


def _gru_step(row: Row, dtype: str, keep: bool) -> None:
    """h = (1 - z) n + z h, n = tanh(n_in + r n_hidden), for gates r, z, n in two parts each: from
    the input, and from h."""
    r, z, n = _elements(row, dtype, *(f"{name}_in" for name in _GRU_GATES))
    r_hidden, z_hidden, n_hidden = _elements(row, dtype, *(f"{n}_hidden" for n in _GRU_GATES))
    before = row.element("h_in", dtype)
    r, z = sigmoid(r + r_hidden), sigmoid(z + z_hidden)
    n = tanh(n + r * n_hidden)
    for name, gate in zip(_GRU_GATES, (r, z, n), strict=True):
        if keep:
            row.store(name, dtype, gate)
    _new_state(row, dtype, n + z * (before - n))


@rowwise(_DTYPES)
def gru_step_backward(row: Row, dtype: str) -> None:
    """The gradients of both parts of the gates before their activation, and of h before the step,
    as far as it does not come through the gates."""
    r, z, n = _elements(row, dtype, *_GRU_GATES)
    n_hidden, before, above, behind = _elements(
        row, dtype, "new_gate_hidden", "h_in", "above", "behind"
    )
    grad = above + behind
    grad_n = grad * (1 - z) * (1 - n * n)
    grad_z = grad * (before - n) * z * (1 - z)
    grad_r = grad_n * n_hidden * r * (1 - r)
    for name, g in zip(_GRU_GATES, (grad_r, grad_z, grad_n), strict=True):
        row.store(f"grad_{name}", dtype, g)
    for name, g in zip(_GRU_GATES, (grad_r, grad_z, grad_n * r), strict=True):
        row.store(f"grad_{name}_hidden", dtype, g)
    row.store("grad_h", dtype, grad * z)


for _name, _step in {
    "rnn_tanh_step": _rnn_tanh_step, "rnn_relu_step": _rnn_relu_step, "lstm_step": _lstm_step,
    "gru_step": _gru_step,
}.items():  # fmt: skip
    _forms(_name, _step)
