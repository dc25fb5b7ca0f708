// Owning handles of OpenSSL's certificate types and the few calls that the .cpp files of certificates share.
// Only .cpp files of this module include this header.
#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>

#include "common/core/bytes.h"
#include "common/crypto/key_file.h"
#include "common/crypto/openssl_handles.h"
#include "common/crypto/x509.h"

namespace synod {

using X509Handle = OpensslHandle<X509, X509_free>;
using X509RequestHandle = OpensslHandle<X509_REQ, X509_REQ_free>;
using X509NameHandle = OpensslHandle<X509_NAME, X509_NAME_free>;
using X509ExtensionHandle = OpensslHandle<X509_EXTENSION, X509_EXTENSION_free>;
using GeneralNamesHandle = OpensslHandle<GENERAL_NAMES, GENERAL_NAMES_free>;
using Asn1TimeHandle = OpensslHandle<ASN1_TIME, ASN1_TIME_free>;
using BignumHandle = OpensslHandle<BIGNUM, BN_free>;
using EcdsaSignatureHandle = OpensslHandle<ECDSA_SIG, ECDSA_SIG_free>;

struct TlsKey::State {
  KeyHandle key;
};

// A memory BIO over `text`, which must outlive it; `text` is shorter than 2 GiB.
BioHandle ReadingBio(std::string_view text);
std::string TextOf(const BioHandle& bio);

// The name of a root in its own certificate.
Identity RootIdentity(const std::string& consortium);

// Whether `key` is an ECDSA key on P-256 in the one encoding that we accept: named curve, uncompressed point.
bool IsP256(EVP_PKEY* key);
// SHA-256 of the DER of its SubjectPublicKeyInfo.
Digest PublicKeyFingerprint(EVP_PKEY* key);

}  // namespace synod
