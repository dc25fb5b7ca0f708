// Poly1305 (RFC 8439), the one-time authenticator: whoever does not know the key makes another message of up to L bytes
// with the same tag with a probability of at most 8 ceil(L / 16) / 2^106. A key authenticates one message, ever.
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "common/core/bytes.h"

namespace synod {

class Poly1305 {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  using Key = std::array<std::uint8_t, kKeyBytes>;
  using Tag = std::array<std::uint8_t, 16>;

  explicit Poly1305(ByteView key);  // kKeyBytes bytes
  Poly1305(Poly1305&&) noexcept;
  Poly1305& operator=(Poly1305&&) noexcept;
  ~Poly1305();

  void Update(ByteView bytes);
  // Of all bytes so far; once.
  Tag Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace synod
