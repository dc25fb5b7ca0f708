// Authenticated encryption: AES-256 in Galois/counter mode (NIST SP 800-38D) with a tag of 16 bytes behind the text.
// A pair of key and nonce encrypts one text, ever: the caller's duty.
#pragma once

#include <array>
#include <cstdint>

#include "common/core/result.h"
#include "common/crypto/secret_bytes.h"

namespace synod {

inline constexpr std::size_t kGcmKeyBytes = 32;
inline constexpr std::size_t kGcmTagBytes = 16;
using GcmNonce = std::array<std::uint8_t, 12>;

// `key` has kGcmKeyBytes; `plain` is shorter than 1 GiB (our own duty). Text, then tag.
Bytes GcmSeal(ByteView key, const GcmNonce& nonce, ByteView associated, ByteView plain);
// VerificationFailed, and nothing of the text, if key, nonce, associated data, text or tag differ from the sealing's.
Result<SecretBytes> GcmOpen(ByteView key, const GcmNonce& nonce, ByteView associated, ByteView sealed);

}  // namespace synod
