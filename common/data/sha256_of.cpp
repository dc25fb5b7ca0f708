#include "common/data/sha256_of.h"

#include <openssl/evp.h>

#include "common/core/check.h"

namespace synod {

Digest Sha256Of(std::string_view text) {
  Digest digest{};
  unsigned size = 0;
  const int ok = EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SYNOD_CHECK(ok == 1 && size == digest.size(), "SHA-256 is available");
  return digest;
}

}  // namespace synod
