// Sites of one attempt with keys, ledgers and inputs, for tests: everything follows from a seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/privacy/ledger.h"
#include "secure_agg/server_attempt.h"
#include "secure_agg/site_attempt.h"

namespace synod::secure_agg::testing {

struct WorldOptions {
  std::uint32_t sites = 4;
  std::uint32_t threshold = 0;      // 0: floor(2 N / 3) + 1
  std::uint32_t quorum = 0;         // 0: the threshold
  std::uint32_t max_colluding = 1;  // as far as the threshold allows it
  WordBits bits = WordBits::k32;
  std::uint64_t dimension = 10;
  std::uint64_t seed = 1;
};

// One site's durable state and key: what outlives its attempts.
struct SiteHome {
  std::shared_ptr<const SigningKey> key;
  InMemoryPromises promises;
  InMemoryLedgerStore ledger_store;
  std::unique_ptr<Ledger> ledger;
};

class AttemptWorld {
 public:
  explicit AttemptWorld(WorldOptions options);

  std::shared_ptr<const AttemptSetup> Setup(std::uint32_t attempt = 0, std::uint32_t query = 0) const;
  AttemptFacts Facts(std::uint32_t attempt = 0, std::uint32_t query = 0) const;
  SiteSelf Self(SiteIndex site, std::shared_ptr<const AttemptSetup> setup) const;
  SiteHome& home(SiteIndex site) { return *homes_[site]; }
  std::uint32_t sites() const { return options_.sites; }
  const WorldOptions& options() const { return options_; }

  // A fresh stream: no two calls give the same.
  SecretRandom Random();
  // The words that a site puts into an attempt.
  Bytes InputOf(SiteIndex site, const QueryName& name) const;
  UnmaskedWords Unmasked(SiteIndex site, const QueryName& name) const;
  // Charges the site's ledger; nothing if it was charged before.
  std::optional<SpendPermit> Charge(SiteIndex site, const QueryName& name);
  // The sum of the inputs of `survivors`.
  Bytes SumOf(const std::vector<SiteIndex>& survivors, const QueryName& name) const;

 private:
  WorldOptions options_;
  std::vector<std::unique_ptr<SiteHome>> homes_;
  std::uint64_t streams_ = 0;
};

// The phases of an attempt in which all messages arrive at once, for tests that change single messages.
class DirectAttempt {
 public:
  explicit DirectAttempt(AttemptWorld& world, std::uint32_t attempt = 0);

  // Changes or drops (nothing) a message on its way. They see every message.
  std::function<std::optional<SiteMessage>(SiteIndex from, SiteMessage)> from_site;
  std::function<std::optional<CoordinatorMessage>(SiteIndex to, CoordinatorMessage)> to_site;
  // Whether a chunk of this site arrives, and as what.
  std::function<std::optional<Bytes>(SiteIndex from, std::uint32_t index, Bytes words)> chunk;

  // Runs until nothing moves, then lets deadlines pass until the attempt ends.
  void Run();

  AttemptWorld& world() { return world_; }
  const QueryName& name() const { return setup_->name(); }
  ServerAttempt& server() { return *server_; }
  SiteAttempt& site(SiteIndex index) { return *sites_[index]; }
  const std::optional<OpenedSum>& sum() const { return sum_; }
  const std::vector<SiteIndex>& survivors() const { return survivors_; }
  const std::optional<Failure>& failure() const { return failure_; }
  const std::vector<Blame>& blames() const { return blames_; }
  // Whether the sum is exactly that of the survivors' inputs.
  bool IsExact() const;

 private:
  void Do(ServerActions actions);
  void Do(SiteIndex site, SiteActions actions);
  void Deliver(SiteIndex from, const SiteMessage& message);
  void Upload(SiteIndex site, std::uint32_t first);
  void Settle();

  AttemptWorld& world_;
  std::shared_ptr<const AttemptSetup> setup_;
  std::unique_ptr<ServerAttempt> server_;
  std::vector<std::unique_ptr<SiteAttempt>> sites_;
  std::vector<std::function<void()>> queue_;
  std::optional<OpenedSum> sum_;
  std::vector<SiteIndex> survivors_;
  std::optional<Failure> failure_;
  std::vector<Blame> blames_;
};

}  // namespace synod::secure_agg::testing
