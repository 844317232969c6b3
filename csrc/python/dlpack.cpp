// Exchange of tensors with other frameworks by DLPack: capsules of the versioned and of the older
// kind, both ways.
#include <nanobind/nanobind.h>

#include "python/bindings.h"
#include "python/caster.h"
#include "python/errors.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {
namespace {

// --- the binary interface (dlpack.h 1.0) --------------------------------------------------------
struct DLDevice {
    int32_t kind, index;
};
struct DLDataType {
    uint8_t code, bits;
    uint16_t lanes;
};
struct DLTensor {
    void* data;
    DLDevice device;
    int32_t dims;
    DLDataType dtype;
    int64_t* sizes;
    int64_t* strides;  // in elements; null: contiguous
    uint64_t byte_offset;
};
struct Legacy {
    DLTensor tensor;
    void* context;
    void (*deleter)(Legacy*);
};
struct Versioned {
    uint32_t major, minor;
    void* context;
    void (*deleter)(Versioned*);
    uint64_t flags;
    DLTensor tensor;
};
constexpr uint64_t kReadOnly = 1, kCopied = 2;
constexpr int32_t kDLCPU = 1;
enum Code : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

template <class T>
constexpr const char* kName = std::is_same_v<T, Legacy> ? "dltensor" : "dltensor_versioned";
template <class T>
constexpr const char* kUsedName =
    std::is_same_v<T, Legacy> ? "used_dltensor" : "used_dltensor_versioned";

DLDataType to_dl(DType t) {
    uint8_t code = t == DType::Bool   ? kBool
                   : t == DType::BF16 ? kBfloat
                   : is_floating(t)   ? kFloat
                   : is_complex(t)    ? kComplex
                   : is_signed(t)     ? kInt
                                      : kUInt;
    return {code, static_cast<uint8_t>(itemsize(t) * 8), 1};
}

DType from_dl(DLDataType d) {
    for (int i = 0; i < kDTypes; ++i) {
        auto t = static_cast<DType>(i);
        DLDataType ours = to_dl(t);
        if (ours.code == d.code && ours.bits == d.bits && d.lanes == 1) return t;
    }
    fail<RuntimeError>("from_dlpack: Unsupported data type: code ", int{d.code}, ", ", int{d.bits},
                       " bits, ", d.lanes, " lanes");
}

// --- giving ------------------------------------------------------------------------------------

/// What a consumer holds: the structure and what it points to.
template <class T>
struct Given {
    T managed{};
    Ref<Storage> storage;
    Dims sizes, strides;
};

template <class T>
void delete_given(T* managed) {
    // the last reference to a storage goes under the interpreter's lock
    if (!Py_IsInitialized()) return;
    PyGILState_STATE state = PyGILState_Ensure();
    delete static_cast<Given<T>*>(managed->context);
    PyGILState_Release(state);
}

template <class T>
void drop_capsule(PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, kName<T>)) return;  // a consumer has taken it over
    auto* managed = static_cast<T*>(PyCapsule_GetPointer(capsule, kName<T>));
    if (managed->deleter) managed->deleter(managed);
}

template <class T>
nb::object give(const Tensor& t, bool copied) {
    auto given = std::make_unique<Given<T>>();
    given->storage = t.storage();
    given->sizes = Dims(t.sizes());
    given->strides = Dims(t.strides());
    t.storage()->forbid_resize();
    T& m = given->managed;
    m.tensor = {t.data(),
                {kDLCPU, 0},
                static_cast<int32_t>(t.dim()),
                to_dl(t.dtype()),
                given->sizes.data(),
                given->strides.data(),
                0};
    m.context = given.get();
    m.deleter = delete_given<T>;
    if constexpr (std::is_same_v<T, Versioned>) {
        m.major = 1;
        m.minor = 0;
        m.flags = copied ? kCopied : 0;
    }
    nb::object capsule = nb::steal(PyCapsule_New(&m, kName<T>, drop_capsule<T>));
    if (!capsule.is_valid()) nb::raise_python_error();
    given.release();
    return capsule;
}

nb::object to_dlpack(const Tensor& t, bool versioned, bool copied) {
    check<RuntimeError>(!t.requires_grad(),
                        "__dlpack__: Can't export tensors that require gradient, use "
                        "tensor.detach()");
    check<RuntimeError>(t.device().kind == DeviceKind::CPU,
                        "__dlpack__: expected a CPU tensor, got one on ", t.device());
    return versioned ? give<Versioned>(t, copied) : give<Legacy>(t, copied);
}

// --- taking ------------------------------------------------------------------------------------

template <class T>
Tensor take(PyObject* capsule) {
    auto* managed = static_cast<T*>(PyCapsule_GetPointer(capsule, kName<T>));
    if (!managed) nb::raise_python_error();
    const DLTensor& d = managed->tensor;
    if constexpr (std::is_same_v<T, Versioned>)
        check<RuntimeError>(managed->major == 1, "from_dlpack: expected DLPack version 1, got ",
                            managed->major, ".", managed->minor);
    check<RuntimeError>(d.device.kind == kDLCPU,
                        "from_dlpack: Unsupported device_type: expected the CPU (1), got ",
                        d.device.kind);
    check<RuntimeError>(d.dims >= 0, "from_dlpack: expected a number of dimensions >= 0, got ",
                        d.dims);
    IntSpan sizes{d.sizes, static_cast<size_t>(d.dims)};
    int64_t count = checked_numel(sizes, "from_dlpack");
    Dims strides = d.strides ? Dims(IntSpan{d.strides, sizes.size()}) : contiguous_strides(sizes);
    int64_t last = 0;
    for (size_t i = 0; i < sizes.size(); ++i) {
        check<RuntimeError>(strides[i] >= 0 || sizes[i] < 2,
                            "from_dlpack: expected strides >= 0, got ", IntSpan(strides),
                            "; make a copy before the export");
        strides[i] = std::max<int64_t>(strides[i], 0);
        last += (sizes[i] - 1) * strides[i];
    }
    auto body = make_ref<TensorBody>();
    body->dtype = from_dl(d.dtype);
    body->sizes = Dims(sizes);
    body->strides = strides;
    size_t bytes = count ? static_cast<size_t>(last + 1) * itemsize(body->dtype) : 0;
    auto release = [managed] {
        if (managed->deleter) managed->deleter(managed);
    };
    body->storage =
        make_ref<Storage>(static_cast<char*>(d.data) + d.byte_offset, bytes, kCPU, release);
    body->update_layout();
    // from here on the memory is ours to give back
    PyCapsule_SetName(capsule, kUsedName<T>);
    PyCapsule_SetDestructor(capsule, nullptr);
    return Tensor(std::move(body));
}

Tensor from_capsule(nb::handle o) {
    if (PyCapsule_IsValid(o.ptr(), kName<Versioned>)) return take<Versioned>(o.ptr());
    if (PyCapsule_IsValid(o.ptr(), kName<Legacy>)) return take<Legacy>(o.ptr());
    fail<RuntimeError>(
        "from_dlpack: expected a DLPack capsule that has not been consumed, or an object with "
        "__dlpack__, got ",
        Py_TYPE(o.ptr())->tp_name);
}

}  // namespace

void bind_dlpack(nb::module_& m) {
    m.def("_to_dlpack", to_dlpack, nb::arg("self"), nb::arg("versioned"), nb::arg("copied"));
    m.def("_from_dlpack", [](nb::handle o) { return nb::steal(wrap(from_capsule(o))); });
}

}  // namespace kagari
