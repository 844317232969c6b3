"""Recurrent modules that go one step: RNNCell, LSTMCell and GRUCell."""

import math
from typing import Any

import kagari
from kagari import Tensor
from kagari.functional import recurrent

from .. import init
from ..parameter import Parameter
from .module import Module


class RNNCellBase(Module):
    """What the cells share: weight_ih (gates * hidden, input_size), weight_hh and two biases."""

    __constants__ = ["input_size", "hidden_size", "bias"]
    input_size: int
    hidden_size: int
    bias: bool
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        width = num_chunks * hidden_size
        self.weight_ih = Parameter(kagari.empty((width, input_size), **made))
        self.weight_hh = Parameter(kagari.empty((width, hidden_size), **made))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(kagari.empty(width, **made)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size))."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """Sizes, and what is not as it is by default."""
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias is True else f"{text}, bias={self.bias}"

    def _check(self, what: str, t: Tensor) -> None:
        if t.dim() not in (1, 2):
            raise ValueError(
                f"{self._get_name()}: Expected {what} to be 1D or 2D, got {t.dim()}D instead"
            )

    def _zeros(self, input: Tensor) -> Tensor:
        return input.new_zeros(*input.shape[:-1], self.hidden_size)

    @property
    def _weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu with `nonlinearity="relu"`.

    >>> kagari.nn.RNNCell(4, 8)(kagari.zeros(2, 4)).shape
    torch.Size([2, 8])
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]
    nonlinearity: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """h' (N, hidden) or (hidden) of input (N, features) or (features) and hx, zeros if None."""
        self._check("input", input)
        if hx is None:
            hx = self._zeros(input)
        self._check("hidden", hx)
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        tanh = self.nonlinearity == "tanh"
        call = recurrent.rnn_tanh_cell if tanh else recurrent.rnn_relu_cell
        return call(input, hx, *self._weights)

    def extra_repr(self) -> str:
        """Sizes, and what is not as it is by default."""
        text = super().extra_repr()
        plain = self.nonlinearity == "tanh"
        return text if plain else f"{text}, nonlinearity={self.nonlinearity}"


class GRUCell(RNNCellBase):
    """One step of `GRU`.

    >>> kagari.nn.GRUCell(4, 8)(kagari.zeros(2, 4)).shape
    torch.Size([2, 8])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """h' (N, hidden) or (hidden) of input (N, features) or (features) and hx, zeros if None."""
        self._check("input", input)
        if hx is None:
            hx = self._zeros(input)
        self._check("hidden", hx)
        return recurrent.gru_cell(input, hx, *self._weights)


class LSTMCell(RNNCellBase):
    """One step of `LSTM`.

    >>> h, c = kagari.nn.LSTMCell(4, 8)(kagari.zeros(2, 4))
    >>> h.shape, c.shape
    (torch.Size([2, 8]), torch.Size([2, 8]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """(h', c') (N, hidden) or (hidden) of input (N, features) or (features) and hx = (h, c),
        zeros if None."""
        self._check("input", input)
        if hx is None:
            hx = (self._zeros(input),) * 2
        for i, state in enumerate(hx):
            self._check(f"hx[{i}]", state)
        return recurrent.lstm_cell(input, hx, *self._weights)
