// Poisson sampling: every unit is drawn by its own independent Bernoulli(q). Never a shuffle, never a fixed size.
// An empty draw is a valid draw: its query is answered with noise alone, and counts.
#pragma once

#include <cstdint>
#include <vector>

#include "common/crypto/secret_random.h"
#include "common/query/sampling_rate.h"

namespace synod {

class PoissonSampler {
 public:
  explicit PoissonSampler(SamplingRate rate) : rate_(rate) {}

  SamplingRate rate() const { return rate_; }

  // The drawn units of 0..units-1, increasing. Consumes one word and does the same work for every unit, drawn or not.
  std::vector<std::uint32_t> Draw(SecretRandom& random, std::uint32_t units) const;

 private:
  SamplingRate rate_;
};

}  // namespace synod
