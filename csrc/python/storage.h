// kagari.UntypedStorage: the bytes under tensors, as a Python object.
#pragma once
#include "tensor/storage.h"

namespace kagari {

/// What the Python object holds. Two objects for one storage compare equal.
struct StorageHandle {
    Ref<Storage> storage;
};

}  // namespace kagari
