// SHA-256 (FIPS 180-4), of one piece or in pieces.
#pragma once

#include <memory>
#include <string_view>

#include "common/core/bytes.h"

namespace synod {

Digest Sha256(ByteView bytes);
inline Digest Sha256(std::string_view text) {
  return Sha256(AsBytes(text));
}

class Sha256Hasher {
 public:
  Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&&) noexcept;
  ~Sha256Hasher();

  void Update(ByteView bytes);
  void Update(std::string_view text) { Update(AsBytes(text)); }
  void UpdateLittleEndian64(std::uint64_t value);
  // The digest of all bytes so far; the hasher is empty afterwards and may be used again.
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace synod
