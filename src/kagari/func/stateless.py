"""Modules as functions of their parameters."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kagari import Tensor


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with these tensors in place of its parameters and buffers.

    Names are those of `named_parameters` and `named_buffers`; what is not named keeps its value,
    and a name that the module does not have is left aside. The module is as before afterwards, but
    for what its forward writes to tensors in place. `args`: a tuple, or the one argument. With
    `tie_weights` a tensor that the module has under several names is replaced under all of them.

    ValueError for a name in two dictionaries, or for values of one tensor that differ; if `strict`,
    RuntimeError for names missing or unknown; TypeError for a value that is no tensor.

    >>> linear = kagari.nn.Linear(2, 1)
    >>> zeros = {"weight": kagari.zeros(1, 2), "bias": kagari.ones(1)}
    >>> kagari.func.functional_call(linear, zeros, kagari.ones(3, 2))
    tensor([[1.],
            [1.],
            [1.]])
    """
    given = _joined(parameter_and_buffer_dicts)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _joined(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence):
        raise ValueError(
            "functional_call: Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of "
            f"dicts, but got {type(dicts)}"
        )
    if not all(isinstance(part, dict) for part in dicts):
        raise ValueError(
            "functional_call: Expected all elements of parameter_and_buffer_dicts to be "
            "dictionaries"
        )
    names = [name for part in dicts for name in part]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"functional_call: {twice} appeared in multiple dictionaries; behavior of functional "
            "call is ambiguous"
        )
    return {name: value for part in dicts for name, value in part.items()}


@contextmanager
def _replaced(module: Any, given: dict[str, Tensor], tie: bool, strict: bool) -> Iterator[None]:
    """Within the block the module has these tensors."""
    own = dict(module.named_parameters(remove_duplicate=False))
    own |= dict(module.named_buffers(remove_duplicate=False))
    unknown, missing = sorted(given.keys() - own.keys()), sorted(own.keys() - given.keys())
    given = _tied(own, given) if tie else given
    if strict and tie:
        missing = sorted(own.keys() - given.keys())
    if strict and (unknown or missing):
        raise RuntimeError(
            "functional_call: Error(s) in the given parameters and buffers: unexpected key(s) "
            f"{unknown}, missing key(s) {missing}"
        )
    places = []
    for name, value in given.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"functional_call: {name}: {value} is not an instance of torch.Tensor")
        path, _, last = name.rpartition(".")
        owner = module.get_submodule(path)
        if name not in own:  # as an attribute that nothing reads
            continue
        table = owner._parameters if last in owner._parameters else owner._buffers
        places.append((table, last, table[last]))
        table[last] = value
    try:
        yield
    finally:
        for table, last, before in reversed(places):
            table[last] = before


def _tied(own: dict[str, Tensor], given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same value for every name of a tensor."""
    values: dict[int, Tensor] = {}
    for name, value in given.items():
        if name not in own:
            continue
        key = id(own[name])
        if key in values and values[key] is not value:
            raise ValueError(
                f"functional_call: {name} is tied to another parameter or buffer that was given "
                "another value; give one of them, or pass tie_weights=False"
            )
        values[key] = value
    tied = {name: values[id(t)] for name, t in own.items() if id(t) in values}
    return tied | {name: value for name, value in given.items() if name not in tied}


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of several modules of one kind, each name with the values of all along
    a new dimension 0: what vmap over `functional_call` takes. The stacked parameters are leaves.

    RuntimeError for no modules, modules of different classes, or in different modes (train, eval).

    >>> models = [kagari.nn.Linear(2, 1) for _ in range(5)]
    >>> parameters, buffers = kagari.func.stack_module_state(models)
    >>> parameters["weight"].shape
    torch.Size([5, 1, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = _stacked([dict(m.named_parameters()) for m in models])
    return parameters, _stacked([dict(m.named_buffers()) for m in models])


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Any]:
    import kagari

    found = {}
    for name in states[0]:
        values = [state[name] for state in states]
        requires = {v.requires_grad for v in values}
        if len(requires) > 1:
            raise RuntimeError(
                f"stack_module_state: Expected {name} from each model to have the same "
                "`.requires_grad`"
            )
        found[name] = kagari.stack([v.detach() for v in values]).requires_grad_(requires.pop())
    return found


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Makes every batch norm in `root` use the statistics of its batch alone, and returns `root`:
    running statistics that all samples of a vmap share cannot be updated.

    >>> module = kagari.func.replace_all_batch_norm_modules_(kagari.nn.BatchNorm1d(2))
    >>> print(module.running_mean)
    None
    """
    from kagari.nn.modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
