#include "tests/support/deterministic_random.h"

#include "common/crypto/sha256.h"

namespace synod {

SecretRandom SecretRandomForTestsOnly::FromSeed(std::uint64_t seed) {
  Sha256Hasher hasher;
  hasher.Update("synod.tests.secret_random");
  hasher.UpdateLittleEndian64(seed);
  return SecretRandom(SecretBytes::CopyOf(hasher.Finish()));
}

SecretRandom SecretRandomForTestsOnly::FromText(std::string_view seed) {
  Sha256Hasher hasher;
  hasher.Update("synod.tests.secret_random.text");
  hasher.Update(seed);
  return SecretRandom(SecretBytes::CopyOf(hasher.Finish()));
}

}  // namespace synod
