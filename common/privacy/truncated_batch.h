// Poisson sampling with a largest batch, in terms of two plain mechanisms.
//
// Let K be the number of the other units that are drawn. With K < max_batch the unit in question is added as in plain
// Poisson sampling. Otherwise the batch without the unit is a uniform subset S + {y} of max_batch others, whatever K;
// with it, it is the same but for the probability
//   q' = E[q max_batch / (K + 1) | K >= max_batch] = P(Bin(units, q) > max_batch) max_batch / units / P(K >= max_batch)
// that the unit takes the place of y. Given S and y that is a Gaussian mechanism on a Poisson sample with rate q',
// whose sum moves by at most twice the clipping norm. Telling the adversary which of both cases it is, and S and y,
// only costs: their laws are the same with the unit and without it.
#pragma once

#include "common/privacy/mechanism.h"

namespace synod {

struct TruncatedBatch {
  double probability = 0.0;       // P(K >= max_batch)
  double sampling_rate = 0.0;     // q', rounded up
  double noise_multiplier = 0.0;  // half of that of the mechanism
};

TruncatedBatch TruncatedBatchOf(const TruncatedGaussianMechanism& truncated);

// P(Bin(n, p) >= k) with a relative error below kBinomialError for n up to 1e8, where it is below 1/2.
inline constexpr double kBinomialError = 1e-9;
double BinomialTail(std::uint64_t n, double p, std::uint64_t k);

}  // namespace synod
