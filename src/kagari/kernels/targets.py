"""The machines that kernels are made for, and LLVM's optimiser and code generator for them.

This is the only file besides runtime.py that imports llvmlite, and it does so when first asked.
"""

import functools
from dataclasses import dataclass

LINUX = "x86_64-unknown-linux-gnu"


@dataclass(frozen=True)
class Target:
    """`register` is the vector register's size in bytes (0: no vectors, one thread per value)."""

    name: str
    triple: str
    cpu: str
    features: str
    register: int
    halves: bool  # has instructions that convert float16
    fused: bool  # has a fused multiply-add

    def lanes(self, size: int) -> int:
        """How many values of `size` bytes fill a register."""
        return max(1, self.register // size)

    @property
    def attributes(self) -> str:
        """Attributes of every function."""
        found = "nounwind"
        if self.register:
            found += f' "prefer-vector-width"="{self.register * 8}" "no-builtins"'
        return found


TARGETS = {
    t.name: t
    for t in (
        Target("v2", LINUX, "x86-64-v2", "", 16, False, False),
        Target("v3", LINUX, "x86-64-v3", "", 32, True, True),
        Target("v4", LINUX, "x86-64-v4", "", 64, True, True),
        Target("neon", "aarch64-unknown-linux-gnu", "generic", "+neon,+fp-armv8", 16, True, True),
        Target("ptx", "nvptx64-nvidia-cuda", "sm_70", "+ptx70", 0, True, True),
    )
}


@functools.cache
def _binding():
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm


def machine(target: Target, jit: bool = False):
    """A target machine of its own: an engine takes it over, so none is shared."""
    llvm = _binding()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="pic", jit=jit,
        codemodel="jitdefault" if jit else "default",
    )  # fmt: skip


def parse(ir: str):
    """A verified module: a wrong intrinsic signature would crash the code generator."""
    llvm = _binding()
    module = llvm.parse_assembly(ir)
    module.verify()
    return module


def module_text(target: Target, functions: list[str], declarations: set[str]) -> str:
    """A module of function texts; their attribute group is #0."""
    head = [f'target triple = "{target.triple}"']
    tail = [*sorted(declarations), f"attributes #0 = {{ {target.attributes} }}"]
    return "\n".join([*head, *functions, *tail]) + "\n"


def optimize(module, machine) -> None:
    """The IR is emitted folded and vectorised; what is left is sharing and addressing."""
    llvm = _binding()
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    passes = llvm.create_new_function_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_new_gvn_pass()
    passes.add_simplify_cfg_pass()
    builder = llvm.create_pass_builder(machine, options)
    for function in module.functions:
        if not function.is_declaration:
            passes.run(function, builder)


def object_code(ir: str, target: Target, optimized: bool = True) -> bytes:
    module, made = parse(ir), machine(target)
    module.data_layout = str(made.target_data)
    if optimized:
        optimize(module, made)
    return made.emit_object(module)


def assembly(ir: str, target: Target) -> str:
    """Assembly text; PTX for the ptx target."""
    module, made = parse(ir), machine(target)
    module.data_layout = str(made.target_data)
    optimize(module, made)
    return made.emit_assembly(module)


def host_features() -> dict[str, bool]:
    return dict(_binding().get_host_cpu_features())


def engine_of(code: bytes, target: Target):
    """An engine of its own with this object code loaded."""
    llvm = _binding()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine(target, jit=True))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine
