// Whether a head of a site's own ledger, shown by a witness, proves that the ledger was rolled back; and the statement
// in which a party tells its own head and those that it has seen.
//
// Pure functions; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/ledger.h"
#include "common/privacy/ledger_head.h"

namespace synod {

enum class HeadVerdict : std::uint8_t {
  kOwn,          // this ledger had that end once, or a restoration in it has counted what lies behind it
  kAhead,        // it has more rows than this ledger, or than a restoration has counted
  kForked,       // as many rows as this ledger has or had, with another digest
  kOtherLedger,  // of a ledger that this one knows nothing of
};
std::string_view HeadVerdictText(HeadVerdict verdict);  // for people

// `head`: signed by the site whose ledger this is, and verified.
HeadVerdict JudgeOwnHead(const Ledger& ledger, const LedgerHead& head);

struct WitnessStatement {
  static constexpr std::size_t kMaxBytes = 8u << 10;
  SignedHead own;
  std::vector<SignedHead> seen;  // of others
  bool operator==(const WitnessStatement&) const = default;
};

// At most WitnessStatement::kMaxBytes: of `seen`, those that were signed last come first, and what does not fit behind
// them is left out. (Whoever takes part now has signed last, and it is from them that a statement is read.)
Bytes EncodeWitnessStatement(const SignedHead& own, std::vector<SignedHead> seen);
// Strict: one whole statement, in its one order. Signatures are not checked.
Result<WitnessStatement> DecodeWitnessStatement(ByteView bytes);

// Who a site is, to judge heads of its own.
struct LedgerOwner {
  std::string consortium;
  std::string site;
  PublicKey key;  // its signing key
};
struct Contradiction {
  SignedHead head;
  HeadVerdict verdict = HeadVerdict::kOwn;
};
// The heads among `heads` that prove a rollback of `ledger`. A head of another site, or one that the owner's key did
// not sign for this consortium, changes nothing.
std::vector<Contradiction> JudgeWitnesses(const LedgerOwner& owner, const Ledger& ledger,
                                          std::span<const SignedHead> heads);

}  // namespace synod
