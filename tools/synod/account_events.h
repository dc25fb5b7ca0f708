// The file of `synod account --events`: a list of uses of mechanisms, in JSON.
#pragma once

#include <string_view>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/mechanism.h"

namespace synod {

inline constexpr std::size_t kMaxEventsFileBytes = std::size_t{4} << 20;

// What an entry may hold, for help texts: one line a kind.
extern const char kEventsHelp[];

// Strict: unknown kinds, unknown, missing or mistyped keys, values out of range, what has no proven account under this
// relation, and anything that is not a list of objects are errors that name the entry (from 0) and the key. An entry
// without a kind is "gaussian".
Result<MechanismUses> UsesFromJson(std::string_view text, Adjacency adjacency, unsigned sites_per_subject);

// The entry as a file would hold it.
Json UseToJson(const MechanismUse& use);

}  // namespace synod
