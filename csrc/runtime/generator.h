// Random number generators, as handles that ops and Python share.
#pragma once
#include "tensor/ref.h"

namespace kagari {
class Generator : public Counted {};
}  // namespace kagari
