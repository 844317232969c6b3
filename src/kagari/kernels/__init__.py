"""The kernel compiler: scalar arithmetic in, machine code out. It imports nothing else of kagari.

Read in this order: expr.py (scalar expressions), function.py (named ones), define.py (`@pointwise`:
how an op is defined), definitions/ and math/ (the ops), rowwise.py (what goes along a row), scalar/
(meaning, derivatives, simplification), rows.py and loops.py (what kernels there are), lowering/
(LLVM IR), then aot/ (the kernels in the wheel) and runtime.py (those compiled at first use).
"""
