# Runs the kernel compiler (src/kagari/kernels/aot.py) over the definitions: one object file of
# kernels per level of the instruction set, and the table of pointwise ops as C++.
set(KAGARI_GENERATED ${PROJECT_BINARY_DIR}/generated)
set(KAGARI_AOT ${PROJECT_SOURCE_DIR}/src/kagari/kernels/aot.py)
file(MAKE_DIRECTORY ${KAGARI_GENERATED})

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(KAGARI_LEVELS neon)
else()
  set(KAGARI_LEVELS v2 v3 v4)
endif()

if(EXISTS ${KAGARI_AOT})
  file(GLOB_RECURSE KAGARI_KERNEL_COMPILER CONFIGURE_DEPENDS src/kagari/kernels/*.py)
  set(KAGARI_GENERATED_SOURCES ${KAGARI_GENERATED}/pointwise_table.cpp)
  set(KAGARI_KERNEL_OBJECTS)
  foreach(level ${KAGARI_LEVELS})
    set(object ${KAGARI_GENERATED}/kernels_${level}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND ${Python_EXECUTABLE} ${KAGARI_AOT} kernels --level ${level} --out ${object}
      DEPENDS ${KAGARI_KERNEL_COMPILER}
      COMMENT "Compiling kernels for ${level}" VERBATIM)
    list(APPEND KAGARI_KERNEL_OBJECTS ${object})
  endforeach()
  add_custom_command(
    OUTPUT ${KAGARI_GENERATED_SOURCES}
    COMMAND ${Python_EXECUTABLE} ${KAGARI_AOT} table --out ${KAGARI_GENERATED}
    DEPENDS ${KAGARI_KERNEL_COMPILER}
    COMMENT "Writing the table of pointwise ops" VERBATIM)
  set_source_files_properties(${KAGARI_KERNEL_OBJECTS} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
else()
  # The kernel compiler is not there: an empty table, so that the rest of the core builds.
  set(KAGARI_GENERATED_SOURCES ${KAGARI_GENERATED}/empty_tables.cpp)
  file(CONFIGURE OUTPUT ${KAGARI_GENERATED_SOURCES} @ONLY CONTENT [[
#include "ops/pointwise_spec.h"

namespace kagari {
const PointwiseSpec kPointwiseSpecs[1] = {};
const PointwiseOp kPointwiseOps[1] = {};
}
]])
endif()
add_custom_target(kagari_kernels DEPENDS ${KAGARI_GENERATED_SOURCES} ${KAGARI_KERNEL_OBJECTS})
