"""Fourier transforms of windows of a signal: stft and its inverse, istft."""

from typing import Any

import kagari
from kagari import Tensor


def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect",
    normalized: bool = False, onesided: bool | None = None, return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The Fourier transforms of overlapping frames of a signal (L) or (B, L): (B, N, T), T frames.

    Args:
        n_fft: the length of a frame.
        hop_length: from one frame to the next; a quarter of `n_fft` by default.
        win_length, window: the frame's weights, (win_length), centred in it; ones by default.
        center: whether frame t is centred at t * hop_length, for which the signal is padded.
        normalized: divide by sqrt(n_fft).
        onesided: only the first n_fft // 2 + 1 frequencies; the default for real signals.
        return_complex: for real signals to be said; False gives (B, N, T, 2).
        align_to_window: without `center`, begin at the first sample under the window.

    RuntimeError for arguments that do not fit.

    >>> kagari.stft(kagari.ones(8), 4, return_complex=True).shape
    torch.Size([3, 9])
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    complex_result = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None and not complex_result:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs; use "
            "return_complex=True"
        )
    if center and align_to_window:
        raise RuntimeError("stft: align_to_window should only be set when center = false")
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            f"stft: expected a tensor of floating point or complex values, got {input.dtype}"
        )
    if input.dim() not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, got {input.dim()}D")
    _check_window("stft", n_fft, length, window)
    if hop <= 0:
        raise RuntimeError(f"stft: expected hop_length > 0, but got hop_length={hop}")
    signal = input if input.dim() == 2 else input.unsqueeze(0)
    weights = _centred(window, length, n_fft, signal)
    pad = n_fft // 2 if center else (n_fft - length) // 2 if align_to_window else 0
    if pad:
        mode = pad_mode if center else "constant"
        signal = kagari.nn.functional.pad(signal.unsqueeze(1), [pad, pad], mode).squeeze(1)
    if not 0 < n_fft <= signal.shape[1]:
        raise RuntimeError(f"stft: expected 0 < n_fft < {signal.shape[1]}, but got n_fft={n_fft}")
    frames = signal.unfold(1, n_fft, hop)
    frames = frames if weights is None else frames * weights
    norm = "ortho" if normalized else "backward"
    if frames.is_complex():
        if onesided:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        result = kagari.fft.fft(frames, norm=norm)
    elif onesided is False:
        result = kagari.fft.fft(frames, norm=norm)
    else:
        result = kagari.fft.rfft(frames, norm=norm)
    result = result.transpose(1, 2)
    result = result if input.dim() == 2 else result.squeeze(0)
    if return_complex is False:
        return kagari.view_as_real(result.contiguous())
    return result


def _check_window(op: str, n_fft: int, length: int, window: Tensor | None) -> None:
    if not 0 < length <= n_fft:
        raise RuntimeError(
            f"{op}: expected 0 < win_length <= n_fft, but got win_length={length}, n_fft={n_fft}"
        )
    if window is not None and tuple(window.shape) != (length,):
        raise RuntimeError(
            f"{op}: expected a 1D window tensor of size equal to win_length={length}, but got "
            f"window with size {tuple(window.shape)}"
        )


def _centred(window: Tensor | None, length: int, n_fft: int, like: Tensor) -> Tensor | None:
    """The window with zeros around it up to the length of a frame; None for ones."""
    if length == n_fft:
        return window
    if window is None:
        real = like.real.dtype if like.is_complex() else like.dtype
        window = kagari.ones(length, dtype=real, device=like.device)
    left = (n_fft - length) // 2
    return kagari.nn.functional.pad(window, [left, n_fft - length - left])


def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False,
    onesided: bool | None = None, length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal (L) or (B, L) of which `input`, (N, T) or (B, N, T), is the `stft`.

    Frames are added where they overlap and divided by the sum of the squared windows (the least
    squares estimate of Griffin and Lim, 1984), which must not be zero.

    Args:
        length: of the result; what the frames cover by default.
        return_complex: for a signal that is not real.
        The others are those of `stft`.

    >>> spectrum = kagari.stft(kagari.arange(8.0), 4, return_complex=True)
    >>> kagari.istft(spectrum, 4).round()
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    onesided = _check_spectrum(input, n_fft, hop, width, window, onesided)
    frames = (input if input.dim() == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else "backward"
    if return_complex:
        if onesided:
            raise RuntimeError("Cannot have onesided output if window or input is complex")
        pieces = kagari.fft.ifft(frames, norm=norm)
    else:
        if window is not None and window.is_complex():
            raise RuntimeError("Complex windows are incompatible with return_complex=False")
        half = frames if onesided else frames[..., : n_fft // 2 + 1]
        pieces = kagari.fft.irfft(half, n_fft, norm=norm)
    weights = _centred(window, width, n_fft, pieces)
    if weights is None:
        real = pieces.real.dtype if pieces.is_complex() else pieces.dtype
        weights = kagari.ones(n_fft, dtype=real, device=pieces.device)
    signal = _cut(pieces * weights, weights.square(), hop, center, length)
    return signal if input.dim() == 3 else signal.squeeze(0)


def _check_spectrum(
    input: Tensor, n_fft: int, hop: int, width: int, window: Tensor | None, onesided: Any
) -> bool:
    """The arguments of istft; whether the spectrum is one half."""
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True."
        )
    if input.numel() == 0:
        raise RuntimeError("istft: input tensor cannot be empty.")
    if input.dim() not in (2, 3):
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions, got {input.dim()}")
    onesided = input.shape[-2] != n_fft if onesided is None else onesided
    bins = n_fft // 2 + 1 if onesided else n_fft
    if input.shape[-2] != bins:
        raise RuntimeError(
            "istft: expected the frequency dimension (2nd to the last) of the input tensor to be "
            f"{bins} for n_fft={n_fft} and onesided={onesided}, but got {input.shape[-2]}"
        )
    if not 0 < hop <= width:
        raise RuntimeError(
            f"istft: expected 0 < hop_length <= win_length, but got {hop} and {width}"
        )
    _check_window("istft", n_fft, width, window)
    return onesided


def _cut(pieces: Tensor, square: Tensor, hop: int, center: bool, length: int | None) -> Tensor:
    """(B, T, n) pieces added where they overlap, divided by the window's share, cut to length."""
    count, n = pieces.shape[1:]
    total = n + hop * (count - 1)
    start = n // 2 if center else 0
    end = start + length if length is not None else total - start
    places = kagari.arange(count).unsqueeze(1) * hop + kagari.arange(n)
    places = places.reshape(-1)
    signal = pieces.new_zeros(pieces.shape[0], total)
    signal = signal.index_add(1, places, pieces.reshape(pieces.shape[0], -1))[:, start:end]
    share = square.new_zeros(total).index_add(0, places, square.repeat(count))[start:end]
    if share.numel() and not share.is_meta and share.abs().min().item() < 1e-11:
        raise RuntimeError(
            f"istft: window overlap add min: {share.abs().min().item()}; the windows leave some "
            "samples out"
        )
    signal = signal / share
    missing = end - start - signal.shape[1]
    return kagari.nn.functional.pad(signal, [0, missing]) if missing > 0 else signal
