"""From loop programs to LLVM IR: expressions, pointwise loops, rows, PTX."""
