"""gradcheck finds wrong derivatives of every kind and passes right ones, as PyTorch's does."""

import warnings

import pytest
import torch

import kagari
from kagari.autograd import GradcheckError, gradcheck, gradgradcheck
from tests.autograd.beside import same_error

EVERYTHING = {
    "check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True,
    "check_grad_dtypes": True,
}  # fmt: skip
SECOND = {"check_fwd_over_rev": True, "check_batched_grad": True, "check_grad_dtypes": True}


def double(*values):
    return kagari.tensor(values, dtype=kagari.float64, requires_grad=True)


def points():
    z = kagari.tensor([0.3 + 0.5j, -1 + 0.2j], dtype=kagari.complex128, requires_grad=True)
    return double(0.3, -0.8), double(1.5, 2.5), z


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_right_derivatives_pass(check, fast):
    x, y, z = points()
    every = EVERYTHING if check is gradcheck else SECOND
    assert check(lambda a, b: ((a * b).sin() / b, a.exp()), (x, y), fast_mode=fast, **every)
    assert check(lambda z: z.exp() * z.conj(), (z,), fast_mode=fast, **every)
    assert check(lambda z: z.abs(), (z,), fast_mode=fast, **every)
    assert check(lambda x, n: x**n, (x, 3), fast_mode=fast, **every)
    assert check(lambda x: x.reshape(2, 1) * x, x, fast_mode=fast, **every)


def test_gradients_to_start_from():
    x = double(0.3, -0.8)
    assert gradgradcheck(lambda x: x * 2, (x,), (kagari.ones(2, dtype=kagari.float64),))
    assert gradgradcheck(lambda x: x.sin(), (x,), gen_non_contig_grad_outputs=True)


def functions(t):
    """Derivatives that are wrong, one way each, with the library `t`."""

    class Base(t.autograd.Function):
        generate_vmap_rule = False

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return 3 * ctx.saved_tensors[0] ** 2 * grad

        @staticmethod
        def jvp(ctx, tangent):
            return 3 * ctx.saved_tensors[0] ** 2 * tangent

    class WrongBackward(Base):
        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    class WrongForward(Base):
        @staticmethod
        def jvp(ctx, tangent):
            return tangent * 5

    class Second(Base):
        @staticmethod
        def backward(ctx, grad):
            return 3 * ctx.saved_tensors[0].detach() ** 2 * grad

    class Reads(Base):
        @staticmethod
        def backward(ctx, grad):
            assert grad.sum().item() is not None
            return 3 * ctx.saved_tensors[0] ** 2 * grad

    class Changing(Base):
        times = 0

        @classmethod
        def more(cls):
            cls.times += 1
            return cls.times * 1e-9

        @staticmethod
        def backward(ctx, grad):
            return (3 * ctx.saved_tensors[0] ** 2 + Changing.more()) * grad

    class Adding(Base):
        @staticmethod
        def backward(ctx, grad):
            return 3 * ctx.saved_tensors[0] ** 2 * grad + 1e-7

    class Undefined(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            if first is None and second is None:
                return None
            if second is None:
                return first * 2 + (not first.any())
            return second * 3 if first is None else first * 2 + second * 3

    return locals()


def run(t, name, check="gradcheck", **options):
    x = t.tensor([0.7, 2.0], dtype=t.float64, requires_grad=True)
    return getattr(t.autograd, check)(functions(t)[name].apply, (x,), **options)


FAILURES = {
    "backward": ("WrongBackward", "Jacobian mismatch for output 0 with respect to input 0", {}),
    "backward, fast": ("WrongBackward", "Jacobian mismatch for output 0", {"fast_mode": True}),
    "forward": ("WrongForward", "Jacobian computed with forward mode mismatch for output 0",
                {"check_forward_ad": True}),
    "forward, fast": ("WrongForward", "Jacobian computed with forward mode mismatch for output 0",
                      {"check_forward_ad": True, "fast_mode": True}),
    "forward alone": ("WrongForward", "Jacobian computed with forward mode mismatch for output 0",
                      {"check_forward_ad": True, "check_backward_ad": False}),
    "reads values": ("Reads", "failed while testing batched gradient computation",
                     {"check_batched_grad": True}),
    "changes": ("Changing", "Backward is not reentrant", {}),
    "adds": ("Adding", "backward not multiplied by grad_output", {}),
    "undefined": ("Undefined", "Expected all input grads to be undefined or zero", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_failures_are_found_as_by_pytorch(name):
    function, said, options = FAILURES[name]
    for t in (kagari, torch):
        with pytest.raises(t.autograd.gradcheck.__globals__["GradcheckError"], match=said):
            run(t, function, **options)
        assert not run(t, function, raise_exception=False, **options)
    assert run(kagari, "WrongForward") and run(kagari, "Reads")


def test_second_derivatives_that_are_wrong():
    with pytest.raises(GradcheckError, match="Jacobian mismatch|no history"):
        run(kagari, "Second", "gradgradcheck")
    with pytest.raises(GradcheckError, match="forward mode mismatch"):
        run(kagari, "Second", "gradgradcheck", check_rev_over_rev=False,
            check_undefined_grad=False, check_fwd_over_rev=True)  # fmt: skip


def test_what_changes_may_be_tolerated():
    assert run(kagari, "Changing", nondet_tol=1e-3)


def test_complex_parts_are_named():
    z = points()[2]
    with pytest.raises(GradcheckError, match="imaginary part of complex outputs only"):
        gradcheck(functions(kagari)["WrongBackward"].apply, (z,))
    with pytest.raises(GradcheckError, match="real part of complex inputs only"):
        gradcheck(functions(kagari)["WrongForward"].apply, (z,), check_forward_ad=True)


def test_the_gradient_of_a_constant_is_checked():
    for fast in (False, True):
        with pytest.raises(GradcheckError, match="expected to be zero"):
            gradcheck(lambda x: x.detach() * 2, (double(1.0, 2.0),), fast_mode=fast)
        assert gradcheck(lambda x: kagari.ones(2, dtype=kagari.float64), (double(1.0),))


def ones(t):
    return t.ones(2, dtype=t.float64, requires_grad=True)


ERRORS = {
    "no check": lambda t, g, gg: g(t.sin, (ones(t),), check_backward_ad=False),
    "batched without backward": lambda t, g, gg: g(
        t.sin, (ones(t),), check_backward_ad=False, check_forward_ad=True, check_batched_grad=True
    ),
    "batched without forward": lambda t, g, gg: g(
        t.sin, (ones(t),), check_batched_forward_grad=True
    ),
    "no second check": lambda t, g, gg: gg(t.sin, (ones(t),), check_rev_over_rev=False),
    "undefined without reverse": lambda t, g, gg: gg(
        t.sin, (ones(t),), check_rev_over_rev=False, check_fwd_over_rev=True
    ),
    "nothing to differentiate": lambda t, g, gg: g(t.sin, (t.ones(2, dtype=t.float64),)),
    "overlapping": lambda t, g, gg: g(
        t.sin, (t.ones(1, dtype=t.float64).expand(3).detach().requires_grad_(),)
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    messages = []

    def program(t):
        try:
            ERRORS[name](t, t.autograd.gradcheck, t.autograd.gradgradcheck)
        except Exception as error:
            messages.append(str(error))
            raise

    same_error(program)
    assert messages[0] == messages[1]


def test_single_precision_is_warned_of():
    x = kagari.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double"):
        assert not gradcheck(lambda x: x.exp(), (x,), raise_exception=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(lambda x, y: x * y, (x.double().detach().requires_grad_(), x.detach()))
