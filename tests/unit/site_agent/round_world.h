// A coordinator's round and the rounds of its sites over a network that loses, repeats and reorders, with processes
// that die and are started again from their disks: all by one seed. Whatever leaves a site is watched.
#pragma once

#include <deque>
#include <optional>

#include "tests/unit/coordinator/round_fixture.h"
#include "tests/unit/site_agent/round_disks.h"

namespace synod::testing {

struct WorldOptions {
  unsigned loss_percent = 0;      // of messages, once they are taken from the network
  unsigned repeat_percent = 0;    // of messages that are delivered and stay in the network
  unsigned restart_percent = 0;   // of steps: somebody dies
  unsigned deadline_percent = 0;  // of steps
  unsigned disk_percent = 0;      // of writes that fail (in memory)
  bool fresh_answers = true;      // as real noise is: computed again, an answer is another one
  bool sqlite = false;
  int steps = 150;  // of trouble; then nothing is lost any more
};

class RoundWorld {
 public:
  RoundWorld(std::shared_ptr<const Plan> plan, std::uint64_t seed, WorldOptions options);

  // Trouble, then calm, until the run has ended. Every promise is checked on the way.
  void Run();

  bool finished() const { return finished_; }
  bool lost_an_attempt() const;
  const std::vector<Bytes>& sums() const { return trainer_.absorbed; }
  std::uint64_t restarts() const { return restarts_; }
  std::uint64_t stored_answers_sent() const { return stored_answers_sent_; }

 private:
  struct Site {
    std::string name;
    std::unique_ptr<SiteDisk> disk;
    std::optional<Ledger> ledger;
    std::optional<SiteRound> round;
    std::optional<SiteRound::Compute> computing;
  };
  struct ToSite {
    std::size_t site;
    std::shared_ptr<const Query> query;  // nothing: this query is closed
    QueryName name;
  };
  struct ToCoordinator {
    std::size_t site;
    QueryName name;
    std::shared_ptr<const Bytes> answer;  // nothing: refused
  };
  using Message = std::variant<ToSite, ToCoordinator>;

  void StartSite(Site& site);
  void StartCoordinator();
  void Take(std::optional<CoordinatorRound::Action> action);
  CoordinatorRound::Action Train(const CoordinatorRound::Train& train);
  void AskMissing();
  void TroubledStep();
  void CalmStep();
  void DeliverOne(bool trouble);
  void Deliver(const Message& message);
  void OnSiteAction(std::size_t site, const SiteRound::Action& action);
  void FinishComputation(std::size_t site);
  void Restart();
  Bytes ComputedAnswer(std::size_t site, const QueryName& name);

  void CheckSent(std::size_t site, const SiteRound::Send& send);
  void CheckSum(const CoordinatorRound::Train& train);
  void CheckEnd();
  bool Charged(std::size_t site, const QueryName& name, std::optional<std::uint32_t> entry = {});

  std::shared_ptr<const Plan> plan_;
  WorldOptions options_;
  std::mt19937_64 random_;
  FlakyWrites writes_;
  RunId run_;
  EventLog log_;
  TestTrainer trainer_;
  bool spares_;
  std::vector<std::pair<std::uint32_t, TestTrainer>> checkpoints_;
  std::unique_ptr<CoordinatorDisk> disk_;
  std::optional<Ledger> ledger_;
  std::optional<CoordinatorRound> round_;
  std::vector<Site> sites_;
  std::deque<Message> network_;
  bool ended_ = false;
  bool finished_ = false;
  std::uint64_t computations_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint64_t stored_answers_sent_ = 0;
  std::map<std::pair<std::size_t, QueryName>, Bytes> left_;  // what ever left a site, by name
};

}  // namespace synod::testing
