// A query as it comes from the coordinator. Threads: free functions without state.
#pragma once

#include <memory>

#include "common/core/result.h"
#include "common/query/query.h"
#include "common/wire/messages.h"

namespace synod {

// No value of a context or of a model is larger in magnitude: what a training that works never reaches, far below
// where products of single precision overflow.
inline constexpr float kMaxQueryValue = 1e12F;

// `payload`: context, then parameters, as little-endian float32. BadInput where it has another length, or a value is
// not finite or beyond kMaxQueryValue: nothing is computed for such a query. The text names no value.
Result<std::shared_ptr<const Query>> ReadQuery(const QueryAsk& ask, ByteView payload);

}  // namespace synod
