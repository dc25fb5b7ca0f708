#include "common/crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <string>

#include "common/crypto/openssl_handles.h"

namespace synod {
namespace {

// OpenSSL's parameter lists take pointers to non-const data that they only read.
OSSL_PARAM OctetParameter(const char* name, ByteView bytes) {
  static const std::uint8_t kEmpty = 0;
  const std::uint8_t* data = bytes.empty() ? &kEmpty : bytes.data();
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(data), bytes.size());
}

}  // namespace

SecretBytes HkdfSha256(ByteView key, ByteView salt, ByteView info, std::size_t size) {
  SYNOD_CHECK(!key.empty() && size >= 1 && size <= 255 * 32, "HKDF asked for an impossible length");
  const KdfHandle kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  SYNOD_CHECK(kdf != nullptr, "this OpenSSL has no HKDF");
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  SYNOD_CHECK(context != nullptr, "out of memory");
  std::string digest_name = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), digest_name.size()),
      OctetParameter(OSSL_KDF_PARAM_KEY, key), OctetParameter(OSSL_KDF_PARAM_SALT, salt),
      OctetParameter(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  SecretBytes output(size);
  SYNOD_OPENSSL_CHECK(EVP_KDF_derive(context.get(), output.bytes().data(), size, parameters.data()));
  return output;
}

}  // namespace synod
