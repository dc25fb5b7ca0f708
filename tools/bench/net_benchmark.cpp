#include "tools/bench/net_benchmark.h"

#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

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

// Processor's time of the calling thread.
double CpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
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

// Waits until the descriptor can be read or the end's timer is due.
void WaitFor(int descriptor, double next_timer) {
  pollfd item{descriptor, POLLIN, 0};
  const double wait = std::clamp(next_timer - Now(), 0.0, 0.1);
  poll(&item, 1, static_cast<int>(1e3 * wait + 0.999));
}

// The site's end in its own thread: takes payloads and answers everything.
class FarEnd {
 public:
  explicit FarEnd(std::unique_ptr<LinkClient> client) : client_(std::move(client)), thread_([this] { Run(); }) {}
  ~FarEnd() { Stop(); }
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int payloads() const { return payloads_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  void Run() {
    while (!stop_) {
      WaitFor(client_->descriptor(), client_->next_timer());
      const std::vector<LinkEvent> events = client_->Advance();
      bytes_received_ = client_->statistics().bytes_received;
      cpu_seconds_ = CpuSeconds();
      for (const LinkEvent& event : events) {
        const auto* message = std::get_if<PeerMessage>(&event);
        if (message == nullptr) continue;
        if (message->envelope.payload) ++payloads_;
        // An answer to everything: the other end learns at once that a payload has come.
        static_cast<void>(client_->Send({AnswerRefused{}, nullptr}));
      }
    }
  }
  std::unique_ptr<LinkClient> client_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> payloads_ = 0;
  std::atomic<std::uint64_t> bytes_received_ = 0;
  std::atomic<double> cpu_seconds_ = 0.0;
  std::thread thread_;
};

class NearEnd {
 public:
  explicit NearEnd(std::unique_ptr<LinkServer> server) : server_(std::move(server)) {}

  // Drives this end until `done`.
  Status Until(const std::function<bool()>& done) {
    const double end = Now() + kPatienceSeconds;
    while (!done()) {
      if (Now() > end) return Error{ErrorCode::kTimeout, "the link stands still", ""};
      WaitFor(server_->descriptor(), server_->next_timer());
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
  int answers() const { return answers_; }
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
  std::unique_ptr<LinkServer> server_;
  PeerId peer_ = 0;
  int answers_ = 0;
};

// For a second of the processor's time: the same on a machine that others use, too.
double RateOf(std::size_t bytes, const std::function<void()>& work) {
  constexpr double kSeconds = 0.3;
  const double start = CpuSeconds();
  double done = 0.0;
  while (CpuSeconds() - start < kSeconds) {
    work();
    done += static_cast<double>(bytes);
  }
  return 1e-6 * done / (CpuSeconds() - start);
}

}  // namespace

double AesGcmMegabytesPerSecond() {
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

double Sha256MegabytesPerSecond() {
  const Bytes data(1u << 20, 3);
  return RateOf(data.size(), [&] { static_cast<void>(Sha256(data)); });
}

namespace {

// Sends the payloads and waits for each batch.
Status TimePayloads(const NetBenchmarkCase& setting, NearEnd& near, const FarEnd& far, NetTiming& timing) {
  const Bytes content(setting.payload_bytes, std::uint8_t{7});
  // New payloads, whose digests nobody knows: they are part of the work, and the memory for them is not.
  std::vector<std::shared_ptr<const Bytes>> payloads;
  for (int i = 0; i < setting.payloads; ++i) payloads.push_back(std::make_shared<const Bytes>(content));
  const int answers_before = near.answers();
  const std::uint64_t bytes_before = far.bytes_received();
  const double far_cpu_before = far.cpu_seconds();
  const double cpu_before = CpuSeconds();
  const double start = Now();
  int sent = 0;
  while (sent < setting.payloads) {
    for (int i = 0; i < setting.payloads_at_once && sent < setting.payloads; ++i, ++sent) {
      SYNOD_RETURN_IF_ERROR(near.Send({DraftToSign{}, payloads[static_cast<std::size_t>(sent)]}));
    }
    SYNOD_RETURN_IF_ERROR(near.Until([&] { return near.answers() >= answers_before + sent; }));
  }
  const double bytes = static_cast<double>(setting.payload_bytes) * setting.payloads;
  timing.mb_per_s = 1e-6 * bytes / (Now() - start);
  timing.sender_cpu_s_per_gb = 1e9 * (CpuSeconds() - cpu_before) / bytes;
  timing.receiver_cpu_s_per_gb = 1e9 * (far.cpu_seconds() - far_cpu_before) / bytes;
  timing.wire_bytes_per_byte = static_cast<double>(far.bytes_received() - bytes_before) / bytes;
  return {};
}

// A small message and its answer while payloads, whose answers are told apart, are on their way.
Status TimeBusyRoundTrip(NearEnd& near, const FarEnd& far, NetTiming& timing) {
  constexpr int kPayloads = 2;
  const auto payload = std::make_shared<const Bytes>(std::size_t{40} << 20, std::uint8_t{7});
  const int payloads_before = far.payloads();
  const int answers_before = near.answers();
  for (int i = 0; i < kPayloads; ++i) SYNOD_RETURN_IF_ERROR(near.Send({DraftToSign{}, payload}));
  const double start = Now();
  SYNOD_RETURN_IF_ERROR(near.Send({QueryClosed{}, nullptr}));
  SYNOD_RETURN_IF_ERROR(near.Until([&] { return near.answers() > answers_before; }));
  timing.busy_round_trip_ms = 1e3 * (Now() - start);
  if (far.payloads() != payloads_before) return Failed("a small message waited for a whole payload");
  return near.Until([&] { return near.answers() == answers_before + kPayloads + 1; });
}

}  // namespace

Result<NetTiming> TimeNet(const NetBenchmarkCase& setting) {
  NetTiming timing;
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<BenchmarkKit> kit, BenchmarkKit::Make());
  const SystemClock clock;
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<LinkServer> server,
                         LinkServer::Listen({"127.0.0.1:0", kit->FilesOf("coordinator"), OpenRules()}, clock));
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<LinkClient> client,
                         LinkClient::Create({address, kit->FilesOf("site"), OpenRules(), false}, clock));
  FarEnd far(std::move(client));
  NearEnd near(std::move(server));
  SYNOD_RETURN_IF_ERROR(near.WaitForPeer());
  SYNOD_ASSIGN_OR_RETURN(timing.round_trip_ms, near.MedianRoundTripMilliseconds(setting.round_trips));
  SYNOD_RETURN_IF_ERROR(TimePayloads(setting, near, far, timing));
  SYNOD_RETURN_IF_ERROR(TimeBusyRoundTrip(near, far, timing));
  far.Stop();
  return timing;
}

Result<std::vector<Json>> NetFigures(int repeats) {
  std::vector<Json> figures = {{{"name", "OpenSSL alone, one thread"},
                                {"aes_gcm_mb_per_s", AesGcmMegabytesPerSecond()},
                                {"sha256_mb_per_s", Sha256MegabytesPerSecond()}}};
  for (const NetBenchmarkCase& setting : {NetBenchmarkCase{}, NetBenchmarkCase{1u << 20, 400, 64}}) {
    NetTiming best;
    for (int i = 0; i < std::max(1, repeats); ++i) {
      SYNOD_ASSIGN_OR_RETURN(const NetTiming timing, TimeNet(setting));
      if (i == 0) best = timing;
      best.mb_per_s = std::max(best.mb_per_s, timing.mb_per_s);
      best.sender_cpu_s_per_gb = std::min(best.sender_cpu_s_per_gb, timing.sender_cpu_s_per_gb);
      best.receiver_cpu_s_per_gb = std::min(best.receiver_cpu_s_per_gb, timing.receiver_cpu_s_per_gb);
      best.round_trip_ms = std::min(best.round_trip_ms, timing.round_trip_ms);
      best.busy_round_trip_ms = std::min(best.busy_round_trip_ms, timing.busy_round_trip_ms);
    }
    figures.push_back({{"name", fmt::format("a link on loopback, {} payloads of {} MiB, {} at once, best of {} runs",
                                            setting.payloads, setting.payload_bytes >> 20, setting.payloads_at_once,
                                            std::max(1, repeats))},
                       {"mb_per_s", best.mb_per_s},
                       {"sender_cpu_s_per_gb", best.sender_cpu_s_per_gb},
                       {"receiver_cpu_s_per_gb", best.receiver_cpu_s_per_gb},
                       {"wire_bytes_per_byte", best.wire_bytes_per_byte},
                       {"round_trip_ms", best.round_trip_ms},
                       {"busy_round_trip_ms", best.busy_round_trip_ms}});
  }
  return figures;
}

}  // namespace synod
