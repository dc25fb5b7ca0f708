// Lists of sites as they travel: strictly ascending places in the roster.
#pragma once

#include <algorithm>
#include <vector>

#include "secure_agg/attempt_setup.h"

namespace synod::secure_agg {

// Strictly ascending and below `sites`; `place` gives the site of an element.
template <typename Entries, typename Place>
bool IsAscending(const Entries& entries, std::uint32_t sites, Place place) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (place(entries[i]) >= sites || (i > 0 && place(entries[i - 1]) >= place(entries[i]))) return false;
  }
  return true;
}
inline bool IsAscending(const std::vector<SiteIndex>& list, std::uint32_t sites) {
  return IsAscending(list, sites, [](SiteIndex site) { return site; });
}

// Of an ascending list.
inline bool Contains(const std::vector<SiteIndex>& list, SiteIndex site) {
  return std::binary_search(list.begin(), list.end(), site);
}
inline bool IsSubset(const std::vector<SiteIndex>& part, const std::vector<SiteIndex>& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

}  // namespace synod::secure_agg
