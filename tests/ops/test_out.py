"""What `out=` takes and refuses: dtypes, sizes, memory shared with an input; beside PyTorch."""

import pytest
import torch

import kagari

LIBRARIES = (torch, kagari)


def outcome(call, library):
    """The values written and the dtype, or the class of the error (a subclass counts as it)."""
    try:
        out = call(library)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        return next(k for k in (TypeError, IndexError, ValueError, RuntimeError)
                    if isinstance(error, k))  # fmt: skip
    outs = out if isinstance(out, tuple) else (out,)
    return [(str(o.dtype).split(".")[1], o.tolist()) for o in outs]


def x(t):
    return t.tensor([[3.0, 1.0, 2.0], [0.5, 4.0, 4.0]])


def into(name, dtype, *arguments, sizes=(0,), space="", **named):
    def call(t):
        function = getattr(getattr(t, space) if space else t, name)
        given = [a(t) if callable(a) else a for a in arguments]
        return function(*given, out=t.empty(sizes, dtype=getattr(t, dtype)), **named)

    return call


DTYPES = ("float32", "float64", "float16", "int64", "bool", "complex64")
ONE_RESULT = {
    "abs": (x,), "neg": (x,), "floor": (x,), "exp": (x,), "sign": (x,), "signbit": (x,),
    "isposinf": (x,), "add": (x, 1), "eq": (x, 1), "lerp": (x, x, 0.5), "nan_to_num": (x,),
    "sum": (x, 0), "prod": (x, 0), "mean": (x, 0), "amax": (x, 0), "argmax": (x, 0),
    "cumsum": (x, 0), "cumprod": (x, 0), "softmax": (x, 0), "var": (x, 0), "logsumexp": (x, 0),
    "diag": (x,), "tril": (x,), "max": (x,), "min": (x,),
    "gather": (x, 0, lambda t: t.tensor([[1, 0, 1]])),
    "index_select": (x, 0, lambda t: t.tensor([1])),
    "take": (x, lambda t: t.tensor([1])),
    "masked_select": (x, lambda t: x(t) > 1),
    "scatter_add": (x, 0, lambda t: t.tensor([[1, 0, 1]]), x),
    "cat": (lambda t: [x(t), x(t)],), "stack": (lambda t: [x(t), x(t)],),
    "arange": (0, 3), "linspace": (0, 3, 4), "logspace": (0, 2, 3),
    "bernoulli": (lambda t: t.tensor([0.0, 1.0]),),
    "slice_scatter": (x, lambda t: t.zeros(1, 3), 0, 0, 1), "diagonal_copy": (x,),
}  # fmt: skip
CASES = [(name, dtype, ONE_RESULT[name]) for name in ONE_RESULT for dtype in DTYPES]


DIFFERENT = {
    ("mean", "float16"): "PyTorch adds in float16",
    ("var", "complex64"): "PyTorch does not write real numbers to a complex tensor here",
    ("bernoulli", "complex64"): "PyTorch draws no complex numbers",
    **{(n, d): "a TypeError in PyTorch" for n in ("cat", "stack") for d in ("int64", "bool")},
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("name", "dtype", "arguments"), CASES)
def test_dtypes(name, dtype, arguments):
    if (name, dtype) in DIFFERENT:
        pytest.skip(DIFFERENT[name, dtype])
    call = into(name, dtype, *arguments)
    theirs, ours = (outcome(call, t) for t in LIBRARIES)
    if isinstance(theirs, list) and name in ("exp", "var", "logsumexp", "softmax", "logspace"):
        assert ours[0][0] == theirs[0][0]
        flat = [kagari.tensor(r[0][1]).flatten() for r in (ours, theirs)]
        assert kagari.allclose(*flat, rtol=2e-3)
    else:
        assert ours == theirs


PAIRS = {"max": (x, 0), "min": (x, 0), "sort": (x,), "topk": (x, 1), "kthvalue": (x, 1),
         "cummax": (x, 0), "mode": (x,), "median": (x, 0)}  # fmt: skip


@pytest.mark.parametrize("dtypes", [("float32", "int64"), ("float64", "int64"),
                                    ("float32", "int32")])  # fmt: skip
@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name, dtypes):
    def call(t):
        outs = tuple(t.empty(0, dtype=getattr(t, d)) for d in dtypes)
        given = [a(t) if callable(a) else a for a in PAIRS[name]]
        returned = getattr(t, name)(*given, out=outs)
        assert [a.data_ptr() for a in returned] == [o.data_ptr() for o in outs]
        return outs

    assert outcome(call, kagari) == outcome(call, torch)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(
    "name", ["gelu", "softplus", "logsigmoid", "hardshrink", "softshrink", "avg_pool2d", "linear"]
)
def test_functional(name, dtype):
    more = {"avg_pool2d": (1,), "linear": (x,)}.get(name, ())
    given = (lambda t: x(t).reshape(1, 2, 3)) if name == "avg_pool2d" else x

    def call(t):
        arguments = [a(t) if callable(a) else a for a in more]
        out = t.empty(0, dtype=getattr(t, dtype))
        return getattr(t.nn.functional, name)(given(t), *arguments, out=out)

    theirs, ours = (outcome(call, t) for t in LIBRARIES)
    if isinstance(theirs, list):
        assert ours[0][0] == theirs[0][0]
        flat = [kagari.tensor(r[0][1]).flatten() for r in (ours, theirs)]
        assert kagari.allclose(*flat, rtol=1e-5)
    else:
        assert ours == theirs


def shared(t, *, shift):
    memory = t.arange(8.0)
    return memory[:4], memory[shift : shift + 4]


MEMORY = {
    "add": lambda t, a, out: t.add(a, 1, out=out),
    "cumsum": lambda t, a, out: t.cumsum(a, 0, out=out),
    "sort": lambda t, a, out: t.gather(a, 0, t.tensor([0, 1, 2, 3]), out=out),
    "index_select": lambda t, a, out: t.index_select(a, 0, t.tensor([0, 1, 2, 3]), out=out),
    "take": lambda t, a, out: t.take(a, t.tensor([0, 1, 2, 3]), out=out),
    "masked_select": lambda t, a, out: t.masked_select(a, a >= 0, out=out),
    "cat": lambda t, a, out: t.cat([a[:2], a[2:]], out=out),
    "stack": lambda t, a, out: t.stack([a[0], a[1], a[2], a[3]], out=out),
}


@pytest.mark.parametrize("shift", [0, 1, 4])
@pytest.mark.parametrize("name", MEMORY)
def test_shared_memory(name, shift):
    def call(t):
        given, out = shared(t, shift=shift)
        return MEMORY[name](t, given, out)

    theirs, ours = (outcome(call, t) for t in LIBRARIES)
    assert ours == theirs
    if not isinstance(ours, list):
        given, out = shared(kagari, shift=shift)
        with pytest.raises(RuntimeError, match="single memory location"):
            MEMORY[name](kagari, given, out)
        assert given.tolist() == [0, 1, 2, 3]  # refused before anything is written


def test_a_window_that_would_grow_over_an_input():
    memory = kagari.tensor([2, 1, 0])
    with pytest.raises(RuntimeError, match="single memory location"):
        kagari.gather(kagari.arange(3), 0, memory[1:], out=memory[:1])
    assert memory.tolist() == [2, 1, 0]


def test_numbers_of_results():
    with pytest.raises(TypeError, match="tuple of 2"):
        kagari.sort(x(kagari), out=kagari.empty(0))
    with pytest.raises(TypeError, match="tuple of 2"):
        kagari.mode(x(kagari), out=(kagari.empty(0),))
    with pytest.raises(TypeError, match="'out' must be Tensor"):
        kagari.slice_scatter(x(kagari), x(kagari), out=3)
