"""The names under which PyTorch's files know dtypes and storages. Files written here use the same
names, so that torch.load reads them."""

import kagari

# What PyTorch calls a storage of each dtype. A dtype without one is stored as raw bytes and named
# beside the tensor (`_rebuild_tensor_v3`).
STORAGE_OF = {
    kagari.float64: "DoubleStorage",
    kagari.float32: "FloatStorage",
    kagari.float16: "HalfStorage",
    kagari.bfloat16: "BFloat16Storage",
    kagari.int64: "LongStorage",
    kagari.int32: "IntStorage",
    kagari.int16: "ShortStorage",
    kagari.int8: "CharStorage",
    kagari.uint8: "ByteStorage",
    kagari.bool: "BoolStorage",
    kagari.complex64: "ComplexFloatStorage",
    kagari.complex128: "ComplexDoubleStorage",
}
DTYPE_OF_STORAGE = {name: dtype for dtype, name in STORAGE_OF.items()}

DTYPE_NAMES = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
    "uint16", "uint32", "uint64", "bool", "complex32", "complex64", "complex128",
)  # fmt: skip
DTYPES = {name: getattr(kagari, name) for name in DTYPE_NAMES}
NAME_OF_DTYPE = {dtype: name for name, dtype in DTYPES.items()}

# Older names of dtypes that files may use.
DTYPES |= {
    "double": kagari.float64,
    "float": kagari.float32,
    "half": kagari.float16,
    "long": kagari.int64,
    "int": kagari.int32,
    "short": kagari.int16,
    "chalf": kagari.complex32,
    "cfloat": kagari.complex64,
    "cdouble": kagari.complex128,
}
