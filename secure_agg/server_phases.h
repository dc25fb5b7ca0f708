// The coordinator's side of one attempt, one class a phase. Messages of sites come in with the site that the link
// authenticated; Close ends a phase with whoever answered and gives the next phase, or the reason why the attempt ends.
//
//   ServerAdvertise -> ServerShareKeys -> ServerMaskedInput -> ServerConsistency -> ServerUnmask -> OpenedSum
//
// The coordinator is not trusted by sites and holds no secret until sites reveal them. A site that breaks a rule is
// excluded by name where that is possible (until its vector is added), and a break that can be proven is a Blame.
//
// Threads: one at a time (ServerUnmask::Open uses more where it is told to).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "common/query/opened_sum.h"
#include "secure_agg/failure.h"
#include "secure_agg/messages.h"
#include "secure_agg/shamir.h"
#include "secure_agg/upload_slot.h"

namespace synod::secure_agg {

// What became of a message.
struct Receipt {
  enum class Verdict { kTaken, kRepeated, kUnexpected, kBlamed };
  Verdict verdict = Verdict::kTaken;
  std::optional<Blame> blame;  // of kBlamed: the site is out of this phase
  static Receipt Of(Verdict verdict) { return {verdict, std::nullopt}; }
  static Receipt Blamed(SiteIndex site, BlameReason reason) { return {Verdict::kBlamed, Blame{site, reason}}; }
};

// What the phases agree on and have learned so far; passed from phase to phase.
struct ServerRecord;

template <typename Phase>
using NextServer = std::variant<Phase, Failure>;

class ServerShareKeys;
class ServerMaskedInput;
class ServerConsistency;
class ServerUnmask;

class ServerAdvertise {
 public:
  explicit ServerAdvertise(std::shared_ptr<const AttemptSetup> setup);
  ServerAdvertise(ServerAdvertise&&) noexcept;
  ServerAdvertise& operator=(ServerAdvertise&&) noexcept;
  ~ServerAdvertise();

  Receipt Add(SiteIndex from, const Advertisement& message);
  bool HasAnswered(SiteIndex site) const;
  NextServer<ServerShareKeys> Close() &&;

 private:
  std::unique_ptr<ServerRecord> record_;
};

class ServerShareKeys {
 public:
  ServerShareKeys(ServerShareKeys&&) noexcept;
  ServerShareKeys& operator=(ServerShareKeys&&) noexcept;
  ~ServerShareKeys();

  const AdvertisementList& list() const;  // the same for all its sites
  std::vector<SiteIndex> sites() const;   // U1
  Receipt Add(SiteIndex from, const ShareBundle& message);
  bool HasAnswered(SiteIndex site) const;
  NextServer<ServerMaskedInput> Close() &&;

 private:
  friend class ServerAdvertise;
  explicit ServerShareKeys(std::unique_ptr<ServerRecord> record);
  std::unique_ptr<ServerRecord> record_;
};

// A site may upload from this chunk on.
struct Grant {
  SiteIndex site = 0;
  std::uint32_t next_chunk = 0;
};

class ServerMaskedInput {
 public:
  ServerMaskedInput(ServerMaskedInput&&) noexcept;
  ServerMaskedInput& operator=(ServerMaskedInput&&) noexcept;
  ~ServerMaskedInput();

  const std::vector<SiteIndex>& sites() const;  // U2
  ShareList ListFor(SiteIndex site) const;
  // Grants that became possible and were not yet taken: at the beginning, and whenever a slot becomes free.
  std::vector<Grant> TakeGrants();
  // Again for a site that holds a slot (it came back); nothing for one that waits.
  std::optional<Grant> GrantOf(SiteIndex site) const;

  Receipt AddChunk(SiteIndex from, std::uint32_t index, ByteView words);
  Receipt AddEnd(SiteIndex from, const UploadEnd& message);
  // The site holds a slot and does not move while others wait: it loses the slot and waits behind them; its next grant
  // begins at chunk 0. No effect where nobody waits.
  void Evict(SiteIndex site);
  // The site will not upload: its slot or place in the queue goes to others.
  void Leave(SiteIndex site);
  bool IsUploading(SiteIndex site) const;
  bool HasAnswered(SiteIndex site) const;  // its vector is complete and added
  // Dealers whose shares more sites reject than may collude (and more than one): at least one of them is honest.
  std::vector<Blame> ProvenByComplaints() const;
  NextServer<ServerConsistency> Close() &&;

 private:
  friend class ServerShareKeys;
  explicit ServerMaskedInput(std::unique_ptr<ServerRecord> record);
  std::optional<std::size_t> SlotOf(SiteIndex site) const;
  Receipt Exclude(SiteIndex site, BlameReason reason);
  void FillSlots();
  std::unique_ptr<ServerRecord> record_;
  std::vector<UploadSlot> slots_;  // grows to the number that the record allows, then is used again
  std::vector<bool> in_use_;
  std::deque<SiteIndex> waiting_;
  std::vector<Grant> grants_;
  std::map<SiteIndex, UploadEnd> ends_;
  std::set<SiteIndex> out_;
};

class ServerConsistency {
 public:
  ServerConsistency(ServerConsistency&&) noexcept;
  ServerConsistency& operator=(ServerConsistency&&) noexcept;
  ~ServerConsistency();

  SurvivorList list() const;
  const std::vector<SiteIndex>& survivors() const;
  Receipt Add(SiteIndex from, const ConsistencySignature& message);
  bool HasAnswered(SiteIndex site) const;
  NextServer<ServerUnmask> Close() &&;

 private:
  friend class ServerMaskedInput;
  explicit ServerConsistency(std::unique_ptr<ServerRecord> record);
  std::unique_ptr<ServerRecord> record_;
};

class ServerUnmask {
 public:
  ServerUnmask(ServerUnmask&&) noexcept;
  ServerUnmask& operator=(ServerUnmask&&) noexcept;
  ~ServerUnmask();

  const SignatureList& list() const { return list_; }
  const std::vector<SiteIndex>& survivors() const;
  std::vector<SiteIndex> signers() const;
  Receipt Add(SiteIndex from, const Unmasking& message);
  bool HasAnswered(SiteIndex site) const;
  // Whether t shares of every secret are there.
  bool Ready() const;
  // Takes the masks off, in one accumulator; `threads` changes the time taken and nothing else. Fails where shares are
  // missing or do not fit together, and then nothing was unmasked.
  std::variant<OpenedSum, Failure> Open(unsigned threads) &&;

 private:
  friend class ServerConsistency;
  ServerUnmask(std::unique_ptr<ServerRecord> record, SignatureList list);
  std::unique_ptr<ServerRecord> record_;
  SignatureList list_;
  std::map<SiteIndex, std::map<SiteIndex, Share>> shares_;  // about whom -> by holder
  std::map<SiteIndex, Unmasking> answers_;
};

}  // namespace synod::secure_agg
