"""The kernel compiler: scalar arithmetic in, machine code out. It imports nothing else of kagari.

Read in this order: expr.py (scalar expressions), diff.py (their derivatives), define.py
(`@pointwise`: how an op is defined), definitions/ (the ops), loops.py (loops around expressions),
lower.py (LLVM IR), then aot.py (the kernels in the wheel) and runtime.py (those compiled at first
use).
"""
