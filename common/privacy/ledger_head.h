// The signed head of a site's ledger: how many rows it has, what it ends at, and what its data sets' accounts hold.
// Whoever keeps one is a witness: a site whose ledger has less than a head that it signed itself was rolled back
// (restored from a backup, copied, begun anew).
//
// What a head says of the accounts is there for that day: the rows that were lost are not known, but all that they can
// have charged is bounded by what the accounts held, since the whole plan of a run is held before its first answer. It
// is a function of plans and of answers that were given, never of records.
//
// Pure functions and values; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/crypto/ed25519.h"

namespace synod {

// Drawn when a ledger is made, and again when one is restored: a new empty ledger is not taken for the old one.
using LedgerId = RandomId<struct LedgerIdTag>;

// What a data set's account holds: ended runs as charged, open ones with their whole plan.
struct HeldAccount {
  DatasetId dataset;   // all zeros: of the data sets that are not listed, the lowest order and the most held
  double order = 0.0;  // of the divergence, above 1
  double rdp = 0.0;    // Renyi divergence at `order`
  std::uint64_t answers = 0;
  bool operator==(const HeldAccount&) const = default;
};

struct LedgerHead {
  static constexpr std::size_t kMaxAccounts = 4;

  std::string site;  // name within its consortium
  LedgerId ledger;
  std::uint64_t rows = 0;
  Digest digest{};  // hash of the last row; LedgerGenesis() without rows
  std::int64_t signed_unix = 0;
  std::vector<HeldAccount> held;  // ascending by data set, kMaxAccounts at most; see HeldForHead
  bool operator==(const LedgerHead&) const = default;
};

struct SignedHead {
  // At most this long in bytes; names have up to 63.
  static constexpr std::size_t kMaxBytes = 512;
  LedgerHead head;
  Signature signature{};
  bool operator==(const SignedHead&) const = default;
};

// What the signature covers, under the label "synod.ledger_head": the name of the consortium, which the reader has to
// know, then the head in its one encoding.
SignedHead SignHead(const SigningKey& key, std::string_view consortium, LedgerHead head);
// False for a head of another consortium, another site's key, or one that was changed.
bool VerifyHead(const PublicKey& key, std::string_view consortium, const SignedHead& head);

// One value has one encoding, little-endian. `head` must be one that DecodeHead can give (our own duty).
Bytes EncodeHead(const SignedHead& head);
// BadInput for anything else than one whole head. The signature is not checked.
Result<SignedHead> DecodeHead(ByteView bytes);

// Puts accounts into the form of a head: those that hold nothing left out, ascending, and what is too much folded into
// the one with the zero id.
std::vector<HeldAccount> HeldForHead(std::vector<HeldAccount> accounts);
// Of two accounts of which it is not known whose they are: the lower order and the most held. A divergence grows with
// the order, so it bounds both.
HeldAccount Worse(const HeldAccount& a, const HeldAccount& b);

}  // namespace synod
