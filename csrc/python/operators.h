// Python's operators (+, ==, @, ...) on tensors.
#pragma once
#include <Python.h>

#include <vector>

namespace kagari {

void add_operator_slots(std::vector<PyType_Slot>& slots);

}  // namespace kagari
