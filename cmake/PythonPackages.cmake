# Finds what the build takes from Python packages: nanobind, and the headers of oneDNN.
# (A build environment made by pip is an overlay, so sys.prefix would be the wrong place to look.)
execute_process(
  COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
  OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind 3.1.0 EXACT CONFIG REQUIRED)

execute_process(
  COMMAND ${Python_EXECUTABLE} -c "
from importlib.metadata import files
header = next(f for f in files('onednn-devel-cpu-gomp') if f.name == 'dnnl.h' and 'oneapi' in f.parts)
print(header.locate().resolve().parents[2])"
  OUTPUT_VARIABLE KAGARI_ONEDNN_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "oneDNN headers: ${KAGARI_ONEDNN_INCLUDE}")
