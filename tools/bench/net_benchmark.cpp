#include "tools/bench/net_benchmark.h"

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/crypto/openssl_handles.h"
#include "common/crypto/sha256.h"
#include "common/net/link_client.h"
#include "common/net/link_server.h"

namespace synod {
namespace {

constexpr double kPatienceSeconds = 120.0;

double Now() {
  return SystemClock().MonotonicSeconds();
}

// Files of a coordinator and a site, gone at the end.
class BenchmarkKit {
 public:
  static Result<std::unique_ptr<BenchmarkKit>> Make() {
    std::string name = (std::filesystem::temp_directory_path() / "synod-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return Failed("cannot make a temporary folder");
    std::unique_ptr<BenchmarkKit> kit(new BenchmarkKit(name.data()));
    const TlsKey root_key = TlsKey::Generate();
    const std::int64_t now = SystemClock().UnixSeconds();
    SYNOD_ASSIGN_OR_RETURN(const X509Certificate root, MakeRoot(root_key, "bench", now - 60, now + 86400));
    SYNOD_RETURN_IF_ERROR(WriteFileAtomically(kit->folder_ + "/ca.pem", AsBytes(root.ToPem())));
    for (const Identity& identity :
         {Identity{"bench", Role::kCoordinator, "coordinator"}, Identity{"bench", Role::kSite, "site"}}) {
      const TlsKey key = TlsKey::Generate();
      const TlsFiles files = kit->FilesOf(identity.name);
      SYNOD_RETURN_IF_ERROR(key.WritePemFile(files.key_file));
      SYNOD_ASSIGN_OR_RETURN(const X509Certificate leaf,
                             Issue(root_key, root, MakeRequest(key, identity), identity, now - 60, now + 86400));
      SYNOD_RETURN_IF_ERROR(WriteFileAtomically(files.certificate_file, AsBytes(leaf.ToPem())));
    }
    return kit;
  }
  ~BenchmarkKit() { std::filesystem::remove_all(folder_); }
  BenchmarkKit(const BenchmarkKit&) = delete;
  BenchmarkKit& operator=(const BenchmarkKit&) = delete;
  TlsFiles FilesOf(const std::string& name) const {
    return {folder_ + "/ca.pem", folder_ + "/" + name + ".crt", folder_ + "/" + name + ".key"};
  }

 private:
  explicit BenchmarkKit(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

LinkRules OpenRules() {
  LinkRules rules;
  rules.check_peer = [](const X509Certificate&) { return Status(); };
  rules.payload_limit = [](const Identity&, const Message&) { return ~std::uint64_t{0}; };
  rules.trust_numbers = [] { return std::pair<std::uint64_t, std::uint64_t>(1, 1); };
  return rules;
}

// Waits until the socket has something or the end's timer is due.
void WaitFor(void* handle, double next_timer) {
  zmq_pollitem_t item = {handle, 0, ZMQ_POLLIN, 0};
  const double wait = std::clamp(next_timer - Now(), 0.0, 0.1);
  zmq_poll(&item, 1, static_cast<long>(1e3 * wait + 0.999));
}

// The site's end in its own thread: takes payloads, answers small messages.
class FarEnd {
 public:
  FarEnd(std::unique_ptr<zmq::context_t> context, std::unique_ptr<LinkClient> client)
      : context_(std::move(context)), client_(std::move(client)), thread_([this] { Run(); }) {}
  ~FarEnd() { Stop(); }
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int payloads() const { return payloads_; }
  std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  void Run() {
    while (!stop_) {
      WaitFor(client_->zmq_handle(), client_->next_timer());
      const std::vector<LinkEvent> events = client_->Advance();
      bytes_received_ = client_->statistics().bytes_received;
      for (const LinkEvent& event : events) {
        const auto* message = std::get_if<PeerMessage>(&event);
        if (message == nullptr) continue;
        if (message->envelope.payload) {
          ++payloads_;
        } else {
          static_cast<void>(client_->Send({AnswerRefused{}, nullptr}));
        }
      }
    }
  }
  std::unique_ptr<zmq::context_t> context_;
  std::unique_ptr<LinkClient> client_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> payloads_ = 0;
  std::atomic<std::uint64_t> bytes_received_ = 0;
  std::thread thread_;
};

class NearEnd {
 public:
  NearEnd(std::unique_ptr<zmq::context_t> context, std::unique_ptr<LinkServer> server)
      : context_(std::move(context)), server_(std::move(server)) {}

  // Drives this end until `done`.
  Status Until(const std::function<bool()>& done) {
    const double end = Now() + kPatienceSeconds;
    while (!done()) {
      if (Now() > end) return Error{ErrorCode::kTimeout, "the link stands still", ""};
      WaitFor(server_->zmq_handle(), server_->next_timer());
      for (const LinkEvent& event : server_->Advance()) {
        if (const auto* opened = std::get_if<PeerOpened>(&event)) peer_ = opened->peer;
        if (std::holds_alternative<PeerMessage>(event)) ++answers_;
        if (const auto* closed = std::get_if<PeerClosed>(&event)) return closed->error;
      }
    }
    return {};
  }
  Status WaitForPeer() {
    return Until([&] { return peer_ != 0; });
  }
  Status Send(Envelope envelope) { return server_->Send(peer_, std::move(envelope)); }

  Result<double> MedianRoundTripMilliseconds(int count) {
    std::vector<double> milliseconds;
    for (int i = 0; i < count; ++i) {
      const int before = answers_;
      const double start = Now();
      SYNOD_RETURN_IF_ERROR(Send({QueryClosed{}, nullptr}));
      SYNOD_RETURN_IF_ERROR(Until([&] { return answers_ > before; }));
      milliseconds.push_back(1e3 * (Now() - start));
    }
    std::nth_element(milliseconds.begin(), milliseconds.begin() + count / 2, milliseconds.end());
    return milliseconds[static_cast<std::size_t>(count / 2)];
  }

 private:
  std::unique_ptr<zmq::context_t> context_;
  std::unique_ptr<LinkServer> server_;
  PeerId peer_ = 0;
  int answers_ = 0;
};

double RateOf(std::size_t bytes, const std::function<void()>& work) {
  constexpr double kSeconds = 0.5;
  const double start = Now();
  double done = 0.0;
  while (Now() - start < kSeconds) {
    work();
    done += static_cast<double>(bytes);
  }
  return 1e-6 * done / (Now() - start);
}

double AesGcmRate() {
  constexpr std::size_t kRecordBytes = 16384;
  constexpr int kRecordsAtOnce = 64;
  const CipherContext cipher(EVP_CIPHER_CTX_new());
  const Bytes key(32, 1);
  const Bytes nonce(12, 2);
  const Bytes plain(kRecordBytes, 3);
  Bytes out(kRecordBytes + 16);
  return RateOf(kRecordBytes * kRecordsAtOnce, [&] {
    for (int i = 0; i < kRecordsAtOnce; ++i) {
      int count = 0;
      SYNOD_OPENSSL_CHECK(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()));
      SYNOD_OPENSSL_CHECK(EVP_EncryptUpdate(cipher.get(), out.data(), &count, plain.data(), kRecordBytes));
      SYNOD_OPENSSL_CHECK(EVP_EncryptFinal_ex(cipher.get(), out.data() + count, &count));
    }
  });
}

double Sha256Rate() {
  const Bytes data(1u << 20, 3);
  return RateOf(data.size(), [&] { static_cast<void>(Sha256(data)); });
}

}  // namespace

Result<NetTiming> TimeNet(const NetBenchmarkCase& setting) {
  NetTiming timing;
  timing.aes_gcm_mb_per_s = AesGcmRate();
  timing.sha256_mb_per_s = Sha256Rate();
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<BenchmarkKit> kit, BenchmarkKit::Make());
  const SystemClock clock;
  auto near_context = std::make_unique<zmq::context_t>(1);
  SYNOD_ASSIGN_OR_RETURN(
      std::unique_ptr<LinkServer> server,
      LinkServer::Listen(near_context->handle(), {"127.0.0.1:0", kit->FilesOf("coordinator"), OpenRules()}, clock));
  auto far_context = std::make_unique<zmq::context_t>(1);
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  SYNOD_ASSIGN_OR_RETURN(
      std::unique_ptr<LinkClient> client,
      LinkClient::Create(far_context->handle(), {address, kit->FilesOf("site"), OpenRules(), false}, clock));
  FarEnd far(std::move(far_context), std::move(client));
  NearEnd near(std::move(near_context), std::move(server));
  SYNOD_RETURN_IF_ERROR(near.WaitForPeer());
  SYNOD_ASSIGN_OR_RETURN(timing.round_trip_ms, near.MedianRoundTripMilliseconds(setting.round_trips));

  const auto payload = std::make_shared<const Bytes>(setting.payload_bytes, std::uint8_t{7});
  const std::uint64_t bytes_before = far.bytes_received();
  const double start = Now();
  for (int i = 0; i < setting.payloads; ++i) {
    // A new payload every time: its digest is part of the work.
    SYNOD_RETURN_IF_ERROR(near.Send({DraftToSign{}, std::make_shared<const Bytes>(*payload)}));
    SYNOD_RETURN_IF_ERROR(near.Until([&] { return far.payloads() > i; }));
  }
  const double seconds = Now() - start;
  const double bytes = static_cast<double>(setting.payload_bytes) * setting.payloads;
  timing.mb_per_s = 1e-6 * bytes / seconds;
  timing.wire_bytes_per_byte = static_cast<double>(far.bytes_received() - bytes_before) / bytes;

  SYNOD_RETURN_IF_ERROR(near.Send({DraftToSign{}, payload}));
  SYNOD_RETURN_IF_ERROR(near.Send({DraftToSign{}, payload}));
  SYNOD_ASSIGN_OR_RETURN(timing.busy_round_trip_ms, near.MedianRoundTripMilliseconds(5));
  SYNOD_RETURN_IF_ERROR(near.Until([&] { return far.payloads() == setting.payloads + 2; }));
  far.Stop();
  return timing;
}

}  // namespace synod
