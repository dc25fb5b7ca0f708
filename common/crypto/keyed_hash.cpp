#include "common/crypto/keyed_hash.h"

#include <algorithm>

#include "common/crypto/openssl_handles.h"

namespace synod {

std::vector<std::uint64_t> KeyedHashes(const SecretBytes& key, std::span<const std::uint64_t> numbers) {
  SYNOD_CHECK(key.size() == 32, "the key of a hash has 32 bytes");
  const CipherContext context(EVP_CIPHER_CTX_new());
  SYNOD_CHECK(context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_ecb(), nullptr, key.view().data(), nullptr));
  SYNOD_OPENSSL_CHECK(EVP_CIPHER_CTX_set_padding(context.get(), 0));
  constexpr std::size_t kBatch = 1024;
  std::vector<std::uint64_t> blocks(2 * kBatch);  // one cipher block a number: the number, then zero
  std::vector<std::uint64_t> hashes;
  hashes.reserve(numbers.size());
  while (!numbers.empty()) {
    const std::size_t count = std::min(kBatch, numbers.size());
    for (std::size_t i = 0; i < count; ++i) {
      blocks[2 * i] = numbers[i];
      blocks[2 * i + 1] = 0;
    }
    auto* bytes = reinterpret_cast<std::uint8_t*>(blocks.data());
    int written = 0;
    SYNOD_OPENSSL_CHECK(EVP_EncryptUpdate(context.get(), bytes, &written, bytes, static_cast<int>(16 * count)));
    SYNOD_CHECK(written == static_cast<int>(16 * count), "a block cipher changed the length");
    for (std::size_t i = 0; i < count; ++i) hashes.push_back(blocks[2 * i]);
    numbers = numbers.subspan(count);
  }
  return hashes;
}

}  // namespace synod
