// What the coordinator learned in an attempt and hands from phase to phase. For the .cpp files of its phases alone.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "secure_agg/messages.h"
#include "secure_agg/server_phases.h"

namespace synod::secure_agg {

struct ServerRecord {
  explicit ServerRecord(std::shared_ptr<const AttemptSetup> agreed) : setup_ptr(std::move(agreed)) {}
  const AttemptSetup& setup() const { return *setup_ptr; }

  std::shared_ptr<const AttemptSetup> setup_ptr;
  std::set<SiteIndex> out;  // blamed in the phase that is open: nothing of theirs is taken
  std::map<SiteIndex, Advertisement> advertisements;
  AdvertisementList list;  // U1
  std::map<SiteIndex, ShareBundle> bundles;
  std::vector<SiteIndex> participants;                  // U2
  std::map<SiteIndex, std::set<SiteIndex>> complaints;  // about a dealer -> by whom
  Bytes accumulator;                                    // of the vectors that came; empty before the first
  std::vector<SiteIndex> survivors;                     // U3
  std::map<SiteIndex, ConsistencySignature> signatures;
  Digest participants_hash{};
};

// What to do with a message of `from`, when `earlier` (or nothing) came before it. A difference is a conflict, and the
// earlier message is worth nothing either.
template <typename Message>
std::optional<Receipt> AgainstEarlier(std::map<SiteIndex, Message>& earlier, std::set<SiteIndex>& out, SiteIndex from,
                                      const Message& message) {
  if (out.contains(from)) return Receipt::Of(Receipt::Verdict::kUnexpected);
  const auto place = earlier.find(from);
  if (place == earlier.end()) return std::nullopt;
  if (place->second == message) return Receipt::Of(Receipt::Verdict::kRepeated);
  earlier.erase(place);
  out.insert(from);
  return Receipt::Blamed(from, BlameReason::kConflict);
}

}  // namespace synod::secure_agg
