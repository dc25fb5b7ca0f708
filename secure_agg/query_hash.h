// The hash of everything public that a coordinator sends with a query. It is part of an attempt's set-up, so that sites
// that were sent different models cannot complete a sum together.
#pragma once

#include "common/core/bytes.h"
#include "common/query/query.h"

namespace synod::secure_agg {

// Over the bits of every value: equal hashes mean equal bytes.
Digest HashOfQuery(const Query& query);

}  // namespace synod::secure_agg
