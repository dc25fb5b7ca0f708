#include "common/net/tls_step.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/net/tls_state.h"

namespace synod {
namespace {

constexpr std::size_t kRecordBytes = 16384;

// What OpenSSL reads from and writes to.
struct Pipe {
  ByteView input;
  Bytes output;
};

int ReadPipe(BIO* bio, char* out, int size) {
  auto& pipe = *static_cast<Pipe*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (pipe.input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(pipe.input.size(), static_cast<std::size_t>(size));
  std::memcpy(out, pipe.input.data(), taken);
  pipe.input = pipe.input.subspan(taken);
  return static_cast<int>(taken);
}

int WritePipe(BIO* bio, const char* bytes, int size) {
  auto& pipe = *static_cast<Pipe*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  pipe.output.insert(pipe.output.end(), bytes, bytes + size);
  return size;
}

long ControlPipe(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

using MethodHandle = OpensslHandle<BIO_METHOD, BIO_meth_free>;

const BIO_METHOD* PipeMethod() {
  static const MethodHandle kMethod = [] {
    MethodHandle method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes in and out"));
    SYNOD_CHECK(method != nullptr, "out of memory");
    SYNOD_OPENSSL_CHECK(BIO_meth_set_read(method.get(), ReadPipe));
    SYNOD_OPENSSL_CHECK(BIO_meth_set_write(method.get(), WritePipe));
    SYNOD_OPENSSL_CHECK(BIO_meth_set_ctrl(method.get(), ControlPipe));
    return method;
  }();
  return kMethod.get();
}

}  // namespace

struct TlsStep::State {
  Pipe pipe;
  OpensslHandle<SSL, SSL_free> ssl;
  std::uint64_t key_update_bytes = 0;
  std::uint64_t bytes_with_key = 0;
  bool failed = false;

  Error Fail() {
    failed = true;
    std::string message = "TLS: ";
    const long verified = SSL_get_verify_result(ssl.get());
    const std::string reason = TakeOpensslReason();
    message += reason.empty() ? "the session broke" : reason;
    if (verified != X509_V_OK) message += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
    return Error{ErrorCode::kConnection, std::move(message), ""};
  }

  // Whether the result of a call only means that bytes of the other side are needed.
  bool WantsBytes(int result) const { return SSL_get_error(ssl.get(), result) == SSL_ERROR_WANT_READ; }
};

TlsStep::TlsStep(const TlsContext& context, std::uint64_t key_update_bytes) : state_(std::make_unique<State>()) {
  state_->key_update_bytes = key_update_bytes;
  state_->ssl.reset(SSL_new(context.state().context.get()));
  BIO* bio = BIO_new(PipeMethod());
  SYNOD_CHECK(state_->ssl != nullptr && bio != nullptr, "out of memory");
  BIO_set_data(bio, &state_->pipe);
  BIO_set_init(bio, 1);
  SSL_set_bio(state_->ssl.get(), bio, bio);  // takes the one reference
  if (context.state().side == TlsSide::kServer) {
    SSL_set_accept_state(state_->ssl.get());
  } else {
    SSL_set_connect_state(state_->ssl.get());
  }
}

TlsStep::~TlsStep() = default;

Status TlsStep::Start() {
  Bytes nothing;
  return Receive({}, nothing);
}

Status TlsStep::Receive(ByteView bytes, Bytes& plain) {
  if (state_->failed) return Error{ErrorCode::kConnection, "TLS: the session is over", ""};
  ERR_clear_error();
  SSL* ssl = state_->ssl.get();
  state_->pipe.input = bytes;
  if (!SSL_is_init_finished(ssl)) {
    const int result = SSL_do_handshake(ssl);
    if (result != 1) {
      if (!state_->WantsBytes(result)) return state_->Fail();
      return {};
    }
  }
  std::array<std::uint8_t, kRecordBytes> record;
  for (;;) {
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl, record.data(), record.size(), &count);
    if (result == 1) {
      plain.insert(plain.end(), record.begin(), record.begin() + static_cast<std::ptrdiff_t>(count));
      continue;
    }
    const int reason = SSL_get_error(ssl, result);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_ZERO_RETURN) return {};
    return state_->Fail();
  }
}

Status TlsStep::Write(ByteView plain) {
  SYNOD_CHECK(established(), "nothing is written before a session is established");
  if (state_->failed) return Error{ErrorCode::kConnection, "TLS: the session is over", ""};
  if (plain.empty()) return {};
  ERR_clear_error();
  SSL* ssl = state_->ssl.get();
  if (state_->bytes_with_key >= state_->key_update_bytes) {
    SYNOD_OPENSSL_CHECK(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED));
    state_->bytes_with_key = 0;
  }
  state_->bytes_with_key += plain.size();
  std::size_t written = 0;
  if (SSL_write_ex(ssl, plain.data(), plain.size(), &written) != 1 || written != plain.size()) return state_->Fail();
  return {};
}

void TlsStep::End() {
  if (state_->failed || !established()) return;
  ERR_clear_error();
  SSL_shutdown(state_->ssl.get());
  ERR_clear_error();
}

bool TlsStep::established() const {
  return SSL_is_init_finished(state_->ssl.get()) == 1;
}

bool TlsStep::peer_ended() const {
  return (SSL_get_shutdown(state_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Bytes TlsStep::PeerLeafDer() const {
  const OpensslHandle<X509, X509_free> leaf(SSL_get1_peer_certificate(state_->ssl.get()));
  SYNOD_CHECK(leaf != nullptr, "an established session has a peer's certificate");
  const int size = i2d_X509(leaf.get(), nullptr);
  SYNOD_CHECK(size > 0, "a certificate has a DER form");
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* out = der.data();
  SYNOD_CHECK(i2d_X509(leaf.get(), &out) == size, "a certificate has a DER form");
  return der;
}

Bytes& TlsStep::output() {
  return state_->pipe.output;
}

}  // namespace synod
