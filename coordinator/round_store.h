// Where a coordinator keeps what was paid for. A port: the simulation keeps nothing.
#pragma once

#include <cstdint>

#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/query/sums.h"

namespace synod {

class RoundStore {
 public:
  virtual ~RoundStore() = default;
  // Returns only when the noisy sum would survive a loss of power: called before the trainer absorbs it.
  virtual Status AppendSum(const QueryName& name, std::uint32_t entry, const NoisySum& sum) = 0;
};

// Keeps nothing: a simulation that is stopped starts again.
class ForgetfulRoundStore final : public RoundStore {
 public:
  Status AppendSum(const QueryName&, std::uint32_t, const NoisySum&) override { return {}; }
};

}  // namespace synod
