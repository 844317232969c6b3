// Graph nodes as Python objects.
#pragma once
#include <Python.h>

#include "autograd/node.h"

namespace kagari {

/// New reference; None for no node.
PyObject* wrap_node(Ref<Node> node);

}  // namespace kagari
