#include "coordinator/owed_answers.h"

#include <algorithm>

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

std::uint64_t OwedAnswers::BytesOwed(const std::string& site, const QueryName& name) const {
  const auto found = owed_.find(site);
  if (found == owed_.end()) return 0;
  for (const Owed& owed : found->second) {
    if (owed.name == name) return owed.bytes;
  }
  return 0;
}

}  // namespace synod
