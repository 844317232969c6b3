"""The build of the kernels that are in the wheel."""
