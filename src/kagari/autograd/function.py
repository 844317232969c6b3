"""Custom differentiable functions: forward and backward written in Python."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from .._C import Tensor, _finish_function, _intercepted, is_grad_enabled
from .modes import no_grad


class FunctionCtx:
    """What forward leaves for backward. Any attribute may be set on it."""

    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Tensor, ...] = ()
    _constant: tuple[Tensor, ...] = ()
    _materialize = True
    _to_save_forward: tuple[Any, ...] = ()
    _in_jvp = False
    _saved: Any = None
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs of forward; `saved_tensors` gives them back, checked against
        in-place writes. Anything else may be kept as an attribute."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument is of type {type(t)}"
                )
        self._to_save = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Inputs that forward writes to and returns."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Outputs through which no gradient flows."""
        self._constant = args

    def set_materialize_grads(self, value: bool) -> None:
        """False: backward sees None instead of zeros for outputs that were not used."""
        self._materialize = value

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs of forward for jvp, which gets them by `saved_tensors`."""
        self._to_save_forward = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self._in_jvp and self._to_save_forward:
            return self._to_save_forward
        if self._saved is None:
            raise RuntimeError(
                f"{type(self).__name__}: saved_tensors are there once forward has returned"
            )
        return self._saved.unpack()

    def name(self) -> str:
        return type(self).__name__


class _FunctionMeta(type):
    """Gives each Function its class of contexts, named as grad_fn shows it."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)

        def run_backward(self: Any, *grads: Any) -> Any:
            own = "backward" in vars(cls) or cls.backward is not Function.backward
            rule = cls.backward if own else cls.vjp
            return rule(self, *grads)

        cls._context = type(name + "Backward", (FunctionCtx,), {"_run_backward": run_backward})


class Function(metaclass=_FunctionMeta):
    """Base of custom functions; call `apply`, never an instance.

    >>> class Double(kagari.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return grad * 2
    >>> x = kagari.ones(2, requires_grad=True)
    >>> Double.apply(x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    _context: type[FunctionCtx]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self).__name__} should not be instantiated. Methods on autograd functions are "
            "all static, so you should invoke them on the class itself: use .apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The function; with a `setup_context` defined it takes no ctx."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keeps on `ctx` what backward needs, apart from forward."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """One gradient per input of forward, None for what has none."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of the outputs from those of the inputs, zeros or None for those without
        (forward_ad)."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    _transposable = False  # True: without a jvp of its own, forward mode transposes backward
    generate_vmap_rule = False  # True: under vmap, run forward and backward under vmap

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Under vmap: (results, where their samples are) of arguments that hold all samples, each
        along the dimension of `in_dims`. `info` has batch_size and randomness."""
        raise NotImplementedError("vmap is not implemented.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and write the function into the graph."""
        result, ctx = cls._applied(args, kwargs)
        if ctx is not None:
            ctx._to_save_forward = ()  # outputs among them would keep their own node alive
        return result

    @classmethod
    def _applied(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """(result, ctx); no ctx where vmap has run it."""
        if _intercepted():
            from .function_transforms import applied

            if (found := applied(cls, args, kwargs)) is not None:
                return found
        ctx = cls._context()
        needs = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        recorded = is_grad_enabled() and any(needs)
        ctx.needs_input_grad = needs
        separate = cls.setup_context is not Function.setup_context
        with no_grad():
            if separate:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args, **kwargs)
        single = not isinstance(result, (tuple, list))
        values = [result] if single else list(result)
        places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
        finished = _finish_function(
            ctx,
            ctx.name(),
            list(args),
            [values[i] for i in places],
            list(ctx._to_save),
            list(ctx._dirty),
            list(ctx._constant),
            ctx._materialize,
            recorded,
        )
        ctx._to_save = ctx._dirty = ()
        for i, tensor in zip(places, finished, strict=True):
            values[i] = tensor
        return values[0] if single else type(result)(values), ctx


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """For a backward that cannot be differentiated itself: doing so is then an error."""

    @wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            outputs = fn(ctx, *args)
        recorded = is_grad_enabled() and any(
            isinstance(a, Tensor) and a.requires_grad for a in args
        )
        if not recorded:
            return outputs
        single = not isinstance(outputs, tuple)
        values = (outputs,) if single else outputs
        inputs = [a for a in args if isinstance(a, Tensor)]
        marked = tuple(_Once.apply(v, *inputs) if isinstance(v, Tensor) else v for v in values)
        return marked[0] if single else marked

    return wrapper


class _Once(Function):
    """The identity, with a derivative that says why there is none."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *inputs: Tensor) -> Tensor:
        return value.detach()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
