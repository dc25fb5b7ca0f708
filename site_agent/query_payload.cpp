#include "site_agent/query_payload.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace synod {
namespace {

bool AreUsable(const std::vector<float>& values) {
  // Written so that a value that is no number fails.
  return std::all_of(values.begin(), values.end(), [](float value) { return std::fabs(value) <= kMaxQueryValue; });
}

}  // namespace

Result<std::shared_ptr<const Query>> ReadQuery(const QueryAsk& ask, ByteView payload) {
  static_assert(std::endian::native == std::endian::little, "payloads are read as they are");
  const std::uint64_t values = payload.size() / sizeof(float);
  if (payload.size() % sizeof(float) != 0 || ask.context_values > values ||
      ask.parameter_values != values - ask.context_values) {
    return BadInput("the payload has another length than the query says");
  }
  auto query = std::make_shared<Query>();
  query->index = ask.name.query;
  query->entry = ask.entry;
  query->kind = ask.kind;
  query->context.resize(ask.context_values);
  query->parameters.resize(ask.parameter_values);
  const std::size_t context_bytes = ask.context_values * sizeof(float);
  if (context_bytes > 0) std::memcpy(query->context.data(), payload.data(), context_bytes);
  if (ask.parameter_values > 0) {
    std::memcpy(query->parameters.data(), payload.data() + context_bytes, payload.size() - context_bytes);
  }
  if (!AreUsable(query->context)) return BadInput("the context has a value that is not finite or beyond its bound");
  if (!AreUsable(query->parameters)) return BadInput("the model has a value that is not finite or beyond its bound");
  return std::shared_ptr<const Query>(std::move(query));
}

}  // namespace synod
