// The secret randomness of a party: who is drawn, noise, keys.
//
// A stream of AES-256 in counter mode, keyed from the operating system's generator and from nothing else: there is no
// public way to seed it, so no seed, file, message or flag can ever decide the noise. After every kBufferBytes the
// first 32 bytes of the fresh buffer become the next key (fast key erasure): output of earlier buffers cannot be
// computed again. A stream is moved, never copied, belongs to one thread at a time, and refuses to go on in a forked
// child process.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "common/crypto/aes_ctr.h"
#include "common/crypto/secret_bytes.h"

namespace synod {

class SecretRandom {
 public:
  static constexpr std::size_t kBufferBytes = 32 * 1024;

  static SecretRandom FromOperatingSystem();

  SecretRandom(SecretRandom&&) noexcept = default;
  SecretRandom& operator=(SecretRandom&&) noexcept = default;

  // A new stream, independent of this one and of every other fork. Also under an equal label and index no stream is
  // ever handed out twice: each fork counts. (Forks of a test's stream repeat when the sequence of forks does.)
  SecretRandom Fork(std::string_view label, std::uint64_t index);

  void Fill(std::span<std::uint8_t> output);

  std::uint64_t NextWord64() {
    if (position_ + sizeof(std::uint64_t) > buffer_.size()) Refill();
    std::uint64_t word = 0;
    std::memcpy(&word, buffer_.view().data() + position_, sizeof word);
    position_ += sizeof word;
    return word;
  }

  // True with probability threshold / 2^64, exactly.
  bool Bernoulli(std::uint64_t threshold) { return NextWord64() < threshold; }

 private:
  friend struct SecretRandomForTestsOnly;  // defined in tests/support alone

  explicit SecretRandom(const SecretBytes& key);
  void Refill();

  SecretBytes fork_key_;
  AesCtrStream stream_;
  SecretBytes buffer_;
  std::size_t position_;  // of the next unused byte of buffer_
  std::uint64_t forks_ = 0;
  std::int64_t process_id_;
};

}  // namespace synod
