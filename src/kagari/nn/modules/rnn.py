"""Recurrent modules over whole sequences: RNN, LSTM and GRU. The arithmetic is left to
functional/recurrent.py, single steps to rnn_cells.py."""

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.functional import recurrent

from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module
from .rnn_cells import GRUCell as GRUCell
from .rnn_cells import LSTMCell as LSTMCell
from .rnn_cells import RNNCell as RNNCell
from .rnn_cells import RNNCellBase as RNNCellBase

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_FUNCTIONS: dict[str, Any] = {
    "LSTM": recurrent.lstm, "GRU": recurrent.gru, "RNN_TANH": recurrent.rnn_tanh,
    "RNN_RELU": recurrent.rnn_relu,
}  # fmt: skip


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """Older spelling of `tensor.index_select(dim, permutation)`."""
    warnings.warn(
        "apply_permutation is deprecated, please use tensor.index_select(dim, permutation) instead",
        FutureWarning,
        stacklevel=2,
    )
    return _permuted(tensor, permutation, dim)


def _permuted(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    return tensor.index_select(dim, permutation)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters, checks, and the call.

    Parameters of layer k are weight_ih_l{k} (gates * hidden, features), weight_hh_l{k},
    bias_ih_l{k} and bias_hh_l{k}; with a projection weight_hr_l{k}; of the other direction all with
    the suffix _reverse.
    """

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
        "bidirectional", "proj_size",
    ]  # fmt: skip
    mode: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
        proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        _check_types(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        _check_types(bool, bias=bias, batch_first=batch_first)
        _check_options(input_size, hidden_size, num_layers, dropout, proj_size)
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: self._directions]:
                self._add_weights(layer, suffix, {"device": device, "dtype": dtype})
        self.reset_parameters()

    def _add_weights(self, layer: int, suffix: str, made: dict[str, Any]) -> None:
        units = self.proj_size or self.hidden_size
        features = units * self._directions if layer else self.input_size
        width = _GATES[self.mode] * self.hidden_size
        shapes = {"weight_ih": (width, features), "weight_hh": (width, units)}
        if self.bias:
            shapes |= {"bias_ih": (width,), "bias_hh": (width,)}  # type: ignore[dict-item]
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = [f"{name}_l{layer}{suffix}" for name in shapes]
        for name, shape in zip(names, shapes.values(), strict=True):
            setattr(self, name, Parameter(kagari.empty(shape, **made)))
        self._flat_weights_names += names
        self._all_weights.append(names)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _flat_weights(self) -> list[Any]:
        """The weights as they are now, whoever has put them there."""
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights: Sequence[Any]) -> None:
        for name, weight in zip(self._flat_weights_names, weights, strict=True):
            if getattr(self, name, None) is not weight:
                setattr(self, name, weight)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, layer by layer and direction by direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: only GPU libraries want the weights in one piece of memory."""

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size))."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """ValueError or RuntimeError for an input that does not fit the parameters."""
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: "
                f"model.to({input.dtype})"
            )
        rank = 2 if batch_sizes is not None else 3
        if input.dim() != rank:
            raise RuntimeError(f"input must have {rank} dimensions, got {input.dim()}")
        if self.input_size != input.shape[-1]:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.shape[-1]}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """(layers * directions, samples, units) of h for this input."""
        if batch_sizes is not None:
            samples = int(batch_sizes[0])
        else:
            samples = input.shape[0 if self.batch_first else 1]
        units = self.proj_size or self.hidden_size
        return self.num_layers * self._directions, samples, units

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:  # fmt: skip
        """RuntimeError for a state of another shape."""
        if tuple(hx.shape) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """RuntimeError for input or states that do not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its samples in another order."""
        return hx if permutation is None else _permuted(hx, permutation)

    def _zero_state(self, input: Tensor, samples: int) -> Any:
        count, units = self.num_layers * self._directions, self.proj_size or self.hidden_size
        return input.new_zeros(count, samples, units)

    def _widened(self, input: Tensor, hx: Any) -> Any:
        """The state for a batch of one, or RuntimeError."""
        if hx is None:
            return None
        kind, rank = ("unbatched", 2) if input.dim() == 2 else ("batched", 3)
        if hx.dim() != rank:
            raise RuntimeError(
                f"For {kind} {rank}-D input, hx should also be {rank}-D but got {hx.dim()}-D tensor"
            )
        return hx.unsqueeze(1) if rank == 2 else hx

    def _narrowed(self, hx: Any) -> Any:
        return hx.squeeze(1)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """(output, state) for input (L, N, features), (N, L, features) with `batch_first`,
        (L, features), or a PackedSequence, from the state hx, zeros where it is None."""
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            samples = int(sizes[0])
            hx = self._zero_state(data, samples) if hx is None else self.permute_hidden(hx, order)
            output, state = self._run(data, hx, sizes)
            packed = PackedSequence(output, sizes, order, back)
            return packed, self.permute_hidden(state, back)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{self.mode.split('_')[0]}: Expected input to be 2D or 3D, got {input.dim()}D "
                "instead"
            )
        single = input.dim() == 2
        hx = self._widened(input, hx)
        if single:
            input = input.unsqueeze(0 if self.batch_first else 1)
        if hx is None:
            hx = self._zero_state(input, input.shape[0 if self.batch_first else 1])
        output, state = self._run(input, hx, None)
        if single:
            return output.squeeze(0 if self.batch_first else 1), self._narrowed(state)
        return output, state

    def _run(self, input: Tensor, hx: Any, batch_sizes: Tensor | None) -> tuple[Tensor, Any]:
        self.check_forward_args(input, hx, batch_sizes)
        how = (
            self._flat_weights, self.bias, self.num_layers, self.dropout, self.training,
            self.bidirectional,
        )  # fmt: skip
        call = _FUNCTIONS[self.mode]
        if batch_sizes is None:
            output, *state = call(input, hx, *how, self.batch_first)
        else:
            output, *state = call(input, batch_sizes, hx, *how)
        return output, tuple(state) if self.mode == "LSTM" else state[0]

    def extra_repr(self) -> str:
        """Sizes, and what is not as it is by default."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
            "bidirectional": False,
        }  # fmt: skip
        for name, default in defaults.items():
            value = getattr(self, name)
            text += "" if value == default else f", {name}={value}"
        return text


def _check_types(kind: type = int, **options: Any) -> None:
    for name, value in options.items():
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
            )


def _check_options(
    input_size: int, hidden_size: int, num_layers: int, dropout: float, proj_size: int
) -> None:
    number = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element "
            f"being zeroed, got {dropout!r}"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}",
            stacklevel=4,
        )
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    for name, size in sizes.items():
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if proj_size < 0:
        raise ValueError(
            "proj_size should be a positive integer or zero to disable projections, got "
            f"{proj_size}"
        )
    if proj_size >= hidden_size:
        raise ValueError(
            f"proj_size has to be smaller than hidden_size, got {proj_size} and {hidden_size}"
        )


def _no_projections(kwargs: dict[str, Any]) -> None:
    if "proj_size" in kwargs:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu with `nonlinearity="relu"`.

    RNN(input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False,
    dropout=0.0, bidirectional=False): see `RNNBase` for the parameters' names.

    >>> output, h = kagari.nn.RNN(4, 8)(kagari.zeros(5, 2, 4))
    >>> output.shape, h.shape
    (torch.Size([5, 2, 8]), torch.Size([1, 2, 8]))
    """

    nonlinearity: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projections(kwargs)
        if len(args) > 3:
            kwargs["nonlinearity"], args = args[3], (*args[:3], *args[4:])
        nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__("RNN_" + nonlinearity.upper(), *args, **kwargs)
        self.nonlinearity = nonlinearity


class GRU(RNNBase):
    """Gated recurrent units: r, z = sigmoid(...), n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
    h = (1 - z) n + z h; their parts of the parameters lie one below the other in the order r, z, n.

    GRU(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
    bidirectional=False): see `RNNBase` for the parameters' names.

    >>> output, h = kagari.nn.GRU(4, 8, bidirectional=True)(kagari.zeros(5, 2, 4))
    >>> output.shape, h.shape
    (torch.Size([5, 2, 16]), torch.Size([2, 2, 8]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projections(kwargs)
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory: i, f, o = sigmoid(...), g = tanh(...), c = f c + i g,
    h = o tanh(c); their parts of the parameters lie one below the other in the order i, f, g, o.

    LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
    bidirectional=False, proj_size=0): with `proj_size`, h is W_hr o tanh(c) of that many units. See
    `RNNBase` for the parameters' names.

    >>> output, (h, c) = kagari.nn.LSTM(4, 8)(kagari.zeros(5, 2, 4))
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 2, 8]), torch.Size([1, 2, 8]), torch.Size([1, 2, 8]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """(layers * directions, samples, hidden_size) of c for this input."""
        return (*self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """RuntimeError for input or states that do not fit."""
        self.check_input(input, batch_sizes)
        expected = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for i in range(2):
            message = f"Expected hidden[{i}] size {{}}, got {{}}"
            self.check_hidden_size(hidden[i], expected[i], message)

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states with their samples in another order."""
        return hx if permutation is None else tuple(_permuted(t, permutation) for t in hx)

    def _zero_state(self, input: Tensor, samples: int) -> Any:
        count = self.num_layers * self._directions
        return super()._zero_state(input, samples), input.new_zeros(
            count, samples, self.hidden_size
        )

    def _widened(self, input: Tensor, hx: Any) -> Any:
        if hx is None:
            return None
        kind, rank = ("unbatched", 2) if input.dim() == 2 else ("batched", 3)
        if hx[0].dim() != rank or hx[1].dim() != rank:
            raise RuntimeError(
                f"For {kind} {rank}-D input, hx and cx should also be {rank}-D but got "
                f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )
        return tuple(t.unsqueeze(1) for t in hx) if rank == 2 else hx

    def _narrowed(self, hx: Any) -> Any:
        return tuple(t.squeeze(1) for t in hx)
