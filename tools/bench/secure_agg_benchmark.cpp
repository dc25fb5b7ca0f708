#include "tools/bench/secure_agg_benchmark.h"

#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/core/check.h"
#include "common/query/words.h"
#include "secure_agg/codec.h"
#include "secure_agg/mask_stream.h"
#include "secure_agg/server_attempt.h"
#include "secure_agg/site_attempt.h"

namespace synod::secure_agg {
namespace {

double Milliseconds(clockid_t clock) {
  timespec time{};
  SYNOD_CHECK(clock_gettime(clock, &time) == 0, "a clock that always runs");
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

double AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
}

// Adds up what one end uses, call by call.
struct Usage {
  double cpu_ms = 0.0;
  double wall_ms = 0.0;
  double held_bytes = 0.0;
  double most_bytes = 0.0;

  template <typename Work>
  auto Of(Work work) {
    const double bytes = AllocatedBytes();
    const double cpu = Milliseconds(CLOCK_THREAD_CPUTIME_ID);
    const double wall = Milliseconds(CLOCK_MONOTONIC);
    auto result = work();
    cpu_ms += Milliseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall_ms += Milliseconds(CLOCK_MONOTONIC) - wall;
    held_bytes += AllocatedBytes() - bytes;
    most_bytes = std::max(most_bytes, held_bytes);
    return result;
  }
};

struct BenchmarkSite {
  std::shared_ptr<const SigningKey> key = std::make_shared<const SigningKey>(SigningKey::Generate());
  InMemoryPromises promises;
  InMemoryLedgerStore ledger_store;
  std::unique_ptr<SiteAttempt> attempt;
  bool vanishes = false;
  Usage usage;
};

class BenchmarkRun {
 public:
  explicit BenchmarkRun(const SecureAggBenchmarkCase& setting) : setting_(setting), sites_(setting.sites) {
    AttemptFacts facts;
    for (SiteIndex i = 0; i < setting.sites; ++i) {
      facts.roster.push_back({fmt::format("site-{:03}", i), sites_[i].key->public_key()});
      sites_[i].vanishes = i < setting.drop_outs;
    }
    facts.threshold = 2 * setting.sites / 3 + 1;
    facts.quorum = facts.threshold;
    facts.bits = setting.bits;
    facts.dimension = setting.dimension;
    setup_ = std::make_shared<const AttemptSetup>(AttemptSetup::Create(std::move(facts)).value());
    total_.resize(setup_->vector_bytes());
  }

  SecureAggTiming Run() {
    server_ = std::make_unique<ServerAttempt>(setup_);
    static_cast<void>(server_->Start());
    for (SiteIndex i = 0; i < setting_.sites; ++i) {
      BenchmarkSite& site = sites_[i];
      Do(i, site.usage.Of([&] {
        site.attempt = std::make_unique<SiteAttempt>(SiteSelf{setup_, i, site.key}, SecretRandom::FromOperatingSystem(),
                                                     Bytes(), site.promises);
        return site.attempt->Start();
      }));
    }
    Settle();
    return Report();
  }

 private:
  void Settle() {
    while (!to_server_.empty() || !to_sites_.empty()) {
      for (auto& [from, bytes] : std::exchange(to_server_, {})) {
        Do(coordinator_.Of([&, sender = from, &message = bytes] {
          return server_->OnMessage(sender, DecodeSiteMessage(message).value());
        }));
      }
      for (auto& [to, bytes] : std::exchange(to_sites_, {})) Deliver(to, bytes);
    }
  }

  void Deliver(SiteIndex to, const Bytes& bytes) {
    BenchmarkSite& site = sites_[to];
    SiteActions actions =
        site.usage.Of([&] { return site.attempt->OnMessage(DecodeCoordinatorMessage(bytes).value()); });
    if (site.vanishes && site.attempt->wants_input()) {
      Do(server_->OnSiteLeft(to));
      return;
    }
    Do(to, std::move(actions));
  }

  void Do(ServerActions actions) {
    for (ServerAction& action : actions) {
      if (auto* send = std::get_if<SendToSite>(&action)) {
        to_sites_.emplace_back(send->site, coordinator_.Of([&] { return Encode(*send->message); }));
        coordinator_.held_bytes -= static_cast<double>(to_sites_.back().second.size());  // it is the transport's
      } else if (std::holds_alternative<ReadyToOpen>(action)) {
        const double before = coordinator_.cpu_ms;
        Do(coordinator_.Of([&] { return server_->Open(); }));
        timing_.open_ms = coordinator_.cpu_ms - before;
      } else if (const auto* opened = std::get_if<Opened>(&action)) {
        timing_.exact = opened->sum.words() == total_;
      }
    }
    static_cast<void>(coordinator_.Of([&] {
      actions.clear();  // what the transport has taken
      return true;
    }));
  }

  void Do(SiteIndex index, SiteActions actions) {
    BenchmarkSite& site = sites_[index];
    for (SiteAction& action : actions) {
      if (auto* send = std::get_if<SendToCoordinator>(&action)) {
        to_server_.emplace_back(index, site.usage.Of([&] { return Encode(send->message); }));
      } else if (std::holds_alternative<JudgePeers>(action)) {
        Do(index, site.usage.Of([&] { return site.attempt->AcceptPeers(); }));
      } else if (std::holds_alternative<NeedInput>(action)) {
        GiveInput(index);
      } else if (auto* upload = std::get_if<SendUpload>(&action)) {
        Upload(index, upload->first_chunk);
      }
    }
  }

  void GiveInput(SiteIndex index) {
    BenchmarkSite& site = sites_[index];
    Bytes words(setup_->vector_bytes());
    SecretRandom random = SecretRandom::FromOperatingSystem();
    random.Fill(words);
    AddWordsInPlace(total_, words, setting_.bits);
    UnmaskedWords input = UnmaskedWords::FromLocalPair(std::move(words), setting_.bits, setting_.dimension).value();
    Ledger ledger = Ledger::Open(site.ledger_store).value();
    LedgerCharge charge;
    charge.name = setup_->name();
    charge.event = PrivacyEvent{1.0, 1.0, 1};
    SpendPermit permit = ledger.Spend(charge).value();
    Do(index, site.usage.Of([&] { return site.attempt->OnInput(std::move(input), std::move(permit)); }));
  }

  void Upload(SiteIndex index, std::uint32_t first) {
    BenchmarkSite& site = sites_[index];
    for (std::uint32_t i = first; i < site.attempt->chunks(); ++i) {
      const MaskedChunk chunk = site.usage.Of([&] { return site.attempt->Chunk(i); });
      Receive([&] { return server_->OnChunk(index, chunk); });
    }
    const Bytes end = site.usage.Of([&] { return Encode(site.attempt->EndOfUpload()); });
    Receive([&] { return server_->OnMessage(index, DecodeSiteMessage(end).value()); });
  }

  template <typename Work>
  void Receive(Work work) {
    const double before = coordinator_.cpu_ms;
    ServerActions actions = coordinator_.Of(work);
    timing_.receive_ms += coordinator_.cpu_ms - before;
    Do(std::move(actions));
  }

  SecureAggTiming Report() {
    timing_.coordinator_ms = coordinator_.cpu_ms;
    timing_.coordinator_wall_ms = coordinator_.wall_ms;
    timing_.coordinator_accumulators = coordinator_.most_bytes / static_cast<double>(setup_->vector_bytes());
    const double staying = setting_.sites - setting_.drop_outs;
    for (const BenchmarkSite& site : sites_) {
      if (site.vanishes) continue;
      timing_.site_ms += site.usage.cpu_ms / staying;
      timing_.site_wall_ms += site.usage.wall_ms / staying;
    }
    return timing_;
  }

  SecureAggBenchmarkCase setting_;
  std::vector<BenchmarkSite> sites_;
  std::shared_ptr<const AttemptSetup> setup_;
  std::unique_ptr<ServerAttempt> server_;
  Usage coordinator_;
  std::vector<std::pair<SiteIndex, Bytes>> to_server_;
  std::vector<std::pair<SiteIndex, Bytes>> to_sites_;
  Bytes total_;
  SecureAggTiming timing_;
};

}  // namespace
}  // namespace synod::secure_agg

namespace synod {

SecureAggTiming TimeSecureAgg(const SecureAggBenchmarkCase& setting) {
  return secure_agg::BenchmarkRun(setting).Run();
}

}  // namespace synod
