// The key stream of AES-256 in counter mode (NIST SP 800-38A), which can be read from any position.
// Not thread-safe; a stream belongs to one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "common/core/bytes.h"

namespace synod {

class AesCtrStream {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  static constexpr std::size_t kBlockBytes = 16;
  using CounterBlock = std::array<std::uint8_t, kBlockBytes>;  // big-endian, as in the standard

  // `key` has kKeyBytes bytes.
  explicit AesCtrStream(ByteView key, const CounterBlock& first = {});
  AesCtrStream(AesCtrStream&&) noexcept;
  AesCtrStream& operator=(AesCtrStream&&) noexcept;
  ~AesCtrStream();

  // The next bytes of the key stream.
  void Keystream(std::span<std::uint8_t> output);
  // Encrypts or decrypts in place with the next bytes of the key stream.
  void Xor(std::span<std::uint8_t> data);
  // Moves to `byte_offset` from the first counter block.
  void Seek(std::uint64_t byte_offset);
  // Starts again at position 0 under another key.
  void Rekey(ByteView key);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace synod
