// Secret randomness that repeats, for tests alone: no installed program may link this (tests/unit/tree checks).
#pragma once

#include <cstdint>
#include <string_view>

#include "common/crypto/secret_random.h"

namespace synod {

struct SecretRandomForTestsOnly {
  static SecretRandom FromSeed(std::uint64_t seed);
  static SecretRandom FromText(std::string_view seed);
};

}  // namespace synod
