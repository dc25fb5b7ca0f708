#include "coordinator/owed_answers.h"

#include <algorithm>

#include "secure_agg/codec.h"

namespace synod {

void OwedAnswers::Ask(const std::string& site, const QueryName& name, std::uint64_t answer_bytes) {
  Settle(site, name);
  std::deque<Owed>& owed = owed_[site];
  owed.push_back({name, answer_bytes});
  if (owed.size() > kMaxPerSite) owed.pop_front();
}

void OwedAnswers::Settle(const std::string& site, const QueryName& name) {
  const auto found = owed_.find(site);
  if (found == owed_.end()) return;
  std::erase_if(found->second, [&](const Owed& owed) { return owed.name == name; });
}

std::uint64_t OwedAnswers::PayloadLimit(const std::string& site, const Message& message) const {
  if (const auto* answer = std::get_if<Answer>(&message)) return BytesOwed(site, answer->name);
  if (const auto* chunk = std::get_if<AggregationChunk>(&message)) {
    return std::min<std::uint64_t>(secure_agg::kChunkBytes, BytesOwed(site, chunk->name));
  }
  // Small, and also of an attempt that a coordinator before this one asked for.
  return std::holds_alternative<AggregationStep>(message) ? secure_agg::kMaxSiteMessageBytes : 0;
}

std::uint64_t OwedAnswers::BytesOwed(const std::string& site, const QueryName& name) const {
  const auto found = owed_.find(site);
  if (found == owed_.end()) return 0;
  for (const Owed& owed : found->second) {
    if (owed.name == name) return owed.bytes;
  }
  return 0;
}

}  // namespace synod
