#include "common/crypto/aes_ctr.h"

#include <algorithm>

#include "common/crypto/openssl_handles.h"

namespace synod {

struct AesCtrStream::State {
  CipherContext context{EVP_CIPHER_CTX_new()};
  CounterBlock first{};
};

AesCtrStream::AesCtrStream(ByteView key, const CounterBlock& first) : state_(std::make_unique<State>()) {
  SYNOD_CHECK(state_->context != nullptr, "out of memory");
  state_->first = first;
  SYNOD_OPENSSL_CHECK(EVP_EncryptInit_ex(state_->context.get(), EVP_aes_256_ctr(), nullptr, nullptr, nullptr));
  Rekey(key);
}
AesCtrStream::AesCtrStream(AesCtrStream&&) noexcept = default;
AesCtrStream& AesCtrStream::operator=(AesCtrStream&&) noexcept = default;
AesCtrStream::~AesCtrStream() = default;  // EVP_CIPHER_CTX_free wipes the key schedule

void AesCtrStream::Rekey(ByteView key) {
  SYNOD_CHECK(key.size() == kKeyBytes, "an AES-256 key has 32 bytes");
  SYNOD_OPENSSL_CHECK(EVP_EncryptInit_ex(state_->context.get(), nullptr, nullptr, key.data(), state_->first.data()));
}

void AesCtrStream::Keystream(std::span<std::uint8_t> output) {
  static constexpr std::array<std::uint8_t, 16384> kZeros{};
  while (!output.empty()) {
    const std::size_t size = std::min(output.size(), kZeros.size());
    int written = 0;
    SYNOD_OPENSSL_CHECK(
        EVP_EncryptUpdate(state_->context.get(), output.data(), &written, kZeros.data(), static_cast<int>(size)));
    SYNOD_CHECK(written == static_cast<int>(size), "counter mode changed the length");
    output = output.subspan(size);
  }
}

void AesCtrStream::Xor(std::span<std::uint8_t> data) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // OpenSSL's lengths are ints
  while (!data.empty()) {
    const std::size_t size = std::min(data.size(), kMostBytes);
    int written = 0;
    SYNOD_OPENSSL_CHECK(
        EVP_EncryptUpdate(state_->context.get(), data.data(), &written, data.data(), static_cast<int>(size)));
    SYNOD_CHECK(written == static_cast<int>(size), "counter mode changed the length");
    data = data.subspan(size);
  }
}

void AesCtrStream::Seek(std::uint64_t byte_offset) {
  CounterBlock counter = state_->first;
  std::uint64_t carry = byte_offset / kBlockBytes;
  for (std::size_t i = kBlockBytes; i-- > 0 && carry != 0;) {
    carry += counter[i];
    counter[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  SYNOD_OPENSSL_CHECK(EVP_EncryptInit_ex(state_->context.get(), nullptr, nullptr, nullptr, counter.data()));
  std::array<std::uint8_t, kBlockBytes> skipped{};
  Keystream(std::span(skipped).first(byte_offset % kBlockBytes));
}

}  // namespace synod
