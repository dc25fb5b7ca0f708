// Where a coordinator keeps what was paid for. A port: the simulation keeps nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/query/sums.h"

namespace synod {

// How one attempt ended.
struct AttemptRecord {
  QueryName name;
  std::uint32_t entry = 0;
  bool completed = false;
  std::vector<std::uint32_t> answered;  // indices into the roster, ascending
  bool operator==(const AttemptRecord&) const = default;
};

class RoundStore {
 public:
  virtual ~RoundStore() = default;
  // Returns only when the record, and the noisy sum of a completed attempt, would survive a loss of power: called
  // before the trainer absorbs the sum and before anything else is asked.
  virtual Status AppendAttempt(const AttemptRecord& attempt, const NoisySum* sum) = 0;
  // The words of a completed query, to replay. Failed where there is none.
  virtual Result<Bytes> LoadWords(std::uint32_t query) const = 0;
};

// Keeps nothing: a simulation that is stopped starts again.
class ForgetfulRoundStore final : public RoundStore {
 public:
  Status AppendAttempt(const AttemptRecord&, const NoisySum*) override { return {}; }
  Result<Bytes> LoadWords(std::uint32_t) const override { return Failed("a simulation keeps no sums"); }
};

}  // namespace synod
