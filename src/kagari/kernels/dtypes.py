"""The element types, by short code ("f32"). What an operation does with them is left to expr.py."""

BOOL = "bool"
SIGNED = ("i8", "i16", "i32", "i64")
UNSIGNED = ("u8", "u16", "u32", "u64")
INTEGRAL = ("u8", "i8", "i16", "i32", "i64", "u16", "u32", "u64")
HALF = ("f16", "bf16")
FLOATING = ("f16", "bf16", "f32", "f64")
COMPLEX = ("c64", "c128")

ALL = ("bool", "u8", "i8", "i16", "i32", "i64", "u16", "u32", "u64") + FLOATING + COMPLEX
# The numbering of DType in csrc/tensor/dtype.h. c32 has no kernels: the core computes it in c64.
NUMBERING = ALL[: -len(COMPLEX)] + ("c32",) + COMPLEX

SIZE = {
    "bool": 1, "u8": 1, "i8": 1, "i16": 2, "u16": 2, "f16": 2, "bf16": 2, "i32": 4, "u32": 4,
    "f32": 4, "i64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16,
}  # fmt: skip

NUMPY = {
    "bool": "bool", "u8": "uint8", "i8": "int8", "i16": "int16", "u16": "uint16", "i32": "int32",
    "u32": "uint32", "i64": "int64", "u64": "uint64", "f16": "float16", "f32": "float32",
    "f64": "float64", "c64": "complex64", "c128": "complex128",
}  # fmt: skip

GROUPS = {
    "all": ALL,
    "bool": (BOOL,),
    "integral": INTEGRAL,
    "signed": SIGNED,
    "floating": FLOATING,
    "complex": COMPLEX,
    "real": (BOOL, *INTEGRAL, *FLOATING),
}

_REAL = {"c64": "f32", "c128": "f64"}
_COMPLEX = {"f32": "c64", "f64": "c128"}


def is_complex(dtype: str) -> bool:
    return dtype in COMPLEX


def is_floating(dtype: str) -> bool:
    return dtype in FLOATING


def is_integral(dtype: str) -> bool:
    """An integer; bool is none."""
    return dtype in INTEGRAL


def is_unsigned(dtype: str) -> bool:
    return dtype in UNSIGNED or dtype == BOOL


def real_of(dtype: str) -> str:
    """f32 for c64, f64 for c128, itself otherwise."""
    return _REAL.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    return _COMPLEX.get(dtype, dtype)


def compute_of(dtype: str) -> str:
    """What a value stored as `dtype` is computed in: f32 for the half types, itself otherwise."""
    return "f32" if dtype in HALF else dtype


def bits(dtype: str) -> int:
    return 8 * SIZE[dtype]


def signed_bits_of(dtype: str) -> str:
    """The signed integer as wide as `dtype`: i32 for f32."""
    return f"i{bits(dtype)}"


def select(names: str) -> tuple[str, ...]:
    """The dtypes named by groups and codes, in numbering order: "floating c64"."""
    chosen: set[str] = set()
    for name in names.split():
        chosen.update(GROUPS.get(name, (name,)))
    unknown = chosen - set(ALL)
    if unknown:
        raise ValueError(f"unknown dtypes {sorted(unknown)}; known: {ALL} and {tuple(GROUPS)}")
    return tuple(d for d in ALL if d in chosen)
