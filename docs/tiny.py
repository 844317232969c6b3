"""kagari in miniature, to be read from top to bottom; it runs: `python docs/tiny.py`.

The same parts as the real one, in the same order: an op is defined once as scalar arithmetic; from
that come its machine code and its derivative; a tensor runs ops and remembers them; an engine walks
back over what was remembered; a network learns. Where the real one lives is said at each part.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature

import llvmlite.binding as llvm
import numpy as np

# --- 1. Scalar expressions (src/kagari/kernels/expr.py) ------------------------------------------


@dataclass(frozen=True)
class Expr:
    """A node of scalar arithmetic: an operation on other nodes, a constant or an argument."""

    op: str
    args: tuple = ()

    def __add__(self, other):
        return binary("fadd", self, other)

    def __radd__(self, other):
        return binary("fadd", other, self)

    def __sub__(self, other):
        return binary("fsub", self, other)

    def __rsub__(self, other):
        return binary("fsub", other, self)

    def __mul__(self, other):
        return binary("fmul", self, other)

    def __rmul__(self, other):
        return binary("fmul", other, self)

    def __truediv__(self, other):
        return binary("fdiv", self, other)

    def __rtruediv__(self, other):
        return binary("fdiv", other, self)

    def __neg__(self):
        return 0.0 - self


def const(value) -> Expr:
    return value if isinstance(value, Expr) else Expr("const", (float(value),))


ZERO, ONE = const(0), const(1)


def binary(op: str, a, b) -> Expr:
    """A node of two operands, without the work that constants make needless."""
    a, b = const(a), const(b)
    if op == "fadd" and ZERO in (a, b):
        return b if a == ZERO else a
    if op == "fsub" and b == ZERO:
        return a
    if op == "fmul" and ZERO in (a, b):
        return ZERO
    if op in ("fmul", "fdiv") and b == ONE:
        return a
    if op == "fmul" and a == ONE:
        return b
    return Expr(op, (a, b))


def exp(x) -> Expr:
    return Expr("exp", (const(x),))


def positive(x) -> Expr:
    """1 where x > 0, else 0."""
    return Expr("positive", (const(x),))


# --- 2. Their derivatives (src/kagari/kernels/diff.py) -------------------------------------------


def diff(e: Expr, x: Expr) -> Expr:
    """de/dx, again an expression: derivatives of any order are ordinary ops."""
    if e == x:
        return ONE
    if e.op in ("const", "arg", "positive"):
        return ZERO
    a, *rest = e.args
    da = diff(a, x)
    if e.op == "exp":
        return e * da
    (b,) = rest
    db = diff(b, x)
    return {
        "fadd": lambda: da + db,
        "fsub": lambda: da - db,
        "fmul": lambda: da * b + a * db,
        "fdiv": lambda: (da - e * db) / b,
    }[e.op]()


# --- 3. Machine code (src/kagari/kernels/lowering/, runtime.py) -----------------------------------


@cache
def compiled(e: Expr, inputs: int) -> Callable:
    """The kernel `k(n, out, in0, in1, ...)` over contiguous float64 arrays."""
    lines: list[str] = []

    def emit(code: str) -> str:
        lines.append(f"%v{len(lines)} = {code}")
        return f"%v{len(lines) - 1}"

    @cache
    def value(node: Expr) -> str:
        if node.op == "const":
            return repr(node.args[0])
        if node.op == "arg":
            at = emit(f"getelementptr double, ptr %in{node.args[0]}, i64 %i")
            return emit(f"load double, ptr {at}")
        operands = ", ".join(value(a) for a in node.args)
        if node.op == "exp":
            return emit(f"call double @llvm.exp.f64(double {operands})")
        if node.op == "positive":
            return emit(f"uitofp i1 {emit(f'fcmp ogt double {operands}, 0.0')} to double")
        return emit(f"{node.op} double {operands}")

    result = value(e)
    body = "\n".join(lines)
    parameters = ", ".join(f"ptr %in{i}" for i in range(inputs))
    module = llvm.parse_assembly(f"""
declare double @llvm.exp.f64(double)
define void @k(i64 %n, ptr %out, {parameters}) {{
start:
  br label %loop
loop:
  %i = phi i64 [0, %start], [%next, %loop]
  {body}
  %at = getelementptr double, ptr %out, i64 %i
  store double {result}, ptr %at
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}}""")
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=3)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (inputs + 1))
    kernel = kind(engine.get_function_address("k"))
    kernel.keeps = engine  # the code lives as long as its engine
    return kernel


llvm.initialize_native_target()
llvm.initialize_native_asmprinter()


def launch(e: Expr, *arrays: np.ndarray) -> np.ndarray:
    """Run an expression over arrays, broadcast against each other (csrc/ops/pointwise/)."""
    arrays = [np.ascontiguousarray(a, float) for a in np.broadcast_arrays(*arrays)]
    out = np.empty_like(arrays[0])
    if out.size:
        kernel = compiled(e, len(arrays))
        kernel(out.size, out.ctypes.data, *(a.ctypes.data for a in arrays))
    return out


# --- 4. Tensors, and ops that remember (csrc/tensor, csrc/ops, csrc/autograd/record.h) -----------


class Tensor:
    """Numbers, and the op that made them: `parents` and how a gradient goes back to each."""

    def __init__(self, data, parents=(), backward=None):
        self.data = np.asarray(data, float)
        self.parents, self.backward_rule = parents, backward
        self.grad: np.ndarray | None = None

    def __matmul__(self, other):
        def backward(g):
            return g @ other.data.T, self.data.T @ g

        return Tensor(self.data @ other.data, (self, other), backward)

    def mean(self):
        def backward(g):
            return (np.full(self.data.shape, g / self.data.size),)

        return Tensor(self.data.mean(), (self,), backward)

    def backward(self):
        """Every tensor before its parents; no recursion, so depth does not matter."""
        uses: dict[Tensor, int] = {}
        stack = [self]
        while stack:
            for parent in stack.pop().parents:
                if parent not in uses:
                    stack.append(parent)
                uses[parent] = uses.get(parent, 0) + 1
        self.grad = np.ones_like(self.data)
        ready = [self]
        while ready:
            tensor = ready.pop()
            if not tensor.parents:
                continue
            grads = tensor.backward_rule(tensor.grad)
            for parent, grad in zip(tensor.parents, grads, strict=True):
                grad = summed_to(grad, parent.data.shape)
                parent.grad = grad if parent.grad is None else parent.grad + grad
                uses[parent] -= 1
                if uses[parent] == 0:
                    ready.append(parent)


def summed_to(grad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of a broadcast: summed over what was repeated."""
    grad = grad.sum(tuple(range(grad.ndim - len(shape))))
    return grad.sum(tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def pointwise(definition: Callable) -> Callable:
    """An op from its scalar definition: its kernel, and one for the gradient of each argument."""
    count = len(signature(definition).parameters)
    arguments = [Expr("arg", (i,)) for i in range(count)]
    forward = definition(*arguments)
    incoming = Expr("arg", (count,))
    gradients = [incoming * diff(forward, x) for x in arguments]

    def op(*tensors):
        tensors = [t if isinstance(t, Tensor) else Tensor(t) for t in tensors]
        arrays = [t.data for t in tensors]

        def backward(g):
            return [launch(e, *arrays, g) for e in gradients]

        return Tensor(launch(forward, *arrays), tuple(tensors), backward)

    return op


# --- 5. Ops: a definition each (src/kagari/kernels/definitions) ----------------------------------


@pointwise
def add(a, b):
    return a + b


@pointwise
def silu(x):
    return x / (1.0 + exp(-x))


@pointwise
def squared_error(x, target):
    return (x - target) * (x - target)


@pointwise
def relu(x):
    return x * positive(x)


# --- 6. A network learns (src/kagari/nn, src/kagari/optim) ---------------------------------------


def train(steps: int = 1500) -> float:
    """Learn which of two quadrants a point is in; the share that the network gets right."""
    random = np.random.default_rng(0)
    x = random.standard_normal((256, 2))
    y = np.sign(x[:, :1] * x[:, 1:])
    w1, b1 = Tensor(random.standard_normal((2, 16))), Tensor(np.zeros((1, 16)))
    w2, b2 = Tensor(random.standard_normal((16, 1)) / 4), Tensor(np.zeros((1, 1)))

    def model(points) -> Tensor:
        hidden = silu(add(Tensor(points) @ w1, b1))  # (256, 16)
        return add(hidden @ w2, b2)  # (256, 1)

    for _ in range(steps):
        loss = squared_error(model(x), y).mean()
        loss.backward()
        for parameter in (w1, b1, w2, b2):
            parameter.data = parameter.data - 0.1 * parameter.grad
            parameter.grad = None
    return float(np.mean(np.sign(model(x).data) == y))


if __name__ == "__main__":
    print(f"the network gets {train():.1%} right")
