#include "common/privacy/ledger_witness.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace synod {
namespace {

constexpr std::uint8_t kVersion = 1;

// Where a site's name stands, counted from behind the witness's name: those behind it first, then from the beginning.
std::pair<bool, std::string> PlaceOf(const std::string& witness, const std::string& site) {
  return {site < witness, site};
}

// Of one site: signed last first; ties by what is in them, so that one set has one order.
bool SignedBefore(const SignedHead& a, const SignedHead& b) {
  if (a.head.signed_unix != b.head.signed_unix) return a.head.signed_unix > b.head.signed_unix;
  return a.head.ledger < b.head.ledger;
}

// Whether each head stands where InTellingOrder can have put it, by how often its site came before it.
bool IsInTellingOrder(const std::string& witness, const std::vector<SignedHead>& heads) {
  std::map<std::string, std::size_t> told;
  std::set<std::pair<std::string, LedgerId>> ledgers;
  std::pair<std::size_t, std::pair<bool, std::string>> last;
  for (const SignedHead& head : heads) {
    const std::string& site = head.head.site;
    auto place = std::pair(++told[site], PlaceOf(witness, site));
    if (site == witness || place <= last || !ledgers.emplace(site, head.head.ledger).second) return false;
    last = std::move(place);
  }
  return true;
}

bool Append(const SignedHead& head, Bytes& out) {
  const Bytes encoded = EncodeHead(head);
  if (out.size() + 2 + encoded.size() > WitnessStatement::kMaxBytes) return false;
  out.push_back(static_cast<std::uint8_t>(encoded.size()));
  out.push_back(static_cast<std::uint8_t>(encoded.size() >> 8));
  out.insert(out.end(), encoded.begin(), encoded.end());
  return true;
}

Result<SignedHead> TakeHead(ByteView& rest) {
  if (rest.size() < 2) return BadInput("a witness statement ends within a head");
  const std::size_t size = rest[0] | std::size_t{rest[1]} << 8;
  rest = rest.subspan(2);
  if (size > rest.size()) return BadInput("a witness statement ends within a head");
  const ByteView bytes = rest.first(size);
  rest = rest.subspan(size);
  return DecodeHead(bytes);
}

}  // namespace

std::string_view HeadVerdictText(HeadVerdict verdict) {
  switch (verdict) {
    case HeadVerdict::kOwn:
      return "it is one of this ledger";
    case HeadVerdict::kAhead:
      return "it has rows that this ledger lacks";
    case HeadVerdict::kForked:
      return "it has other rows than this ledger";
    case HeadVerdict::kOtherLedger:
      return "it is of another ledger of this site";
  }
  return "unknown";
}

HeadVerdict JudgeOwnHead(const Ledger& ledger, const LedgerHead& head) {
  bool known = head.ledger == ledger.id();
  const auto is_here = [&](std::uint64_t rows_at_most) {
    return head.rows <= rows_at_most && ledger.chain().DigestAt(head.rows) == head.digest;
  };
  if (known && is_here(ledger.rows())) return HeadVerdict::kOwn;
  for (const Ledger::Restored& restored : ledger.restorations()) {
    if (restored.restoration.replaced == head.ledger) {
      known = true;
      if (is_here(restored.row)) return HeadVerdict::kOwn;
    }
    for (const LostHead& lost : restored.restoration.lost) {
      if (lost.ledger != head.ledger) continue;
      known = true;
      if (head.rows < lost.rows || (head.rows == lost.rows && head.digest == lost.digest)) return HeadVerdict::kOwn;
    }
  }
  if (!known) return HeadVerdict::kOtherLedger;
  return head.rows > ledger.rows() ? HeadVerdict::kAhead : HeadVerdict::kForked;
}

std::vector<SignedHead> InTellingOrder(const std::string& witness, std::vector<SignedHead> seen) {
  std::sort(seen.begin(), seen.end(), SignedBefore);
  std::map<std::pair<bool, std::string>, std::size_t> told;
  std::set<std::pair<std::string, LedgerId>> ledgers;
  using Place = std::pair<std::size_t, std::pair<bool, std::string>>;
  std::map<Place, SignedHead> placed;
  for (SignedHead& head : seen) {
    const std::string& site = head.head.site;
    if (site == witness || !ledgers.emplace(site, head.head.ledger).second) continue;
    auto place = PlaceOf(witness, site);
    const std::size_t round = ++told[place];
    placed.emplace(Place(round, std::move(place)), std::move(head));
  }
  std::vector<SignedHead> ordered;
  ordered.reserve(placed.size());
  for (auto& [place, head] : placed) ordered.push_back(std::move(head));
  return ordered;
}

Bytes EncodeWitnessStatement(const SignedHead& own, std::vector<SignedHead> seen) {
  Bytes out = {kVersion};
  bool fits = Append(own, out);
  for (const SignedHead& head : InTellingOrder(own.head.site, std::move(seen))) {
    fits = fits && Append(head, out);
    if (!fits) break;
  }
  return out;
}

Result<WitnessStatement> DecodeWitnessStatement(ByteView bytes) {
  if (bytes.size() > WitnessStatement::kMaxBytes) return BadInput("a witness statement is too long");
  if (bytes.empty() || bytes[0] != kVersion) return BadInput("a witness statement of another version");
  ByteView rest = bytes.subspan(1);
  WitnessStatement statement;
  SYNOD_ASSIGN_OR_RETURN(statement.own, TakeHead(rest));
  while (!rest.empty()) {
    SYNOD_ASSIGN_OR_RETURN(SignedHead head, TakeHead(rest));
    statement.seen.push_back(std::move(head));
  }
  if (!IsInTellingOrder(statement.own.head.site, statement.seen)) {
    return BadInput("a witness statement is not in its order");
  }
  return statement;
}

bool IsDatedAhead(const LedgerHead& head, std::int64_t now_unix) {
  return head.signed_unix > now_unix + kMaxHeadAheadSeconds;
}

std::vector<Contradiction> JudgeWitnesses(const LedgerOwner& owner, const Ledger& ledger,
                                          std::span<const SignedHead> heads) {
  std::vector<Contradiction> found;
  for (const SignedHead& head : heads) {
    if (head.head.site != owner.site) continue;
    const HeadVerdict verdict = JudgeOwnHead(ledger, head.head);
    if (verdict == HeadVerdict::kOwn || !VerifyHead(owner.key, owner.consortium, head)) continue;
    found.push_back({head, verdict});
  }
  return found;
}

}  // namespace synod
