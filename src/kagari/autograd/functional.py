"""Jacobians, Hessians and their products with vectors, of a function at given inputs."""

from collections.abc import Callable, Sequence
from typing import Any

from .._C import Tensor
from .modes import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_Inputs = Tensor | tuple[Tensor, ...]
_Function = Callable[..., Any]


# --- inputs and results --------------------------------------------------------------------------


def _tupled(values: Any, what: str, name: str) -> tuple[bool, tuple[Tensor, ...]]:
    """Was it a tuple, and the tensors. TypeError for anything else."""
    several = isinstance(values, tuple)
    given = values if several else (values,)
    for i, value in enumerate(given):
        if not isinstance(value, Tensor):
            where = f"value at index {i}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but "
                f"the {where} has type {type(value)}."
            )
    return several, given


def _aliases(inputs: Sequence[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    """Fresh tensors to differentiate with respect to; with the history of the inputs if the result
    is to have it."""
    return tuple(
        x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_()
        for x in inputs
    )


def _constants(values: Sequence[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    return tuple(v.view_as(v) if create_graph and v.requires_grad else v.detach() for v in values)


def _finished(values: Sequence[Tensor], create_graph: bool, several: bool) -> Any:
    kept = tuple(v if create_graph else v.detach() for v in values)
    return kept if several else kept[0]


def _run(func: _Function, inputs: Sequence[Tensor], name: str) -> tuple[bool, tuple[Tensor, ...]]:
    return _tupled(func(*inputs), "outputs of the user-provided function", name)


def _vector(v: Any, like: Sequence[Tensor], several: bool, name: str, of: str) -> Any:
    """The given vector, one tensor per tensor of `like`; without one, 1 for a single number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            part = "input to" if of == "input" else ""
            single = (
                f"if the {part} the user-provided function is a single Tensor with a single element"
                if part
                else "if the user-provided function returns a single Tensor with a single element"
            )
            raise RuntimeError(f"The vector v can only be None {single}.")
        return (like[0].detach().clone().fill_(1),)
    _, given = _tupled(v, "v", name)
    if len(given) != len(like):
        if several:
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(like)} but got {len(given)}."
            )
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (have, want) in enumerate(zip(given, like, strict=True)):
        if have.shape != want.shape:
            prefix = f"Entry {i} in " if several else ""
            raise RuntimeError(
                f"{prefix}v has invalid size: should be {want.shape} but got {have.shape}."
            )
    return given


# --- derivatives ---------------------------------------------------------------------------------


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], starts: Any, create_graph: bool
) -> list[Any]:
    """As autograd.grad; None where nothing leads from an output to the input."""
    from . import grad

    pairs = [
        (o, None if starts is None else starts[i])
        for i, o in enumerate(outputs)
        if o is not None and o.requires_grad
    ]
    if not pairs:
        return [None] * len(inputs)
    roots, given = [o for o, _ in pairs], [s for _, s in pairs]
    return list(grad(roots, inputs, given, None, create_graph, allow_unused=True))


def _check_outputs(outputs: Sequence[Tensor], strict: bool) -> None:
    for i, output in enumerate(outputs):
        if strict and not output.requires_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in strict "
                "mode."
            )


def _check_first(grads: Sequence[Any], strict: bool) -> None:
    """Of a gradient that is to be differentiated once more."""
    for i, g in enumerate(grads):
        if strict and (g is None or not g.requires_grad):
            raise RuntimeError(
                "While computing the hessian, found that the jacobian of the user-provided "
                f"function with respect to input {i} is independent of the input. This is not "
                "allowed in strict mode. You should ensure that your function is twice "
                "differentiable and that the jacobian depends on the inputs (this would be "
                "violated by a linear function for example)."
            )


def _entry(
    g: Any, x: Tensor, strict: bool, create_graph: bool, what: str, inner: str, i: int
) -> Tensor:
    """The gradient, zeros for None. In strict mode None is an error that says that `what` does not
    depend on input `i`, and where the graph is wanted also a gradient without: then `inner`."""
    from .. import zeros_like

    if strict and g is None:
        raise RuntimeError(
            f"{what} of the user-provided function is independent of input {i}. This is not "
            "allowed in strict mode."
        )
    if strict and create_graph and not g.requires_grad:
        raise RuntimeError(
            f"{inner} of the user-provided function is independent of input {i}. This is not "
            "allowed in strict mode when create_graph=True."
        )
    return zeros_like(x.detach()) if g is None else g


def _filled(
    grads: Sequence[Any], like: Sequence[Tensor], strict: bool, create_graph: bool, what: str
) -> list[Tensor]:
    inner = "The jacobian" if what == "output" else f"The {what}"
    return [
        _entry(g, x, strict, create_graph, f"The {what}", inner, i)
        for i, (g, x) in enumerate(zip(grads, like, strict=True))
    ]


def _products(
    grads: Sequence[Any], of: Sequence[Tensor], vectors: Sequence[Tensor], create_graph: bool
) -> list[Any]:
    """The gradients, by `of`, of the inner product of gradients with vectors."""
    pairs = [(g, v) for g, v in zip(grads, vectors, strict=True) if g is not None]
    return _gradients([g for g, _ in pairs], of, [v for _, v in pairs], create_graph)


# --- public --------------------------------------------------------------------------------------


def vjp(
    func: _Function,
    inputs: _Inputs,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(outputs, v times the Jacobian). `v` has the shapes of the outputs; it may be left out for
    one output of one element. `strict`: an output that does not depend on an input is an error.

    >>> kagari.autograd.functional.vjp(lambda x: x**2, kagari.tensor([3.0]))
    (tensor([9.]), tensor([6.]))
    """
    with enable_grad():
        several, given = _tupled(inputs, "inputs", "vjp")
        xs = _aliases(given, create_graph)
        out_several, outputs = _run(func, xs, "vjp")
        _check_outputs(outputs, strict)
        vs = _constants(_vector(v, outputs, out_several, "vjp", "output"), create_graph)
        found = _gradients(outputs, xs, vs, create_graph)
        grads = _filled(found, xs, strict, create_graph, "output")
    return _finished(outputs, create_graph, out_several), _finished(grads, create_graph, several)


def jvp(
    func: _Function,
    inputs: _Inputs,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(outputs, the Jacobian times v), `v` of the inputs' shapes, by differentiating backward with
    respect to the gradient it starts with. `func.jvp` needs one pass instead of two.

    >>> kagari.autograd.functional.jvp(lambda x: x**2, kagari.tensor([3.0]))
    (tensor([9.]), tensor([6.]))
    """
    from .. import zeros_like

    with enable_grad():
        several, given = _tupled(inputs, "inputs", "jvp")
        vs = _constants(_vector(v, given, several, "jvp", "input"), create_graph)
        xs = _aliases(given, create_graph)
        out_several, outputs = _run(func, xs, "jvp")
        _check_outputs(outputs, strict)
        starts = tuple(zeros_like(o).requires_grad_() for o in outputs)
        first = _gradients(outputs, xs, starts, True)
        if strict:
            _filled(first, xs, strict, create_graph, "output")
        found = _products(first, starts, vs, create_graph)
        if strict and create_graph and not any(_reaches(g, xs) for g in found):
            _filled(found, outputs, True, False, "output")
            raise RuntimeError(
                "The jacobian of the user-provided function is independent of input 0. This is not "
                "allowed in strict mode when create_graph=True."
            )
        products = _filled(found, outputs, False, False, "output")
    return (
        _finished(outputs, create_graph, out_several),
        _finished(products, create_graph, out_several),
    )


def _reaches(t: Any, xs: Sequence[Tensor]) -> bool:
    return t is not None and any(g is not None for g in _gradients([t], xs, [t.detach()], True))


def _columns(jacobian: Sequence[Tensor], output: Tensor, x: Tensor) -> Tensor:
    from .. import stack

    if not jacobian:
        return x.new_zeros((*output.shape, *x.shape))
    return stack(list(jacobian)).reshape(*output.shape, *x.shape)


def _reverse_rows(
    outputs: Sequence[Tensor], xs: Sequence[Tensor], create_graph: bool, strict: bool
) -> list[tuple[Tensor, ...]]:
    """One row of the Jacobian per element of the outputs, one backward each."""
    from . import grad

    result = []
    for i, output in enumerate(outputs):
        rows: list[list[Tensor]] = [[] for _ in xs]
        for element in output.reshape(-1).unbind() if output.requires_grad else ():
            found = grad(element, xs, None, True, create_graph, allow_unused=True)
            for j, (g, x) in enumerate(zip(found, xs, strict=True)):
                row = _entry(g, x, strict, create_graph, f"Output {i}", "The jacobian", j)
                rows[j].append(row)
        result.append(tuple(_columns(r, output, x) for r, x in zip(rows, xs, strict=True)))
    return result


def _batched_rows(
    outputs: Sequence[Tensor], xs: Sequence[Tensor], create_graph: bool
) -> list[tuple[Tensor, ...]]:
    """All rows at once: one backward over a batch of unit vectors."""
    from .. import eye
    from . import grad

    result = []
    for output in outputs:
        n = output.numel()
        if not output.requires_grad or n == 0:
            result.append(tuple(_columns([], output, x) for x in xs))
            continue
        basis = eye(n, dtype=output.dtype, device=output.device).reshape(n, *output.shape)
        found = grad(
            output, xs, [basis], True, create_graph, allow_unused=True, is_grads_batched=True
        )
        result.append(
            tuple(
                _columns([], output, x) if g is None else g.reshape(*output.shape, *x.shape)
                for g, x in zip(found, xs, strict=True)
            )
        )
    return result


def _check_ways(create_graph: bool, strict: bool, vectorize: bool, strategy: str) -> None:
    name = "torch.autograd.functional.jacobian"
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                f'{name}: `create_graph=True` and `strategy="forward-mode"` are not supported '
                "together (yet). Please either set `create_graph=False` or "
                '`strategy="reverse-mode"`.'
            )
        if strict:
            raise RuntimeError(
                f'{name}: `strict=True` and `strategy="forward-mode"` are not supported together '
                '(yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
            )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only "
                "implemented for `vectorize=True`."
            )
    elif strict and vectorize:
        raise RuntimeError(
            f"{name}: `strict=True` and `vectorized=True` are not supported together. Please "
            "either set `strict=False` or `vectorize=False`."
        )


def jacobian(
    func: _Function,
    inputs: _Inputs,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of every output element by every input element, of shape
    `output.shape + input.shape`: a tuple over inputs, of tuples over outputs, where there are
    several. `vectorize` computes all rows at once; `strategy="forward-mode"` columns instead.

    >>> kagari.autograd.functional.jacobian(lambda x: x**2, kagari.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_ways(create_graph, strict, vectorize, strategy)
    several, given = _tupled(inputs, "inputs", "jacobian")
    if strategy == "forward-mode":
        return _forward_jacobian(func, given, several)
    with enable_grad():
        xs = _aliases(given, create_graph)
        out_several, outputs = _run(func, xs, "jacobian")
        _check_outputs(outputs, strict)
        if vectorize:
            rows = _batched_rows(outputs, xs, create_graph)
        else:
            rows = _reverse_rows(outputs, xs, create_graph, strict)
    kept = tuple(_finished(row, create_graph, several) for row in rows)
    return kept if out_several else kept[0]


def _forward_jacobian(func: _Function, inputs: tuple[Tensor, ...], several: bool) -> Any:
    from ..func import jacfwd

    out_several = False

    def checked(*xs: Tensor) -> Any:
        nonlocal out_several
        out_several, outputs = _run(func, xs, "jacobian")
        return outputs

    numbers = tuple(range(len(inputs)))
    rows = jacfwd(checked, numbers)(*(x.detach() for x in inputs))
    kept = tuple(_finished(row, False, several) for row in rows)
    return kept if out_several else kept[0]


def _single(func: _Function, inputs: Sequence[Tensor], name: str) -> Tensor:
    """The one number that the function returns."""
    several, outputs = _run(func, inputs, name)
    if several:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a single element"
        )
    return outputs[0]


def hessian(
    func: _Function,
    inputs: _Inputs,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function that returns one number: of shape
    `input.shape + input.shape`, a tuple of tuples for several inputs.

    >>> kagari.autograd.functional.hessian(lambda x: (x**3).sum(), kagari.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    several, given = _tupled(inputs, "inputs", "hessian")

    def gradient(*xs: Tensor) -> tuple[Tensor, ...]:
        if outer_jacobian_strategy == "forward-mode":
            xs = tuple(x.requires_grad_() for x in xs)
        with enable_grad():
            value = _single(func, xs, "hessian")
            _check_outputs([value], strict)
            found = _gradients([value.reshape(())], xs, None, True)
            _check_first(found, strict)
            return tuple(_filled(found, xs, False, False, "jacobian"))

    rows = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if several else rows[0][0]


def _once(
    func: _Function, inputs: _Inputs, v: Any, create_graph: bool, strict: bool, name: str
) -> tuple[bool, tuple[Tensor, ...], tuple[Tensor, ...], Tensor, list[Any]]:
    """Of a function that returns one number: were there several inputs, aliases of them, the
    vectors, the value, and its gradients, to be differentiated once more."""
    several, given = _tupled(inputs, "inputs", name)
    vs = _constants(_vector(v, given, several, name, "input"), create_graph)
    xs = _aliases(given, create_graph)
    value = _single(func, xs, name)
    _check_outputs([value], strict)
    first = _gradients([value], xs, None, True)
    _check_first(first, strict)
    return several, xs, vs, value, first


def vhp(
    func: _Function,
    inputs: _Inputs,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(value, v times the Hessian) of a function that returns one number; `v` of the inputs'
    shapes.

    >>> kagari.autograd.functional.vhp(lambda x: (x**3).sum(), kagari.tensor([2.0]))
    (tensor(8.), tensor([12.]))
    """
    with enable_grad():
        several, xs, vs, value, first = _once(func, inputs, v, create_graph, strict, "vhp")
        found = _products(first, xs, vs, create_graph)
        products = _filled(found, xs, strict, create_graph, "hessian")
    return _finished([value], create_graph, False), _finished(products, create_graph, several)


def hvp(
    func: _Function,
    inputs: _Inputs,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(value, the Hessian times v), as vhp, which needs one backward less: the Hessian is
    symmetric wherever the second derivatives are continuous.

    >>> kagari.autograd.functional.hvp(lambda x: (x**3).sum(), kagari.tensor([2.0]))
    (tensor(8.), tensor([12.]))
    """
    from .. import zeros_like

    with enable_grad():
        several, xs, vs, value, first = _once(func, inputs, v, create_graph, strict, "hvp")
        starts = tuple(zeros_like(x).requires_grad_() for x in xs)
        second = _products(first, xs, starts, True)
        found = _products(second, starts, vs, create_graph)
        products = _filled(found, xs, strict, create_graph, "hessian")
    return _finished([value], create_graph, False), _finished(products, create_graph, several)
