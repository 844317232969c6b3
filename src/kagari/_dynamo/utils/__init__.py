"""What libraries ask PyTorch's compiler front end."""


def is_compile_supported(device_type: str) -> bool:
    """Can functions be compiled for such a device? No.

    >>> is_compile_supported("cpu")
    False
    """
    return False
