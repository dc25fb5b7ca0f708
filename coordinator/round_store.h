// Where a coordinator keeps what was paid for. A port: the simulation keeps it in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/core/result.h"
#include "common/query/query.h"
#include "common/query/sums.h"

namespace synod {

// Who took part in one query: public, goes into the certificate.
struct QueryRecord {
  std::uint32_t query = 0;
  std::uint32_t entry = 0;
  std::uint32_t attempts = 0;             // asked for this query, the successful one included
  bool answered = false;                  // false: every attempt failed and the query was given up
  std::vector<std::string> sites;         // whose answers are in the sum
  std::vector<std::string> dropped_out;   // asked in the last attempt, not in the sum
  bool operator==(const QueryRecord&) const = default;
};

class RoundStore {
 public:
  virtual ~RoundStore() = default;
  // Returns only when the noisy sum would survive a loss of power: called before the trainer absorbs it.
  virtual Status AppendSum(const QueryRecord& record, const NoisySum& sum) = 0;
};

// Keeps nothing: a simulation that is stopped starts again.
class ForgetfulRoundStore final : public RoundStore {
 public:
  Status AppendSum(const QueryRecord&, const NoisySum&) override { return {}; }
};

}  // namespace synod
