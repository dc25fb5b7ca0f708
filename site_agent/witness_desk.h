// Heads of ledgers between a site and its coordinator: tells the own one, keeps those of other sites, and notices when
// one of the own ledger proves that it was rolled back.
//
// The own head is told when the link opens, before an approval is told, and after every answer (within the answer's own
// time slot, so that it tells nothing about when the answer was ready). Threads: one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/wire/messages.h"
#include "site_agent/site_context.h"

namespace synod {

class WitnessDesk {
 public:
  // `rolled_back`: called when it is noticed.
  WitnessDesk(SiteContext& context, std::function<void()> rolled_back)
      : context_(context), rolled_back_(std::move(rolled_back)) {}

  // Tells the own head and those of others, as many as a message takes.
  void OnLinkOpened();
  void OnHeads(const LedgerHeads& message);
  // Tells the own head as it is now; nothing without a link.
  void Announce();

  // With every attempt of a secure aggregation (WitnessPort): the own head and those seen of others. Signed by each
  // site for that attempt, so that a coordinator cannot keep what a witness saw from the site that it is about.
  Bytes Statement() const;
  // Refused if a peer proves that the own ledger was rolled back. A peer that states nothing, or nothing that can be
  // read, proves nothing.
  Status Judge(const std::vector<PeerWord>& peers);

  SignedHead OwnHead() const;
  std::vector<SignedHead> SeenHeads() const;  // of others

 private:
  void JudgeOwn(const LedgerHeads& message);
  void TakeOfPeer(const SignedHead& head);
  void Flush();
  void Send(LedgerHeads message);

  SiteContext& context_;
  std::function<void()> rolled_back_;
};

}  // namespace synod
