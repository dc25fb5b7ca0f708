#include "common/crypto/poly1305.h"

#include <openssl/evp.h>

#include "common/crypto/openssl_handles.h"

namespace synod {

using MacHandle = OpensslHandle<EVP_MAC, EVP_MAC_free>;
using MacContext = OpensslHandle<EVP_MAC_CTX, EVP_MAC_CTX_free>;

struct Poly1305::State {
  MacHandle mac{EVP_MAC_fetch(nullptr, "POLY1305", nullptr)};
  MacContext context;
};

Poly1305::Poly1305(ByteView key) : state_(std::make_unique<State>()) {
  SYNOD_CHECK(key.size() == kKeyBytes, "a Poly1305 key has 32 bytes");
  SYNOD_CHECK(state_->mac != nullptr, "this OpenSSL has no Poly1305");
  state_->context.reset(EVP_MAC_CTX_new(state_->mac.get()));
  SYNOD_CHECK(state_->context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_MAC_init(state_->context.get(), key.data(), key.size(), nullptr));
}
Poly1305::Poly1305(Poly1305&&) noexcept = default;
Poly1305& Poly1305::operator=(Poly1305&&) noexcept = default;
Poly1305::~Poly1305() = default;

void Poly1305::Update(ByteView bytes) {
  if (bytes.empty()) return;
  SYNOD_OPENSSL_CHECK(EVP_MAC_update(state_->context.get(), bytes.data(), bytes.size()));
}

Poly1305::Tag Poly1305::Finish() {
  Tag tag{};
  std::size_t size = 0;
  SYNOD_OPENSSL_CHECK(EVP_MAC_final(state_->context.get(), tag.data(), &size, tag.size()));
  SYNOD_CHECK(size == tag.size(), "a Poly1305 tag has 16 bytes");
  return tag;
}

}  // namespace synod
