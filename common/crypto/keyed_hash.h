// A keyed 64-bit hash of 64-bit numbers: the first half of AES-256 of the number. Distinct numbers have independent,
// uniform hashes to whoever does not know the key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/crypto/secret_bytes.h"

namespace synod {

// `key` has 32 bytes. The hashes of all `numbers`, in their order.
std::vector<std::uint64_t> KeyedHashes(const SecretBytes& key, std::span<const std::uint64_t> numbers);

}  // namespace synod
