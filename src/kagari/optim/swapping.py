"""Another set of parameters and state for an optimizer, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kagari import Tensor

from .optimizer import Optimizer


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer,
    swapin_parameters: dict[str, Tensor],
    swapin_optim_state: dict[str, Any],
) -> Iterator[None]:
    """Within the context `optimizer` works on `swapin_parameters`, in the order of its own, with
    the state and options of `swapin_optim_state`, which is like its `state_dict`. Its state must
    have been made already. Only writes to the tensors that were given are seen afterwards.
    ValueError for another number of parameters or groups.

    >>> p, q = (kagari.ones(1, requires_grad=True) for _ in range(2))
    >>> o = kagari.optim.Adagrad([p])
    >>> with kagari.optim.swap_in_optimizer_params_and_state(o, {"q": q}, o.state_dict()):
    ...     o.param_groups[0]["params"][0] is q
    True
    """
    groups, state = optimizer.param_groups, optimizer.state
    saved = swapin_optim_state["param_groups"]
    counts = [len(group["params"]) for group in groups]
    if [len(group["params"]) for group in saved] != counts or len(swapin_parameters) != sum(counts):
        raise ValueError(
            f"swap_in_optimizer_params_and_state: expected groups of {counts} parameters, got "
            f"{len(swapin_parameters)} parameters and a state with groups of "
            f"{[len(group['params']) for group in saved]}"
        )
    given = iter(swapin_parameters.values())
    by_number: dict[int, Tensor] = {}
    swapped = []
    for group, new in zip(groups, saved, strict=True):
        params = [by_number.setdefault(number, next(given)) for number in new["params"]]
        swapped.append({**group, **new, "params": params})
    own: Any = type(state)(state.default_factory)
    for number, values in swapin_optim_state["state"].items():
        own[by_number.get(number, number)] = dict(values)
    optimizer.param_groups, optimizer.state = swapped, own
    try:
        yield
    finally:
        optimizer.param_groups, optimizer.state = groups, state
