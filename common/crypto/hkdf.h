// HKDF with SHA-256 (RFC 5869), extract and expand.
#pragma once

#include <cstddef>

#include "common/crypto/secret_bytes.h"

namespace synod {

// `size` in 1..8160 bytes, `key` not empty (both our own duty, not input).
SecretBytes HkdfSha256(ByteView key, ByteView salt, ByteView info, std::size_t size);

}  // namespace synod
