# Warnings of our own code; never applied to third-party headers, which are SYSTEM.
function(synod_warnings TARGET)
  target_compile_options(${TARGET} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
    -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
  if(SYNOD_WARNINGS_AS_ERRORS)
    target_compile_options(${TARGET} PRIVATE -Werror)
  endif()
endfunction()

# synod_module(NAME SOURCES a.cpp ... [DEPENDS synod::core fmt::fmt ...] [PRIVATE_DEPENDS ...] [TORCH])
# One module: a static library synod_NAME with the alias synod::NAME, included by full path from the root.
# TORCH marks a module whose .cpp files use LibTorch: they share one precompiled header and a job pool.
function(synod_module NAME)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "synod_module(${NAME}): no sources")
  endif()
  set(TARGET synod_${NAME})
  add_library(${TARGET} STATIC ${ARG_SOURCES})
  add_library(synod::${NAME} ALIAS ${TARGET})
  target_include_directories(${TARGET} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${TARGET} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  synod_warnings(${TARGET})
  if(ARG_TORCH)
    synod_use_torch(${TARGET})
  endif()
endfunction()

# Gives a target the LibTorch headers, the shared precompiled header and the job pool.
function(synod_use_torch TARGET)
  target_link_libraries(${TARGET} PRIVATE synod_torch)
  target_precompile_headers(${TARGET} REUSE_FROM synod_torch_pch)
  # The precompiled header fixes the options: the warnings of this target must equal those of synod_torch_pch.
  set_property(TARGET ${TARGET} PROPERTY JOB_POOL_COMPILE synod_torch_pool)
endfunction()

# synod_test(NAME SOURCES ... [DEPENDS ...] [LABELS quick] [TIMEOUT 60] [SHARDS n]): one GoogleTest program, one CTest
# entry a test. With SHARDS one entry an n-th of the tests: for programs of hundreds of tests that take less time than
# LibTorch needs to start.
function(synod_test NAME)
  cmake_parse_arguments(ARG "TORCH" "LABELS;TIMEOUT;SHARDS" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS quick)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  # The code is an object library: position-independent like every library, as the precompiled header wants it.
  add_library(${NAME}_objects OBJECT ${ARG_SOURCES})
  target_link_libraries(${NAME}_objects PUBLIC ${ARG_DEPENDS} synod_test_support GTest::gmock)
  target_include_directories(${NAME}_objects PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${NAME}_objects
    PRIVATE SYNOD_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SYNOD_BINARY_DIR="${CMAKE_BINARY_DIR}")
  synod_warnings(${NAME}_objects)
  if(SYNOD_SANITIZE MATCHES "undefined")
    # Looked for in our code, not in the tests' own: a third of the time that a test takes to compile, and the address
    # sanitizer sees what comes of them.
    target_compile_options(${NAME}_objects PRIVATE -fno-sanitize=null,alignment,object-size,vptr)
  endif()
  add_executable(${NAME})
  target_link_libraries(${NAME} PRIVATE ${NAME}_objects GTest::gtest_main)
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(ARG_TORCH)
    synod_use_torch(${NAME}_objects)
    target_link_libraries(${NAME} PRIVATE synod_torch)
  else()
    set_target_properties(${NAME}_objects PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
  if(ARG_SHARDS)
    math(EXPR last "${ARG_SHARDS} - 1")
    foreach(shard RANGE ${last})
      add_test(NAME ${NAME}.${shard} COMMAND ${NAME})
      set_tests_properties(${NAME}.${shard} PROPERTIES LABELS ${ARG_LABELS} TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT
        "OMP_WAIT_POLICY=passive;GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard}")
    endforeach()
    return()
  endif()
  # PRE_TEST: the tests are listed when ctest starts, so that a build needs no run of LibTorch programs.
  gtest_discover_tests(${NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABELS} TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
