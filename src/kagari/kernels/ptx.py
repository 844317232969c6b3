"""Pointwise loop programs as PTX kernels: a grid-stride loop, one value per thread and step.

The parameters are n, then a pointer and a byte stride for each operand, outputs first. As on CPUs,
a half operand with stride 1 is one value in f32. Launching is left to the CUDA runtime.
"""

from . import dtypes
from . import expr as e
from .emit import Emitter
from .loops import Pointwise
from .lower import Function, leaves
from .pairs import split
from .targets import TARGETS, assembly, module_text

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
        self.write("entry:")
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
        self.body()
        self.write(
            "br label %next",
            "next:",
            "%i.next = add i64 %i, %step",
            "%more = icmp slt i64 %i.next, %n",
            "br i1 %more, label %loop, label %exit",
            "exit:",
            "ret void",
        )
        count = len(self.program.operands)
        parameters = ["i64 %n", *(f"ptr %p{k}, i64 %t{k}" for k in range(count))]
        head = f"define ptx_kernel void @{self.symbol}({', '.join(parameters)}) #0 {{"
        return Function("\n".join([head, *self.lines, "}"]), self.declarations)

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


def lower(program: Pointwise, symbol: str) -> Function:
    return _Lowering(program, symbol).function()


def ptx_of(program: Pointwise, symbol: str = "kernel") -> str:
    """PTX text with one entry."""
    function = lower(program, symbol)
    ir = module_text(TARGETS["ptx"], [function.text], function.declarations)
    return assembly(ir, TARGETS["ptx"])
