// Drives the coordinator through one attempt: messages of sites in, actions out. What the daemon and the simulation
// use; the rules are in the phases (server_phases.h).
//
// A phase ends by itself when every site that can still answer did, and otherwise at OnPhaseDeadline, with those who
// answered; there is no clock inside. Every PhaseBegan is the caller's time to set the phase's deadline. Messages that
// are late, repeated or of another attempt are dropped and counted; a second message that differs from a site's first
// is blamed. After Opened or Failed nothing more happens.
//
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <variant>
#include <vector>

#include "secure_agg/server_phases.h"

namespace synod::secure_agg {

enum class ServerPhase : std::uint8_t { kAdvertise, kShareKeys, kMaskedInput, kConsistency, kUnmask };
std::string_view ServerPhaseName(ServerPhase phase);

struct SendToSite {
  SiteIndex site = 0;
  std::shared_ptr<const CoordinatorMessage> message;
};
struct PhaseBegan {
  ServerPhase phase = ServerPhase::kAdvertise;
};
// The site broke a rule, and the attempt goes on: without the site, or, where its vector is in the sum already, without
// further messages of it.
struct Blamed {
  Blame blame;
};
// Enough was revealed: the caller calls Open, which takes its time (N key streams of d words), when it suits it.
struct ReadyToOpen {};
struct Opened {
  OpenedSum sum;
  std::vector<SiteIndex> survivors;  // whose inputs are in it: exactly the signed set
};
using ServerAction = std::variant<SendToSite, PhaseBegan, Blamed, ReadyToOpen, Opened, Failure>;
using ServerActions = std::vector<ServerAction>;

struct ServerDropCounts {
  std::uint64_t other_attempt = 0;
  std::uint64_t repeated = 0;
  std::uint64_t unexpected = 0;  // late, ahead of the phase, or of a site that is out
  bool operator==(const ServerDropCounts&) const = default;
};

class ServerAttempt {
 public:
  explicit ServerAttempt(std::shared_ptr<const AttemptSetup> setup);

  // First; once. Sites must have been told of the attempt (its set-up) by other means.
  ServerActions Start();
  // `from` is the site of the link's certificate.
  ServerActions OnMessage(SiteIndex from, const SiteMessage& message);
  ServerActions OnChunk(SiteIndex from, const MaskedChunk& chunk);
  // The site takes no part, or no further part: nobody waits for it.
  ServerActions OnSiteLeft(SiteIndex site);
  // The site's link opened again: what it may have missed is sent again.
  ServerActions OnReconnect(SiteIndex site);
  // The site's upload has not moved for a while: gives its slot to one that waits.
  ServerActions OnUploadStalled(SiteIndex site);
  ServerActions OnPhaseDeadline();
  // After ReadyToOpen. `threads` changes the time taken and nothing else.
  ServerActions Open(unsigned threads = 1);
  // The caller gives the attempt up (the run is aborted).
  ServerActions Abandon();

  ServerPhase phase() const { return phase_name_; }
  bool ended() const { return ended_; }
  // Sites that can still answer in this phase.
  std::vector<SiteIndex> Missing() const;
  // Who holds an upload slot now.
  std::vector<SiteIndex> Uploading() const;
  const std::vector<Blame>& blames() const { return blames_; }
  const ServerDropCounts& dropped() const { return dropped_; }
  const AttemptSetup& setup() const { return *setup_; }

 private:
  struct Finished {};
  using Phase =
      std::variant<ServerAdvertise, ServerShareKeys, ServerMaskedInput, ServerConsistency, ServerUnmask, Finished>;

  void Take(SiteIndex from, const Receipt& receipt, ServerActions& actions);
  // Closes phases as long as nobody is waited for.
  void Advance(ServerActions& actions);
  void ClosePhase(ServerActions& actions);
  template <typename Next>
  void Enter(std::variant<Next, Failure> next, ServerActions& actions);
  void Announce(ServerActions& actions) const;
  // What this phase says to a site that has not answered yet.
  void SayTo(SiteIndex site, ServerActions& actions) const;
  void SendGrants(ServerActions& actions);
  void Send(SiteIndex site, CoordinatorBody body, ServerActions& actions) const;
  void End(ServerActions& actions);
  void Fail(Failure failure, ServerActions& actions);
  std::vector<SiteIndex> Expected() const;
  bool HasAnswered(SiteIndex site) const;
  void Exclude(SiteIndex site);

  std::shared_ptr<const AttemptSetup> setup_;
  Phase phase_;
  ServerPhase phase_name_ = ServerPhase::kAdvertise;
  std::set<SiteIndex> out_;  // left or blamed
  std::vector<Blame> blames_;
  bool ready_ = false;
  bool ended_ = false;
  ServerDropCounts dropped_;
};

}  // namespace synod::secure_agg
