# Runs the kernel compiler over the definitions (cmake/build_kernels.py): one object file of kernels
# per level of the instruction set, and the table of pointwise ops as C++.
set(KAGARI_GENERATED ${PROJECT_BINARY_DIR}/generated)
set(KAGARI_AOT ${PROJECT_SOURCE_DIR}/cmake/build_kernels.py)
file(MAKE_DIRECTORY ${KAGARI_GENERATED})

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(levels neon)
else()
  set(levels v2 v3 v4)
endif()
set(KAGARI_LEVELS "${levels}" CACHE STRING "Instruction set levels that kernels are built for")

if(EXISTS ${KAGARI_AOT})
  file(GLOB_RECURSE KAGARI_KERNEL_COMPILER CONFIGURE_DEPENDS src/kagari/kernels/*.py)
  set(KAGARI_GENERATED_SOURCES ${KAGARI_GENERATED}/pointwise_table.cpp)
  list(TRANSFORM KAGARI_LEVELS REPLACE "(.+)" "${KAGARI_GENERATED}/kernels_\\1.o"
       OUTPUT_VARIABLE KAGARI_KERNEL_OBJECTS)
  list(JOIN KAGARI_LEVELS "," levels)
  add_custom_command(
    OUTPUT ${KAGARI_KERNEL_OBJECTS} ${KAGARI_GENERATED_SOURCES}
    COMMAND ${Python_EXECUTABLE} ${KAGARI_AOT} --out ${KAGARI_GENERATED} --levels ${levels}
            --linker ${CMAKE_LINKER}
    DEPENDS ${KAGARI_AOT} ${KAGARI_KERNEL_COMPILER}
    COMMENT "Compiling the kernels for ${levels}" VERBATIM)
  set_source_files_properties(${KAGARI_KERNEL_OBJECTS} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
else()
  # The kernel compiler is not there: an empty table, so that the rest of the core builds.
  set(KAGARI_GENERATED_SOURCES ${KAGARI_GENERATED}/empty_tables.cpp)
  file(CONFIGURE OUTPUT ${KAGARI_GENERATED_SOURCES} @ONLY CONTENT [[
#include "ops/pointwise/pointwise_spec.h"

namespace kagari {
const PointwiseSpec kPointwiseSpecs[1] = {};
const PointwiseOp kPointwiseOps[1] = {};
}
]])
endif()
add_custom_target(kagari_kernels DEPENDS ${KAGARI_GENERATED_SOURCES} ${KAGARI_KERNEL_OBJECTS})
