"""Loop programs as PTX kernels: a grid-stride loop, one value or one row per thread and step.

The parameters of a pointwise kernel are n, then a pointer and a byte stride for each operand,
outputs first; as on CPUs, a half operand with stride 1 is one value in f32. Those of a row program
are the rows, the size of a row, then for each operand a pointer and its strides from row to row and
along the row. Launching is left to the CUDA runtime.
"""

from collections.abc import Callable

from .. import dtypes
from .. import expr as e
from ..loops import Pointwise
from ..rowwise import Row
from ..scalar.pairs import split
from ..targets import TARGETS, assembly, module_text
from . import sweep
from .emit import Emitter
from .pointwise import Function, leaves

_INDEX = ("tid", "ntid", "ctaid", "nctaid")


class _Lowering:
    def __init__(self, program: Pointwise, symbol: str):
        self.program = program
        self.symbol = symbol
        self.results = split(list(program.results))
        self.lines: list[str] = []
        self.declarations = {f"declare i32 @llvm.nvvm.read.ptx.sreg.{r}.x()" for r in _INDEX}
        self.emitter = Emitter(self.lines, self.declarations)

    def write(self, *lines: str) -> None:
        self.lines += [line if line.endswith(":") else f"  {line}" for line in lines]

    def function(self) -> Function:
        count = len(self.program.operands)
        parameters = ["i64 %n", *(f"ptr %p{k}, i64 %t{k}" for k in range(count))]
        return Function(self.grid(parameters, [], self.body), self.declarations)

    def grid(self, parameters: list[str], head: list[str], body: Callable[[], None]) -> str:
        """The kernel's text: `body` writes what one thread does for its next %i below %n."""
        self.write("entry:")
        self.lines += head
        for r in _INDEX:
            self.write(
                f"%{r} = call i32 @llvm.nvvm.read.ptx.sreg.{r}.x()",
                f"%{r}.wide = zext i32 %{r} to i64",
            )
        self.write(
            "%base = mul i64 %ctaid.wide, %ntid.wide",
            "%first = add i64 %base, %tid.wide",
            "%step = mul i64 %nctaid.wide, %ntid.wide",
            "%some = icmp slt i64 %first, %n",
            "br i1 %some, label %loop, label %exit",
            "loop:",
            "%i = phi i64 [ %first, %entry ], [ %i.next, %next ]",
        )
        body()
        self.write(
            "br label %next",
            "next:",
            "%i.next = add i64 %i, %step",
            "%more = icmp slt i64 %i.next, %n",
            "br i1 %more, label %loop, label %exit",
            "exit:",
            "ret void",
        )
        start = f"define ptx_kernel void @{self.symbol}({', '.join(parameters)}) #0 {{"
        return "\n".join([start, *self.lines, "}"])

    def body(self) -> None:
        put, outputs = self.emitter, len(self.program.outputs)
        values: dict[e.Expr, str] = {}
        for k, operand in enumerate(self.program.operands):
            half = k >= outputs and operand.dtype in dtypes.HALF
            stride = f"%t{k}"
            if half:
                self.write(
                    f"%h{k} = icmp eq i64 %t{k}, 1", f"%s{k} = select i1 %h{k}, i64 0, i64 %t{k}"
                )
                stride = f"%s{k}"
            self.write(
                f"%o{k} = mul i64 %i, {stride}", f"%a{k} = getelementptr i8, ptr %p{k}, i64 %o{k}"
            )
            if k >= outputs:
                loaded = put.load(operand.dtype, f"%a{k}", 1)
                if half:
                    loaded = [self.or_float(k, loaded[0])]
                values.update(zip(leaves(operand), loaded, strict=True))
        names = put.emit([part for parts in self.results for part in parts], values, 1)
        for k, parts in enumerate(self.results):
            mine, names = names[: len(parts)], names[len(parts) :]
            put.store(self.program.outputs[k].dtype, mine, f"%a{k}", 1)

    def or_float(self, k: int, loaded: str) -> str:
        """The f32 value at the pointer, where the stride says that there is one."""
        before = f"half{k}"
        self.write(
            f"br label %{before}",
            f"{before}:",
            f"br i1 %h{k}, label %{before}.one, label %{before}.end",
            f"{before}.one:",
            f"%x{k} = load float, ptr %p{k}",
            f"br label %{before}.end",
            f"{before}.end:",
        )
        return self.emitter.put(f"phi float [ {loaded}, %{before} ], [ %x{k}, %{before}.one ]")


def lower_rows(program: Row, symbol: str) -> Function:
    """A row program, one thread per row: the function for one row, and a kernel that calls it."""
    body = sweep.lower(program, TARGETS["ptx"], f"{symbol}_row")
    count = len(program.operands)
    code = _Lowering(Pointwise((), (), ()), symbol)
    code.declarations |= body.declarations
    parameters = ["i64 %n", "i64 %m"]
    head = [f"  %data = alloca [{count} x ptr]", f"  %strides = alloca [{2 * count + 1} x i64]"]
    head.append("  store i64 %m, ptr %strides")
    for k in range(count):
        parameters.append(f"ptr %p{k}, i64 %o{k}, i64 %s{k}")
        for place, name in ((2 * k + 1, "o"), (2 * k + 2, "s")):
            head += [
                f"  %{name}p{k} = getelementptr i64, ptr %strides, i64 {place}",
                f"  store i64 %{name}{k}, ptr %{name}p{k}",
            ]

    def one_row() -> None:
        for k, operand in enumerate(program.operands):
            moves = operand.kind in ("element", "row")
            code.write(
                f"%d{k} = mul i64 %i, {f'%o{k}' if moves else 0}",
                f"%a{k} = getelementptr i8, ptr %p{k}, i64 %d{k}",
                f"%dp{k} = getelementptr ptr, ptr %data, i64 {k}",
                f"store ptr %a{k}, ptr %dp{k}",
            )
        code.write(f"call void @{symbol}_row(i64 1, ptr %data, ptr %strides)")

    text = code.grid(parameters, head, one_row)
    return Function(body.text + "\n" + text, code.declarations)


def lower(program: Pointwise | Row, symbol: str) -> Function:
    """Any loop program as a kernel named `symbol`."""
    if isinstance(program, Row):
        return lower_rows(program, symbol)
    return _Lowering(program, symbol).function()


def ptx_of(program: Pointwise | Row, symbol: str = "kernel") -> str:
    """PTX text with one entry."""
    function = lower(program, symbol)
    ir = module_text(TARGETS["ptx"], [function.text], function.declarations)
    return assembly(ir, TARGETS["ptx"])
