// Private keys in PEM files, and what a labelled signature covers: shared by the key types of this module.
// Only .cpp files of this module include this header.
#pragma once

#include <string>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/crypto/openssl_handles.h"

namespace synod {

// No passphrase is ever asked for: an encrypted file is an error.
inline int RefuseKeyPassphrase(char*, int, int, void*) {
  return -1;
}

// The unencrypted private key of a regular file, of whatever kind; null where the file holds none. BadInput where it
// cannot be read.
Result<KeyHandle> ReadPrivateKey(const std::string& path);

// As a new file (0600), synced; nothing is left behind where that fails.
Status WritePrivateKey(const std::string& path, EVP_PKEY* key);

// label | 0x00 | message
Bytes LabelledBytes(std::string_view label, ByteView message);

}  // namespace synod
