# Compiler settings and third-party libraries, in one place. Only Debian's packages are used (deploy/packages.txt).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(SYNOD_CCACHE ccache)
if(SYNOD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${SYNOD_CCACHE})
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=x86-64-v2)
endif()

if(SYNOD_SANITIZE)
  add_compile_options(-fsanitize=${SYNOD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SYNOD_SANITIZE})
endif()

# LibTorch files need 600 MB and a core each: at most two at a time.
set_property(GLOBAL APPEND PROPERTY JOB_POOLS synod_torch_pool=2)

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(CLI11 REQUIRED)
find_path(SYNOD_TOMLPP_INCLUDE toml++/toml.h REQUIRED)
find_path(SYNOD_CSV_INCLUDE csv.h REQUIRED)
find_library(SYNOD_CSV_LIBRARY NAMES libcsv.so csv REQUIRED) # LGPL: the shared library, never the archive
find_package(Protobuf 3.21 REQUIRED)
find_package(FlatBuffers REQUIRED)
find_package(SQLite3 REQUIRED)
find_path(SYNOD_ZMQ_INCLUDE zmq.hpp REQUIRED)
find_library(SYNOD_ZMQ_LIBRARY NAMES libzmq.so zmq REQUIRED) # LGPL-like terms: the shared library, never the archive
add_library(synod_zmq INTERFACE)
target_include_directories(synod_zmq SYSTEM INTERFACE ${SYNOD_ZMQ_INCLUDE})
target_link_libraries(synod_zmq INTERFACE ${SYNOD_ZMQ_LIBRARY})
if(SYNOD_WITH_TORCH)
  find_path(SYNOD_TORCH_INCLUDE torch/csrc/api/include/torch/torch.h REQUIRED)
  find_library(SYNOD_TORCH_LIBRARY torch REQUIRED)
  find_library(SYNOD_TORCH_CPU_LIBRARY torch_cpu REQUIRED)
  find_library(SYNOD_C10_LIBRARY c10 REQUIRED)
  add_library(synod_torch INTERFACE)
  target_include_directories(synod_torch SYSTEM INTERFACE
    ${SYNOD_TORCH_INCLUDE} ${SYNOD_TORCH_INCLUDE}/torch/csrc/api/include)
  target_link_libraries(synod_torch INTERFACE
    ${SYNOD_TORCH_LIBRARY} ${SYNOD_TORCH_CPU_LIBRARY} ${SYNOD_C10_LIBRARY})
endif()
