// UntypedStorage: making, resizing, copying and mapping of bytes, and tensors on top of them.
// Slices, repr and pickling are left to src/kagari/_storage.py.
#include "python/storage.h"
#include "autograd/tangent.h"

#include <fcntl.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "autograd/mode.h"
#include "autograd/node.h"
#include "cpu/checksum.h"
#include "python/bindings.h"
#include "python/device.h"
#include "python/dtype.h"
#include "python/errors.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {
namespace {

using Ints = std::vector<int64_t>;

void check_cpu(const Ref<Storage>& s, const char* op) {
    check<NotImplementedError>(s->device().kind == DeviceKind::CPU, "UntypedStorage.", op,
                               ": expected a storage on the CPU, got one on ", s->device());
}

size_t checked_size(int64_t bytes, const char* op) {
    check<RuntimeError>(bytes >= 0, "UntypedStorage", op, ": expected a size >= 0, got ", bytes);
    return static_cast<size_t>(bytes);
}

StorageHandle make(int64_t bytes, nb::handle device) {
    Device where = to_device(device.ptr(), "UntypedStorage");
    return {make_ref<Storage>(checked_size(bytes, ""), where)};
}

/// A copy of the bytes of any buffer.
StorageHandle from_bytes(nb::handle source) {
    Py_buffer view;
    if (PyObject_GetBuffer(source.ptr(), &view, PyBUF_SIMPLE) != 0) throw nb::python_error();
    auto storage = make_ref<Storage>(static_cast<size_t>(view.len), kCPU);
    if (view.len) std::memcpy(storage->data(), view.buf, static_cast<size_t>(view.len));
    PyBuffer_Release(&view);
    return {storage};
}

/// The CRC-32 of the bytes of any buffer.
uint32_t checksum(nb::handle source) {
    Py_buffer view;
    if (PyObject_GetBuffer(source.ptr(), &view, PyBUF_SIMPLE) != 0) throw nb::python_error();
    uint32_t found;
    {
        nb::gil_scoped_release without;
        found = cpu::crc32(view.buf, static_cast<size_t>(view.len));
    }
    PyBuffer_Release(&view);
    return found;
}

/// An open file that closes itself.
class File {
  public:
    File(const std::string& path, bool writable)
        : fd_(open(path.c_str(), writable ? O_RDWR | O_CREAT : O_RDONLY, 0666)) {
        check<RuntimeError>(fd_ >= 0, "UntypedStorage.from_file: unable to open file <", path,
                            ">: ", std::strerror(errno));
    }
    ~File() { close(fd_); }
    File(const File&) = delete;
    int fd() const { return fd_; }
    size_t size() const {
        struct stat info{};
        return fstat(fd_, &info) == 0 ? static_cast<size_t>(info.st_size) : 0;
    }

  private:
    int fd_;
};

/// Maps a file; with `shared`, writes reach the file, which grows to `bytes`.
StorageHandle from_file(const std::string& path, bool shared, int64_t bytes) {
    File file(path, shared);
    size_t wanted = checked_size(bytes, ".from_file");
    if (wanted == 0) wanted = file.size();
    if (wanted > file.size()) {
        check<RuntimeError>(shared, "UntypedStorage.from_file: file <", path, "> has ", file.size(),
                            " bytes, expected at least ", wanted);
        check<RuntimeError>(ftruncate(file.fd(), static_cast<off_t>(wanted)) == 0,
                            "UntypedStorage.from_file: unable to stretch file <", path, "> to ",
                            wanted, " bytes: ", std::strerror(errno));
    }
    if (wanted == 0) return {make_ref<Storage>(0, kCPU)};
    void* data = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE,
                      file.fd(), 0);
    check<RuntimeError>(data != MAP_FAILED, "UntypedStorage.from_file: unable to map file <", path,
                        ">: ", std::strerror(errno));
    StorageHandle made{make_ref<Storage>(data, wanted, kCPU, [=] { munmap(data, wanted); })};
    if (shared) made.storage->mark_shared();
    return made;
}

/// A part of the bytes, shared; it keeps the whole alive.
StorageHandle window(const StorageHandle& self, int64_t begin, int64_t end) {
    check_cpu(self.storage, "__getitem__");
    auto size = static_cast<int64_t>(self.storage->bytes());
    check<IndexError>(0 <= begin && begin <= end && end <= size, "UntypedStorage: slice ", begin,
                      ":", end, " is out of range for ", size, " bytes");
    Ref<Storage> whole = self.storage;
    whole->forbid_resize();
    return {make_ref<Storage>(static_cast<char*>(whole->data()) + begin,
                              static_cast<size_t>(end - begin), kCPU, [whole] {})};
}

void copy(const StorageHandle& self, const StorageHandle& source) {
    check<RuntimeError>(self.storage->bytes() == source.storage->bytes(),
                        "UntypedStorage.copy_: size does not match: expected ",
                        self.storage->bytes(), " bytes, got ", source.storage->bytes());
    check_cpu(self.storage, "copy_");
    check_cpu(source.storage, "copy_");
    if (self.storage->bytes())
        std::memmove(self.storage->data(), source.storage->data(), self.storage->bytes());
    self.storage->bump_version();
}

void fill(const StorageHandle& self, int64_t begin, int64_t end, int64_t byte) {
    check_cpu(self.storage, "fill_");
    check<RuntimeError>(0 <= byte && byte < 256, "UntypedStorage: expected a byte, got ", byte);
    check<IndexError>(
        0 <= begin && begin <= end && end <= static_cast<int64_t>(self.storage->bytes()),
        "UntypedStorage: range ", begin, ":", end, " is out of range for ", self.storage->bytes(),
        " bytes");
    if (end > begin)
        std::memset(static_cast<char*>(self.storage->data()) + begin, static_cast<int>(byte),
                    static_cast<size_t>(end - begin));
    self.storage->bump_version();
}

int64_t byte_at(const StorageHandle& self, int64_t index) {
    check_cpu(self.storage, "__getitem__");
    auto size = static_cast<int64_t>(self.storage->bytes());
    if (index < 0) index += size;
    check<IndexError>(index >= 0 && index < size, "UntypedStorage: index ", index,
                      " out of range for ", size, " bytes");
    return static_cast<unsigned char*>(self.storage->data())[index];
}

// --- tensors on storages -----------------------------------------------------------------------

DType dtype_argument(nb::handle dtype, const char* op) {
    check<TypeError>(is_dtype(dtype.ptr()), op, ": dtype: expected a dtype, got ",
                     Py_TYPE(dtype.ptr())->tp_name);
    return unwrap_dtype(dtype.ptr());
}

/// A tensor on a storage; the window must lie in it.
nb::object tensor_on(const StorageHandle& s, nb::handle dtype, int64_t offset, const Ints& sizes,
                     const Ints& strides) {
    auto whole = make_ref<TensorBody>();
    whole->storage = s.storage;
    whole->dtype = dtype_argument(dtype, "tensor on storage");
    whole->sizes = {0};
    whole->strides = {1};
    whole->update_layout();
    Tensor t(std::move(whole));
    check_in_storage(t, sizes, strides, offset, "tensor on storage");
    return nb::steal(wrap(raw_view(t, sizes, strides, offset)));
}

/// Makes `self` a window on another storage, in place.
void set_storage(nb::handle self, const StorageHandle& s, int64_t offset, const Ints& sizes,
                 const Ints& strides) {
    check<TypeError>(is_tensor(self.ptr()), "set_: expected a tensor, got ",
                     Py_TYPE(self.ptr())->tp_name);
    const Tensor& t = unwrap(self.ptr());
    check<NotImplementedError>(!has_tangent(t),
                               "Trying to use forward AD with set_ that does not support it: a "
                               "tangent does not follow to another memory");
    check<RuntimeError>(!t.body()->base, "set_: a view cannot be given another storage");
    check<RuntimeError>(!(t.requires_grad() && grad_enabled()),
                        "set_: a tensor that requires grad cannot be given another storage; use "
                        "no_grad()");
    auto probe = make_ref<TensorBody>();
    probe->storage = s.storage;
    probe->dtype = t.dtype();
    check_in_storage(Tensor(std::move(probe)), sizes, strides, offset, "set_");
    TensorBody& body = *t.body();
    body.storage = s.storage;
    body.sizes = Dims(IntSpan(sizes));
    body.strides = Dims(IntSpan(strides));
    body.offset = offset;
    body.update_layout();
    t.bump_version();
}

// --- the buffer protocol -----------------------------------------------------------------------

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
    const Ref<Storage>& s = nb::inst_ptr<StorageHandle>(self)->storage;
    if (s->device().kind != DeviceKind::CPU) {
        view->obj = nullptr;
        PyErr_SetString(PyExc_BufferError, "buffer: expected a storage on the CPU");
        return -1;
    }
    s->forbid_resize();
    static char nothing[1];
    return PyBuffer_FillInfo(view, self, s->bytes() ? s->data() : nothing,
                             static_cast<Py_ssize_t>(s->bytes()), 0, flags);
}

PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)}, {0, nullptr}};

}  // namespace

void bind_storage(nb::module_& m) {
    nb::class_<StorageHandle>(m, "UntypedStorage", nb::type_slots(slots), nb::dynamic_attr(),
                              "The bytes under one or more tensors.")
        .def(
            "__init__",
            [](StorageHandle* self, int64_t size, nb::handle device) {
                new (self) StorageHandle(make(size, device));
            },
            nb::arg("size") = 0, nb::kw_only(), nb::arg("device").none() = nb::none())
        .def_static("_from_bytes", from_bytes, nb::arg("source"))
        .def_static("from_file", from_file, nb::arg("filename"), nb::arg("shared") = false,
                    nb::arg("nbytes") = 0, "The contents of a file, mapped.")
        .def("nbytes", [](const StorageHandle& s) { return s.storage->bytes(); })
        .def("__len__", [](const StorageHandle& s) { return s.storage->bytes(); })
        .def("data_ptr",
             [](const StorageHandle& s) { return reinterpret_cast<uintptr_t>(s.storage->data()); })
        .def("resizable", [](const StorageHandle& s) { return s.storage->resizable(); })
        .def("_resize", [](const StorageHandle& s,
                           int64_t bytes) { s.storage->resize(checked_size(bytes, ".resize_")); })
        .def("_share", [](const StorageHandle& s) { s.storage->share(); })
        .def("is_shared", [](const StorageHandle& s) { return s.storage->shared(); })
        .def("_copy", copy)
        .def("_fill", fill)
        .def("_byte", byte_at)
        .def("_window", window)
        .def_prop_ro("device",
                     [](const StorageHandle& s) { return nb::steal(wrap(s.storage->device())); })
        .def_prop_ro(
            "_cdata",
            [](const StorageHandle& s) { return reinterpret_cast<uintptr_t>(s.storage.get()); })
        .def("__eq__",
             [](const StorageHandle& a, nb::handle b) {
                 return nb::isinstance<StorageHandle>(b) &&
                        a.storage == nb::inst_ptr<StorageHandle>(b)->storage;
             })
        .def("__hash__",
             [](const StorageHandle& s) { return std::hash<void*>()(s.storage.get()); });
    m.def("_storage_of", [](nb::handle t) {
        check<TypeError>(is_tensor(t.ptr()), "untyped_storage: expected a tensor");
        return StorageHandle{unwrap(t.ptr()).storage()};
    });
    m.def("_crc32", checksum, nb::arg("source"), "The checksum of zip archives.");
    m.def("_tensor_on", tensor_on);
    m.def("_set_storage", set_storage);
}

}  // namespace kagari
