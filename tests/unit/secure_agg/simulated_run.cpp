#include "tests/unit/secure_agg/simulated_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/crypto/sha256.h"
#include "secure_agg/codec.h"

namespace synod::secure_agg::testing {
namespace {

// SplitMix64: the schedule's choices, which are no secrets.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t Below(std::uint64_t n) { return Next() % n; }
  bool Happens(double probability) { return static_cast<double>(Next() >> 11) * 0x1p-53 < probability; }

 private:
  std::uint64_t state_;
};

constexpr std::uint64_t kPhaseTicks = 1000;    // the coordinator's deadline of a phase
constexpr std::uint64_t kSiteTicks = 20000;    // a site's patience with an attempt
constexpr std::uint64_t kStallTicks = 300;     // after which an upload has stalled
constexpr std::uint64_t kReconnectTicks = 40;  // from a cut connection to the next

class Simulation {
 public:
  explicit Simulation(const Schedule& schedule)
      : schedule_(schedule), world_(schedule.world), dice_(schedule.world.seed), sites_(schedule.world.sites) {}

  Outcome Run() {
    for (attempt_ = 0; attempt_ < schedule_.attempts && outcome_.opened == 0; ++attempt_) BeginAttempt();
    return std::move(outcome_);
  }

 private:
  struct Event {
    std::uint64_t time = 0;
    std::uint64_t sequence = 0;
    std::function<void()> run;
    bool operator<(const Event& other) const {
      return std::tie(time, sequence) > std::tie(other.time, other.sequence);  // earliest first
    }
  };
  struct SiteAt {
    std::unique_ptr<SiteAttempt> attempt;
    bool left = false;
    std::uint32_t connection = 0;        // counts up: what was sent on an earlier one is lost
    std::uint64_t last_arrival[2] = {};  // in each direction, where messages keep their order
  };

  void Expect(bool holds, const std::string& what) {
    if (!holds) outcome_.broken.push_back(fmt::format("attempt {}: {}", attempt_, what));
  }
  void At(std::uint64_t delay, std::function<void()> run) { events_.push({now_ + delay, sequence_++, std::move(run)}); }

  void BeginAttempt() {
    setup_ = world_.Setup(attempt_);
    server_ = std::make_unique<ServerAttempt>(setup_);
    done_ = false;
    Do(server_->Start());
    for (SiteIndex site = 0; site < world_.sites(); ++site) {
      sites_[site].left = false;
      BeginSite(site);
    }
    while (!events_.empty() && !done_) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.time;
      event.run();
    }
    Expect(server_->ended(), "the attempt never ends");
  }

  void BeginSite(SiteIndex site) {
    sites_[site].attempt = std::make_unique<SiteAttempt>(world_.Self(site, setup_), world_.Random(), Bytes(site % 7, 1),
                                                         world_.home(site).promises);
    At(dice_.Below(20), [this, site, attempt = attempt_] {
      if (attempt == attempt_ && sites_[site].attempt) Do(site, sites_[site].attempt->Start());
    });
    At(kSiteTicks, [this, site, attempt = attempt_] {
      if (attempt == attempt_ && sites_[site].attempt) Do(site, sites_[site].attempt->OnPhaseDeadline());
    });
  }

  // ---- the network ----

  void Travel(SiteIndex site, int direction, std::function<void()> arrive) {
    ++outcome_.messages;
    SiteAt& at = sites_[site];
    if (dice_.Happens(schedule_.silent_loss)) return;
    if (dice_.Happens(schedule_.loss)) return Cut(site);
    std::uint64_t delay = 1 + dice_.Below(20);
    if (dice_.Happens(schedule_.late)) delay += dice_.Below(3 * kPhaseTicks);
    if (schedule_.in_order) {
      at.last_arrival[direction] = std::max(at.last_arrival[direction] + 1, now_ + delay);
      delay = at.last_arrival[direction] - now_;
    }
    const auto deliver = [this, site, connection = at.connection, arrive] {
      if (connection == sites_[site].connection) arrive();
    };
    At(delay, deliver);
    if (dice_.Happens(schedule_.repeat)) At(delay + dice_.Below(50), deliver);
  }

  void Cut(SiteIndex site) {
    ++sites_[site].connection;
    At(kReconnectTicks, [this, site, attempt = attempt_] {
      if (attempt != attempt_ || sites_[site].left) return;
      Do(server_->OnReconnect(site));
      if (sites_[site].attempt) Do(site, sites_[site].attempt->OnReconnect());
    });
  }

  // ---- the coordinator ----

  void Do(ServerActions actions) {
    for (ServerAction& action : actions) {
      if (auto* send = std::get_if<SendToSite>(&action)) {
        const Bytes bytes = Encode(*send->message);
        Travel(send->site, 0, [this, to = send->site, bytes] { ArriveAtSite(to, *DecodeCoordinatorMessage(bytes)); });
      } else if (auto* began = std::get_if<PhaseBegan>(&action)) {
        At(kPhaseTicks, [this, attempt = attempt_, phase = began->phase] {
          if (attempt == attempt_ && server_->phase() == phase) Do(server_->OnPhaseDeadline());
        });
        if (began->phase == ServerPhase::kMaskedInput) WatchUploads();
      } else if (auto* blamed = std::get_if<Blamed>(&action)) {
        // Only a process that was killed says something else the second time.
        Expect(blamed->blame.reason == BlameReason::kConflict && restarted_.contains({attempt_, blamed->blame.site}),
               "an honest site is blamed");
      } else if (std::holds_alternative<ReadyToOpen>(action)) {
        At(dice_.Below(30), [this, attempt = attempt_] {
          if (attempt == attempt_) Do(server_->Open(1));
        });
      } else if (auto* opened = std::get_if<Opened>(&action)) {
        CheckOpened(*opened);
        ++outcome_.opened;
        done_ = true;
      } else if (std::holds_alternative<Failure>(action)) {
        ++outcome_.failed;
        done_ = true;
      }
    }
  }

  void WatchUploads() {
    At(kStallTicks, [this, attempt = attempt_] {
      if (attempt != attempt_ || server_->phase() != ServerPhase::kMaskedInput) return;
      for (const SiteIndex site : server_->Uploading()) Do(server_->OnUploadStalled(site));
      WatchUploads();
    });
  }

  void CheckOpened(const Opened& opened) {
    const QueryName& name = setup_->name();
    Expect(opened.sum.words() == world_.SumOf(opened.survivors, name), "the sum is not that of the survivors");
    Expect(opened.survivors.size() >= setup_->facts().quorum, "a sum below the quorum");
    Expect(opened.sum.answers() == opened.survivors.size(), "a wrong count of answers");
    std::size_t signers = 0;
    for (SiteIndex site = 0; site < world_.sites(); ++site) {
      const auto promise = promised_.find({attempt_, site});
      if (promise == promised_.end()) continue;
      signers += promise->second == opened.survivors ? 1 : 0;
    }
    Expect(signers >= setup_->threshold(), "fewer than t sites signed what was opened");
  }

  // ---- sites ----

  void ArriveAtSite(SiteIndex site, const CoordinatorMessage& message) {
    SiteAt& at = sites_[site];
    if (!at.attempt || at.left) return;
    if (dice_.Happens(schedule_.kill)) {
      ++outcome_.killed;
      restarted_.insert({attempt_, site});
      ++at.connection;
      at.attempt.reset();
      return At(30, [this, site, attempt = attempt_] {
        if (attempt == attempt_) BeginSite(site);
      });
    }
    if (dice_.Happens(schedule_.leave)) {
      at.left = true;
      at.attempt.reset();
      return At(5, [this, site, attempt = attempt_] {
        if (attempt == attempt_) Do(server_->OnSiteLeft(site));
      });
    }
    if (const auto* list = std::get_if<SurvivorList>(&message.body))
      offered_[{message.name.attempt, site}] = list->survivors;
    Do(site, at.attempt->OnMessage(message));
  }

  void Do(SiteIndex site, SiteActions actions) {
    for (SiteAction& action : actions) {
      SiteAt& at = sites_[site];
      if (!at.attempt) return;
      if (auto* send = std::get_if<SendToCoordinator>(&action)) {
        Say(site, send->message);
      } else if (std::holds_alternative<JudgePeers>(action)) {
        Do(site, at.attempt->AcceptPeers());
      } else if (std::holds_alternative<NeedInput>(action)) {
        At(dice_.Below(100), [this, site, attempt = attempt_] { GiveInput(site, attempt); });
      } else if (auto* upload = std::get_if<SendUpload>(&action)) {
        Upload(site, upload->first_chunk);
      }
    }
  }

  void GiveInput(SiteIndex site, std::uint32_t attempt) {
    SiteAt& at = sites_[site];
    if (attempt != attempt_ || !at.attempt || !at.attempt->wants_input()) return;
    std::optional<SpendPermit> permit = world_.Charge(site, setup_->name());
    if (!permit) return Do(site, at.attempt->RefuseInput());
    Do(site, at.attempt->OnInput(world_.Unmasked(site, setup_->name()), std::move(*permit)));
  }

  void Upload(SiteIndex site, std::uint32_t first) {
    SiteAttempt& attempt = *sites_[site].attempt;
    for (std::uint32_t i = first; i < attempt.chunks(); ++i) {
      const MaskedChunk chunk = attempt.Chunk(i);
      const Bytes words(chunk.words.begin(), chunk.words.end());
      CheckLeaves(site, chunk.name, i, words);
      Travel(site, 1, [this, site, name = chunk.name, i, words] { Do(server_->OnChunk(site, {name, i, words})); });
    }
    Say(site, attempt.EndOfUpload());
  }

  // Every answer is charged before it leaves, and is the same bytes for ever.
  void CheckLeaves(SiteIndex site, const QueryName& name, std::uint32_t part, const Bytes& bytes) {
    const std::vector<LedgerRow> rows = *world_.home(site).ledger_store.Load();
    Expect(std::any_of(rows.begin(), rows.end(), [&](const LedgerRow& row) { return row.charge.name == name; }),
           "an answer leaves before it is charged");
    const auto [place, fresh] = left_.emplace(std::make_tuple(name.attempt, site, part), Sha256(bytes));
    Expect(fresh || place->second == Sha256(bytes), "two answers under one name");
  }

  void Say(SiteIndex site, const SiteMessage& message) {
    const std::uint32_t attempt = message.name.attempt;
    if (const auto* end = std::get_if<UploadEnd>(&message.body)) {
      CheckLeaves(site, message.name, ~0u, Bytes(end->tag.begin(), end->tag.end()));
    }
    if (std::holds_alternative<ConsistencySignature>(message.body)) {
      const auto [place, fresh] = promised_.emplace(std::make_pair(attempt, site), offered_[{attempt, site}]);
      Expect(fresh || place->second == offered_[{attempt, site}], "a site signs two survivor sets");
    }
    if (const auto* body = std::get_if<Unmasking>(&message.body)) {
      for (const RevealedShare& share : body->shares) {
        const auto [place, fresh] = revealed_.emplace(std::make_tuple(attempt, site, share.about), share.kind);
        Expect(fresh || place->second == share.kind, "a site reveals both secrets of a peer");
      }
    }
    const Bytes bytes = Encode(message);
    Travel(site, 1, [this, site, bytes] { Do(server_->OnMessage(site, *DecodeSiteMessage(bytes))); });
  }

  using Who = std::pair<std::uint32_t, SiteIndex>;  // attempt and site

  Schedule schedule_;
  AttemptWorld world_;
  Dice dice_;
  std::vector<SiteAt> sites_;
  std::shared_ptr<const AttemptSetup> setup_;
  std::unique_ptr<ServerAttempt> server_;
  std::uint32_t attempt_ = 0;
  bool done_ = false;
  std::uint64_t now_ = 0;
  std::uint64_t sequence_ = 0;
  std::priority_queue<Event> events_;
  std::set<Who> restarted_;
  std::map<Who, std::vector<SiteIndex>> offered_;   // the survivor list that a site was shown last
  std::map<Who, std::vector<SiteIndex>> promised_;  // and the one that it signed
  std::map<std::tuple<std::uint32_t, SiteIndex, std::uint32_t>, Digest> left_;
  std::map<std::tuple<std::uint32_t, SiteIndex, SiteIndex>, SecretKind> revealed_;
  Outcome outcome_;
};

}  // namespace

Schedule Schedule::FromSeed(std::uint64_t seed, std::uint32_t most_sites) {
  Dice dice(seed ^ 0x5ec0de);
  Schedule schedule;
  schedule.world.seed = seed;
  schedule.world.sites = 3 + static_cast<std::uint32_t>(dice.Below(most_sites - 2));
  const std::uint32_t threshold = 2 * schedule.world.sites / 3 + 1;
  schedule.world.quorum = threshold + static_cast<std::uint32_t>(dice.Below(schedule.world.sites - threshold + 1));
  schedule.world.bits = dice.Happens(0.5) ? WordBits::k32 : WordBits::k64;
  schedule.world.dimension = 1 + dice.Below(40);
  schedule.in_order = dice.Happens(0.5);
  const auto some = [&](double most) {
    return dice.Happens(0.5) ? most * static_cast<double>(dice.Below(100)) / 100 : 0;
  };
  schedule.loss = some(0.05);
  schedule.silent_loss = some(0.03);
  schedule.repeat = some(0.3);
  schedule.late = some(0.05);
  schedule.kill = some(0.05);
  schedule.leave = some(0.03);
  return schedule;
}

Outcome Simulate(const Schedule& schedule) {
  return Simulation(schedule).Run();
}

}  // namespace synod::secure_agg::testing
