// Drives a site through one attempt: messages of the coordinator and decisions of the caller in, actions out. What the
// daemon and the simulation use; the rules are in the phases (site_phases.h).
//
//   Start                    Send(Advertisement)
//   <- AdvertisementList     JudgePeers        caller: AcceptPeers or RefusePeers
//   AcceptPeers              Send(ShareBundle)
//   <- ShareList             NeedInput         caller: computes, charges durably, OnInput; or RefuseInput
//   <- UploadGrant           SendUpload        (once the input is there) chunks from `first` in order, then EndOfUpload
//   <- SurvivorList          Send(ConsistencySignature), its promise stored before
//   <- SignatureList         Send(Unmasking), Revealed
//   <- AttemptClosed         Closed
//
// Any break of the rules ends the attempt here with Failed: the site is a drop-out, and nothing more leaves it.
// Messages of another attempt and repetitions are dropped and counted. There is no clock: deadlines are the caller's
// (OnPhaseDeadline). An attempt lives in memory only; one that the process did not survive is dead, and Start refuses
// it when a promise was kept for it.
//
// Threads: one at a time. The promises must outlive this.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "secure_agg/site_phases.h"

namespace synod::secure_agg {

struct SendToCoordinator {
  SiteMessage message;
};
struct JudgePeers {
  std::vector<PeerStatement> statements;
};
struct NeedInput {};
struct SendUpload {
  std::uint32_t first_chunk = 0;
};
struct Revealed {};  // this site did its part
struct Closed {};    // the coordinator ended the attempt, or goes on without this site
using SiteAction = std::variant<SendToCoordinator, JudgePeers, NeedInput, SendUpload, Revealed, Closed, Failure>;
using SiteActions = std::vector<SiteAction>;

struct SiteDropCounts {
  std::uint64_t other_attempt = 0;  // messages of another attempt
  std::uint64_t repeated = 0;       // messages that came before
  std::uint64_t after_end = 0;      // messages after the attempt ended here
  bool operator==(const SiteDropCounts&) const = default;
};

class SiteAttempt {
 public:
  // `statement` has at most kMaxStatementBytes.
  SiteAttempt(SiteSelf self, SecretRandom random, Bytes statement, PromiseStore& promises);

  // First; once.
  SiteActions Start();
  SiteActions OnMessage(const CoordinatorMessage& message);
  // Answers to JudgePeers and NeedInput; ignored when nobody asked (the attempt may have ended meanwhile).
  SiteActions AcceptPeers();
  SiteActions RefusePeers();
  SiteActions OnInput(UnmaskedWords&& words, SpendPermit&& permit);
  SiteActions RefuseInput();
  // The link opened again: what the coordinator may have missed is sent again, the same bytes. An upload goes on at its
  // next UploadGrant.
  SiteActions OnReconnect();
  // The caller waited long enough.
  SiteActions OnPhaseDeadline();

  // While has_upload(): from OnInput until the coordinator names the survivors. index < chunks(). Views live as long as
  // that. A SendUpload replaces one before it that is not finished.
  bool has_upload() const;
  std::uint32_t chunks() const;
  MaskedChunk Chunk(std::uint32_t index);
  SiteMessage EndOfUpload();

  bool wants_input() const;  // NeedInput is open
  bool ended() const { return ended_; }
  const std::optional<Failure>& failure() const { return failure_; }
  const SiteDropCounts& dropped() const { return dropped_; }
  const AttemptSetup& setup() const { return *setup_; }

 private:
  struct Finished {};
  using Phase = std::variant<SiteAdvertise, SiteShareKeys, SiteMaskedInput, SiteConsistency, SiteUnmask, Finished>;

  // Whether a list that belongs to `phase` (its place in Phase) comes now; a repetition is counted, and one that comes
  // before its time ends the attempt.
  enum class Turn { kNow, kRepeated, kEarly };
  Turn TurnOf(std::size_t phase) const;
  SiteActions NotNow(Turn turn);

  SiteActions On(const AdvertisementList& list);
  SiteActions On(const ShareList& list);
  SiteActions On(const UploadGrant& grant);
  SiteActions On(const SurvivorList& list);
  SiteActions On(const SignatureList& list);
  SiteActions On(const AttemptClosed& closed);
  SiteActions Send(SiteBody body);
  SiteActions Upload();
  SiteActions Fail(Failure failure);

  std::shared_ptr<const AttemptSetup> setup_;
  PromiseStore* promises_;
  Phase phase_;
  bool judging_ = false;                   // JudgePeers is open
  std::optional<std::uint32_t> granted_;   // the last grant that was not yet acted on
  std::optional<SiteMessage> last_sent_;   // for a coordinator that may have missed it
  std::optional<SurvivorList> survivors_;  // what this site signed
  bool ended_ = false;
  std::optional<Failure> failure_;
  SiteDropCounts dropped_;
};

}  // namespace synod::secure_agg
