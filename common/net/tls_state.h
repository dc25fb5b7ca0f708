// The OpenSSL side of TlsContext; only this module's .cpp files include it.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>

#include "common/crypto/openssl_handles.h"
#include "common/net/tls_context.h"

namespace synod {

struct TlsContext::State {
  OpensslHandle<SSL_CTX, SSL_CTX_free> context;
  TlsSide side = TlsSide::kClient;
};

// The first reason in OpenSSL's queue of errors, which is empty afterwards; "" if there is none.
inline std::string TakeOpensslReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == nullptr ? "" : reason;
}

}  // namespace synod
