"""autograd.functional beside PyTorch: values, and the same error for the same mistake."""

import re
from typing import Any

import pytest
import torch

import kagari
from tests.autograd.beside import same, same_error

VALUES = [
    "A.vjp(lambda x:x.sum(),x)",
    "A.vjp(lambda x,y:x.sum(),(x,x))",
    "A.vjp(lambda x:t.ones(()),x)",
    "A.jvp(lambda x:x.sum()*2,x[:1])",
    "A.jvp(lambda x:x**2,x,t.ones(2))",
    "A.jvp(lambda x:t.ones(2),x,t.ones(2))",
    "A.jvp(lambda x:x**2,x,t.ones(2),strict=True,create_graph=True)[1]",
    "A.jvp(lambda x,y:x**2*y**3,(x,x),(x,x),strict=True,create_graph=True)[1]",
    "A.hvp(lambda x:x.sum(),x,t.ones(2))",
    "A.hvp(lambda x,y:(x.pow(3)*y.exp()).sum(),(x,x),(x,x))",
    "A.vhp(lambda x,y:(x.pow(3)*y.exp()).sum(),(x,x),(x,x))",
    "A.hessian(lambda x:(x).sum(),x)",
    "A.jacobian(lambda x:t.ones(2),x)",
    "A.jacobian(lambda x,y:x*2,(x,x))",
    "A.jacobian(lambda x:x*2,(x,),create_graph=True)",
    "A.jacobian(lambda x:(x*2,),x)",
    "A.jacobian(lambda x,y:(x*y,y.sum()),(x,x),vectorize=True)",
    "A.hessian(lambda x,y:(x*y*y).sum(),(x,x),vectorize=True)",
    "A.hessian(lambda x,y:(x*y*y).sum(),(x,x))",
]

ERRORS = [
    "A.vjp(lambda x:x*2,x)",
    "A.vjp(lambda x:x*2,x,t.ones(3))",
    "A.vjp(lambda x:x*2,x,(x,x))",
    "A.vjp(lambda x:(x,x),x,(x,))",
    "A.vjp(lambda x:1,x)",
    "A.vjp(lambda x:x,1)",
    "A.vjp(lambda x,y:x,(1,x))",
    "A.vjp(lambda x,y:x.sum(),(x,x),strict=True)",
    "A.vjp(lambda x:t.ones(()),x,strict=True)",
    "A.vjp(lambda x:x.sum(),x,create_graph=True,strict=True)",
    "A.jvp(lambda x:x.sum(),x)",
    "A.jvp(lambda x:x*2,x,t.ones(3))",
    "A.jvp(lambda x:t.ones(2),x,t.ones(2),strict=True)",
    "A.jvp(lambda x:x*2,x,t.ones(2),strict=True,create_graph=True)",
    "A.hvp(lambda x:x*2,x,t.ones(2))",
    "A.hvp(lambda x:x.sum(),x,t.ones(2),strict=True)",
    "A.hvp(lambda x:x.sum(),x)",
    "A.hvp(lambda x:(x.pow(3)).sum(),x,t.ones(3))",
    "A.vhp(lambda x:x.sum(),x,t.ones(2),strict=True)",
    "A.vhp(lambda x:x**3,x,t.ones(2),strict=True)",
    "A.vhp(lambda x:(x.sum(),1),x,t.ones(2),strict=True)",
    "A.vhp(lambda x:(x.sum(),x.sum()),x,t.ones(2),strict=True)",
    "A.hessian(lambda x:x**2,x)",
    "A.hessian(lambda x:1,x)",
    "A.hessian(lambda x:(x.sum(),x.sum()),x)",
    "A.hessian(lambda x:(x**2).sum(),x,strict=True,vectorize=True)",
    "A.hessian(lambda x:(x**2).sum(),x,outer_jacobian_strategy='forward-mode')",
    "A.hessian(lambda x:(x).sum(),x,strict=True)",
    "A.hessian(lambda x:(x**2).sum(),x,outer_jacobian_strategy='x')",
    "A.jacobian(lambda x:x**2,x,strategy='x')",
    "A.jacobian(lambda x:x**2,x,strategy='forward-mode')",
    "A.jacobian(lambda x:x**2,x,strategy='forward-mode',vectorize=True,create_graph=True)",
    "A.jacobian(lambda x:x**2,x,strategy='forward-mode',vectorize=True,strict=True)",
    "A.jacobian(lambda x:x**2,x,vectorize=True,strict=True)",
    "A.jacobian(lambda x:t.ones(2),x,strict=True)",
    "A.jacobian(lambda x,y:x*2,(x,x),strict=True)",
    "A.jacobian(lambda x:x*2,x,create_graph=True,strict=True)",
    "A.jacobian(lambda x:[x*2],[x])",
    "A.jacobian(lambda x:1,x)",
]


def run(expression: str, t: Any) -> Any:
    return eval(expression, {"t": t, "A": t.autograd.functional, "x": t.tensor([1.0, 2.0])})


@pytest.mark.parametrize("expression", VALUES)
def test_values(expression):
    same(lambda t: run(expression, t))


@pytest.mark.parametrize("expression", ERRORS)
def test_errors_and_their_words(expression):
    ours = same_error(lambda t: run(expression, t))
    with pytest.raises(Exception) as theirs:
        run(expression, torch)
    words = set(re.findall("[a-zA-Z_]{4,}", str(theirs.value))) - {"torch", "isonly"}
    assert words - set(re.findall("[a-zA-Z_]{4,}", ours)) <= {"Size"}


def test_create_graph_keeps_the_history_of_the_inputs():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        jacobian = t.autograd.functional.jacobian(lambda x: x**3, x, create_graph=True)
        return t.autograd.grad(jacobian.sum(), x)

    same(program)


def test_results_have_no_history_without_create_graph():
    x = kagari.tensor([1.0, 2.0], requires_grad=True)
    value, product = kagari.autograd.functional.vjp(lambda x: (x**3).sum(), x)
    assert not value.requires_grad and not product.requires_grad


def test_a_wrong_jacobian_would_be_seen():
    with pytest.raises(AssertionError):
        same(
            lambda t: (
                t.autograd.functional.jacobian(lambda x: x**2, t.ones(2)) * (1 + (t is kagari))
            )
        )
