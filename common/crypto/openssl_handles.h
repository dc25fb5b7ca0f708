// Owning handles of OpenSSL objects, and the check for calls that can only fail through our own bug or lack of memory.
// Only .cpp files include this header: no other header of the project names an OpenSSL type.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>

#include "common/core/check.h"

namespace synod {

template <auto kFree>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

template <typename T, auto kFree>
using OpensslHandle = std::unique_ptr<T, OpensslDeleter<kFree>>;

using CipherContext = OpensslHandle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using DigestContext = OpensslHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyHandle = OpensslHandle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = OpensslHandle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using KdfHandle = OpensslHandle<EVP_KDF, EVP_KDF_free>;
using KdfContext = OpensslHandle<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using BioHandle = OpensslHandle<BIO, BIO_free_all>;

}  // namespace synod

// For OpenSSL calls whose success does not depend on input: anything but 1 ends the program.
#define SYNOD_OPENSSL_CHECK(call) SYNOD_CHECK((call) == 1, "an OpenSSL call failed that cannot fail on input")
