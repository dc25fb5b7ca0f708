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

// The order in which `witness` tells what it has seen, so that what is cut off at the end by one witness is told by
// others, whoever signed when and however often: first one head of every site, the one that it signed last, sites by
// name beginning behind the witness's own name and going round; then a second ledger of every site that has one, in the
// same order; and so on. One head a ledger; those of the witness itself are left out.
std::vector<SignedHead> InTellingOrder(const std::string& witness, std::vector<SignedHead> seen);

// At most WitnessStatement::kMaxBytes: `seen` in the order above, and what does not fit is left out. Where n sites have
// a ledger each and w heads fit, every head is in the statements of w of its n - 1 witnesses, or of all; w is at least
// 22, and at least 25 where names have up to 15 bytes.
Bytes EncodeWitnessStatement(const SignedHead& own, std::vector<SignedHead> seen);
// Strict: one whole statement, in its order, no ledger twice. Signatures are not checked.
Result<WitnessStatement> DecodeWitnessStatement(ByteView bytes);

// Whether a head says that it was signed later than any member's clock can be, as read at a moment `now_unix` of the
// reader's clock: links allow limits::kClockSkewSeconds between coordinator and site, so twice as much between sites. A
// witness takes no such head. (Of the own ledger every head counts, however dated.)
inline constexpr std::int64_t kMaxHeadAheadSeconds = 600;
bool IsDatedAhead(const LedgerHead& head, std::int64_t now_unix);

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
