"""Reading the pickle of a checkpoint without running anything: an interpreter of pickle's opcodes
that can make plain containers, and call nothing but the functions it is given."""

import struct
from collections import OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

_DEEPEST_KEY = 16


class Function:
    """What a pickle may call, and under which name it does."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name, self.call = name, call


class Trusted:
    """A class that the user has declared safe."""

    def __init__(self, cls: type) -> None:
        self.cls = cls


class StorageType:
    """What a file calls the type of a storage: a dtype, or None for raw bytes."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype


class LoadedStorage:
    """A storage of the file, with the dtype its tensors have."""

    def __init__(self, storage: Any, dtype: Any) -> None:
        self.storage, self.dtype = storage, dtype


class Mark:
    """Marks a place on the stack."""


_MARK = Mark()


def check_key(value: Any, depth: int = 0) -> None:
    """Refuse what is no plain key: hashing it could run code, or recurse without end."""
    if isinstance(value, tuple) and depth < _DEEPEST_KEY:
        for part in value:
            check_key(part, depth + 1)
    elif value is not None and type(value) not in (str, int, float, bool, bytes, complex):
        raise UnpicklingError(f"load: a {type(value).__name__} cannot be a key or be in a set")


class Interpreter:
    """Runs one pickle.

    Args:
        data: the pickle.
        find: the value of a global, by module and name; raises for those it does not allow.
        persistent: the value of a persistent id.
        start: where in `data` it begins.
    """

    def __init__(
        self, data: bytes, find: Callable[[str, str], Any], persistent: Callable[[Any], Any],
        start: int = 0,
    ) -> None:  # fmt: skip
        self.data, self.at = data, start
        self.find, self.persistent = find, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """The value that was pickled."""
        while True:
            opcode = self.take(1)
            if opcode == b".":
                value = self.pop()
                return self._plain(value)
            action = _ACTIONS.get(opcode)
            if action is None:
                raise UnpicklingError(f"load: opcode {opcode!r} is not one that checkpoints use")
            action(self)

    # -- input and stack ---------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count < 0 or count > len(self.data) - self.at:
            raise UnpicklingError("load: the pickle is cut off")
        start, self.at = self.at, self.at + count
        return self.data[start : self.at]

    def number(self, form: str) -> Any:
        """The next number, in a format of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The text up to the end of the line."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise UnpicklingError("load: the pickle is cut off")
        text = self.take(end - self.at)
        self.at += 1
        return text.decode("utf-8", "replace")

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """The topmost value."""
        if not self.stack or self.stack[-1] is _MARK:
            raise UnpicklingError("load: the pickle takes more values than it made")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        """The topmost value, left where it is; it has to be of this type."""
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise UnpicklingError(f"load: the pickle adds to something that is no {kind.__name__}")
        return self.stack[-1]

    def pop_mark(self) -> list[Any]:
        """The values above the last mark."""
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is _MARK:
                values = self.stack[i + 1 :]
                del self.stack[i:]
                return values
        raise UnpicklingError("load: the pickle goes back to a mark that it did not set")

    @staticmethod
    def _plain(value: Any) -> Any:
        if isinstance(value, LoadedStorage):
            return value.storage
        if isinstance(value, (Function, Trusted, StorageType, Mark)):
            raise UnpicklingError("load: a function or class is no value of a checkpoint")
        return value

    # -- opcodes -----------------------------------------------------------------------------

    def integer(self, size: int) -> None:
        """A long integer of that many bytes."""
        self.push(int.from_bytes(self.take(size), "little", signed=True))

    def text(self, size: int) -> None:
        """Unicode text of that many bytes."""
        self.push(self.take(size).decode("utf-8", "surrogatepass"))

    def put(self, index: int) -> None:
        """Remember the topmost value."""
        if not self.stack:
            raise UnpicklingError("load: the pickle remembers a value that it did not make")
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        """Take a remembered value."""
        if index not in self.memo:
            raise UnpicklingError("load: the pickle refers to a value that it did not remember")
        self.push(self.memo[index])

    def appends(self, values: list[Any]) -> None:
        """Add to a list."""
        target = self.top(list)
        target.extend(self._plain(value) for value in values)

    def set_items(self, flat: list[Any]) -> None:
        """Add keys and values, one after the other, to a dictionary."""
        if len(flat) % 2:
            raise UnpicklingError("load: the pickle has a key without a value")
        target = self.top(dict)
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            check_key(key)
            target[key] = self._plain(value)

    def add_items(self, values: list[Any]) -> None:
        """Add to a set."""
        target = self.top(set)
        for value in values:
            check_key(value)
            target.add(value)

    def tuple_of(self, count: int) -> None:
        """A tuple of the topmost values."""
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def set_of(self, kind: type, values: list[Any]) -> None:
        """A set or frozenset."""
        for value in values:
            check_key(value)
        self.push(kind(values))

    def dict_of(self, flat: list[Any]) -> None:
        """A dictionary."""
        self.push({})
        self.set_items(flat)

    def stack_global(self) -> None:
        """A global whose module and name are on the stack."""
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise UnpicklingError("load: the name of a global is no text")
        self.push(self.find(module, name))

    def global_line(self) -> None:
        """A global whose module and name are the next lines."""
        module = self.line()
        self.push(self.find(module, self.line()))

    def reduce(self) -> None:
        """Call a function."""
        arguments, function = self.pop(), self.pop()
        if not isinstance(arguments, tuple):
            raise UnpicklingError("load: the arguments of a call are no tuple")
        if isinstance(function, Trusted):
            self.push(function.cls(*arguments))
        elif isinstance(function, Function):
            try:
                self.push(function.call(*arguments))
            except (TypeError, ValueError, OverflowError, IndexError, RuntimeError) as error:
                raise UnpicklingError(f"load: {function.name}: {error}") from error
        else:
            raise UnpicklingError(f"load: a {type(function).__name__} cannot be called")

    def new_object(self) -> None:
        """Make an instance of a class."""
        arguments, cls = self.pop(), self.pop()
        if isinstance(cls, Trusted) and isinstance(arguments, tuple):
            self.push(cls.cls.__new__(cls.cls, *arguments))
        elif isinstance(cls, Function):
            self.push(cls)
            self.push(arguments)
            self.reduce()
        else:
            raise UnpicklingError("load: an instance of something that is no class")

    def build(self) -> None:
        """Give an object its attributes."""
        state = self.pop()
        target: Any = self.stack[-1] if self.stack else None
        if type(target) is OrderedDict and isinstance(state, dict):
            for name, value in state.items():
                if not isinstance(name, str) or hasattr(OrderedDict, name):
                    raise UnpicklingError(
                        f"load: an OrderedDict cannot have the attribute {name!r}"
                    )
                setattr(target, name, self._plain(value))
        elif type(target) in self.trusted_types():
            if hasattr(target, "__setstate__"):
                target.__setstate__(state)
            else:
                target.__dict__.update(state)
        else:
            raise UnpicklingError(f"load: a {type(target).__name__} cannot be given attributes")

    def trusted_types(self) -> set[type]:
        """The classes that the user has declared safe; set by the reader."""
        return set()


def _on_mark(action: Callable[[Interpreter, list[Any]], None]) -> Callable[[Interpreter], None]:
    return lambda m: action(m, m.pop_mark())


_ACTIONS: dict[bytes, Callable[[Interpreter], None]] = {
    b"\x80": lambda m: _check_protocol(m.number("<B")),
    b"\x95": lambda m: _check_frame(m, m.number("<Q")),
    b"(": lambda m: m.push(_MARK),
    b"0": lambda m: _drop(m),
    b"1": lambda m: _ignore(m.pop_mark()),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": lambda m: m.integer(m.number("<B")),
    b"\x8b": lambda m: m.integer(m.number("<i")),
    b"G": lambda m: m.push(m.number(">d")),
    b"X": lambda m: m.text(m.number("<I")),
    b"\x8c": lambda m: m.text(m.number("<B")),
    b"\x8d": lambda m: m.text(m.number("<Q")),
    b"B": lambda m: m.push(m.take(m.number("<I"))),
    b"C": lambda m: m.push(m.take(m.number("<B"))),
    b"\x8e": lambda m: m.push(m.take(m.number("<Q"))),
    b"T": lambda m: m.push(m.take(m.number("<i")).decode("latin1")),
    b"U": lambda m: m.push(m.take(m.number("<B")).decode("latin1")),
    b"\x96": lambda m: m.push(bytearray(m.take(m.number("<Q")))),
    b"]": lambda m: m.push([]),
    b"a": lambda m: m.appends([m.pop()]),
    b"e": _on_mark(Interpreter.appends),
    b"l": _on_mark(Interpreter.push),
    b")": lambda m: m.push(()),
    b"t": _on_mark(lambda m, values: m.push(tuple(values))),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"}": lambda m: m.push({}),
    b"d": _on_mark(Interpreter.dict_of),
    b"s": lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    b"u": _on_mark(Interpreter.set_items),
    b"\x8f": lambda m: m.push(set()),
    b"\x90": _on_mark(Interpreter.add_items),
    b"\x91": _on_mark(lambda m, values: m.set_of(frozenset, values)),
    b"q": lambda m: m.put(m.number("<B")),
    b"r": lambda m: m.put(m.number("<I")),
    b"\x94": lambda m: m.put(len(m.memo)),
    b"h": lambda m: m.get(m.number("<B")),
    b"j": lambda m: m.get(m.number("<I")),
    b"c": Interpreter.global_line,
    b"\x93": Interpreter.stack_global,
    b"R": Interpreter.reduce,
    b"\x81": Interpreter.new_object,
    b"b": Interpreter.build,
    b"Q": lambda m: m.push(m.persistent(m.pop())),
}


def _check_protocol(version: int) -> None:
    if version > 5:
        raise UnpicklingError(f"load: pickle protocol {version} is unknown")


def _check_frame(machine: Interpreter, size: int) -> None:
    if size > len(machine.data) - machine.at:
        raise UnpicklingError("load: the pickle is cut off")


def _drop(machine: Interpreter) -> None:
    if not machine.stack:
        raise UnpicklingError("load: the pickle takes more values than it made")
    machine.stack.pop()


def _ignore(values: list[Any]) -> None:
    del values
