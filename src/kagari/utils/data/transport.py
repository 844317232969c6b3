"""Python objects between two processes, their tensors and arrays through shared memory.

An object is pickled with its buffers apart (pickle protocol 5, PEP 574). Small buffers travel in
the message; larger ones are written to a *segment*: memory without a name (memfd_create), whose
descriptor is sent once over the socket. So nothing is left behind by a process that was killed,
and a segment is used again when the receiver has dropped all that lies in it.
"""

import mmap
import os
import pickle
import weakref
from collections import deque
from io import BytesIO
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import kagari
from kagari import Tensor

_INLINE = 16384  # bytes up to which copying through the socket costs less than a page of its own
_ALIGNMENT = 64  # of a cache line, so that kernels read tensors as they read their own
_SPARE = 4  # segments kept for later


class _Header(NamedTuple):
    payload: bytes
    sizes: list[int]  # of the buffers
    segment: int | None  # where they lie; None: in the message
    capacity: int  # of the segment, if its descriptor follows; else 0
    forgotten: list[int]  # segments that the sender will not use again
    inline: list[bytes]


class Sender:
    """The end that sends objects."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._free: dict[int, mmap.mmap] = {}
        self._used: dict[int, mmap.mmap] = {}
        self._count = 0

    def give_back(self, segments: list[int]) -> None:
        """The receiver no longer needs what lies in these segments."""
        for number in segments:
            self._free[number] = self._used.pop(number)

    def send(self, message: Any) -> None:
        """Sends an object; raises what pickling it raises, before anything is sent."""
        buffers: list[pickle.PickleBuffer] = []
        file = BytesIO()
        _Pickler(file, buffers).dump(message)
        views = [buffer.raw() for buffer in buffers]
        sizes = [view.nbytes for view in views]
        if sum(sizes) <= _INLINE:
            inline = [bytes(view) for view in views]
            header = _Header(file.getvalue(), sizes, None, 0, [], inline)
            self.connection.send_bytes(pickle.dumps(tuple(header), 5))
            return
        total = sum(_rounded(size) for size in sizes)
        number, descriptor, forgotten = self._segment(total)
        memory = self._used[number]
        place = 0
        for view, size in zip(views, sizes, strict=True):
            memory[place : place + size] = view
            place += _rounded(size)
        capacity = len(memory) if descriptor is not None else 0
        header = _Header(file.getvalue(), sizes, number, capacity, forgotten, [])
        self.connection.send_bytes(pickle.dumps(tuple(header), 5))
        if descriptor is not None:
            reduction.send_handle(self.connection, descriptor, 0)  # type: ignore[arg-type]
            os.close(descriptor)

    def _segment(self, size: int) -> tuple[int, int | None, list[int]]:
        """A segment of at least `size` bytes; its descriptor if it is new; those given up."""
        fitting = [n for n, memory in self._free.items() if len(memory) >= size]
        if fitting:
            number = min(fitting, key=lambda n: len(self._free[n]))
            self._used[number] = self._free.pop(number)
            return number, None, []
        forgotten = []
        while len(self._free) >= _SPARE:
            smallest = min(self._free, key=lambda n: len(self._free[n]))
            self._free.pop(smallest).close()
            forgotten.append(smallest)
        self._count += 1
        capacity = _capacity(size)
        descriptor = os.memfd_create("kagari-batch")
        os.ftruncate(descriptor, capacity)
        self._used[self._count] = mmap.mmap(descriptor, capacity)
        return self._count, descriptor, forgotten


class Receiver:
    """The end that receives them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._segments: dict[int, mmap.mmap] = {}
        self._returned: deque[int] = deque()

    def returned(self) -> list[int]:
        """The segments of which nothing is used any more, each told once."""
        return [self._returned.popleft() for _ in range(len(self._returned))]

    def receive(self) -> Any:
        """The next object; EOFError or ConnectionError when the sender is gone."""
        header = _Header(*pickle.loads(self.connection.recv_bytes()))
        for number in header.forgotten:
            self._segments.pop(number, None)
        if header.capacity:
            descriptor = reduction.recv_handle(self.connection)  # type: ignore[arg-type]
            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE  # one call instead of a fault per page
            self._segments[header.segment] = mmap.mmap(descriptor, header.capacity, flags)  # type: ignore[index]
            os.close(descriptor)
        if header.segment is None:
            return pickle.loads(header.payload, buffers=map(bytearray, header.inline))
        return pickle.loads(header.payload, buffers=self._views(header.segment, header.sizes))

    def _views(self, number: int, sizes: list[int]) -> list[memoryview]:
        """The buffers in a segment, which is returned when the last of them is dropped."""
        memory = self._segments[number]
        pending = {*range(len(sizes))}
        views, place = [], 0
        for i, size in enumerate(sizes):
            views.append(memoryview(memory)[place : place + size])
            place += _rounded(size)
            weakref.finalize(views[i], _drop, pending, i, self._returned, number).atexit = False
        return views


def _drop(pending: set[int], one: int, returned: deque[int], number: int) -> None:
    pending.discard(one)
    if not pending:
        returned.append(number)


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _capacity(size: int) -> int:
    """`size` rounded up in steps of an eighth: batches of about one size share segments."""
    step = max(mmap.PAGESIZE, 1 << max(size.bit_length() - 3, 0))
    return -(-size // step) * step


class _Pickler(pickle.Pickler):
    """Pickles tensors as buffers of their elements, without the rest of their storage."""

    def __init__(self, file: BytesIO, buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffers.append)

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not Tensor or value.is_meta or value.__dict__:
            return NotImplemented
        if value.grad_fn is not None:
            raise RuntimeError(
                "sending a tensor to another process: it requires grad and is not a leaf, and "
                "autograd does not cross processes; send tensor.detach()"
            )
        # only the elements: a row of a large tensor does not take the whole of it along
        dense = value.detach().resolve_conj().resolve_neg()
        if kagari.empty_like(dense).stride() != dense.stride():
            dense = dense.contiguous()
        elements = dense.as_strided((dense.numel(),), (1,)).view(kagari.uint8)
        parts = (value.dtype, tuple(dense.shape), dense.stride(), value.requires_grad)
        return _tensor_of, (pickle.PickleBuffer(elements), *parts)  # type: ignore[arg-type]


def _tensor_of(
    buffer: Any, dtype: Any, shape: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool
) -> Tensor:
    if 0 in shape:
        made = kagari.empty_strided(shape, stride, dtype=dtype)
    else:
        made = kagari.frombuffer(buffer, dtype=dtype).as_strided(shape, stride)
    return made.requires_grad_(requires_grad)
