#include "common/crypto/secret_random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "common/core/check.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/openssl_handles.h"

namespace synod {
namespace {

static_assert(std::endian::native == std::endian::little, "words of random streams are little-endian");

SecretBytes Derive(ByteView key, std::string_view label) {
  return HkdfSha256(key, AsBytes("synod.secret_random"), AsBytes(label), AesCtrStream::kKeyBytes);
}

void AppendLittleEndian64(Bytes& bytes, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

SecretRandom::SecretRandom(const SecretBytes& key)
    : fork_key_(Derive(key.view(), "fork")),
      stream_(Derive(key.view(), "stream").view()),
      buffer_(kBufferBytes),
      position_(kBufferBytes),
      process_id_(::getpid()) {}

SecretRandom SecretRandom::FromOperatingSystem() {
  SecretBytes key(AesCtrStream::kKeyBytes);
  SYNOD_CHECK(RAND_priv_bytes(key.bytes().data(), static_cast<int>(key.size())) == 1,
              "the operating system has no randomness");
  return SecretRandom(key);
}

SecretRandom SecretRandom::Fork(std::string_view label, std::uint64_t index) {
  SYNOD_CHECK(fork_key_.size() == AesCtrStream::kKeyBytes, "fork of a stream that was moved away");
  SYNOD_CHECK(process_id_ == ::getpid(), "a secret stream was copied into a child process");
  Bytes info(label.begin(), label.end());  // the two numbers have a fixed size, so that no two infos are equal
  AppendLittleEndian64(info, index);
  AppendLittleEndian64(info, forks_++);
  return SecretRandom(HkdfSha256(fork_key_.view(), AsBytes("synod.secret_random.fork"), info, AesCtrStream::kKeyBytes));
}

void SecretRandom::Refill() {
  SYNOD_CHECK(buffer_.size() == kBufferBytes, "use of a stream that was moved away");
  SYNOD_CHECK(process_id_ == ::getpid(), "a secret stream was copied into a child process");
  stream_.Keystream(buffer_.bytes());
  stream_.Rekey(buffer_.view().first(AesCtrStream::kKeyBytes));
  OPENSSL_cleanse(buffer_.bytes().data(), AesCtrStream::kKeyBytes);
  position_ = AesCtrStream::kKeyBytes;
}

void SecretRandom::Fill(std::span<std::uint8_t> output) {
  while (!output.empty()) {
    if (position_ >= buffer_.size()) Refill();
    const std::size_t size = std::min(output.size(), buffer_.size() - position_);
    std::memcpy(output.data(), buffer_.view().data() + position_, size);
    position_ += size;
    output = output.subspan(size);
  }
}

}  // namespace synod
