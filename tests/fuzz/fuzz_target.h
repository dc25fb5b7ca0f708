// What libFuzzer and the replaying tests call. Input is anything; a target returns 0 and must neither crash nor leak.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
