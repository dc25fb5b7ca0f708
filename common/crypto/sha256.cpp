#include "common/crypto/sha256.h"

#include "common/crypto/openssl_handles.h"

namespace synod {

struct Sha256Hasher::State {
  DigestContext context{EVP_MD_CTX_new()};
};

Sha256Hasher::Sha256Hasher() : state_(std::make_unique<State>()) {
  SYNOD_CHECK(state_->context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}
Sha256Hasher::Sha256Hasher(Sha256Hasher&&) noexcept = default;
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&&) noexcept = default;
Sha256Hasher::~Sha256Hasher() = default;

void Sha256Hasher::Update(ByteView bytes) {
  SYNOD_OPENSSL_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

void Sha256Hasher::UpdateLittleEndian64(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  Update(ByteView(bytes));
}

Digest Sha256Hasher::Finish() {
  Digest digest{};
  unsigned size = 0;
  SYNOD_OPENSSL_CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size));
  SYNOD_CHECK(size == digest.size(), "SHA-256 gave another length");
  SYNOD_OPENSSL_CHECK(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
  return digest;
}

Digest Sha256(ByteView bytes) {
  Sha256Hasher hasher;
  hasher.Update(bytes);
  return hasher.Finish();
}

}  // namespace synod
