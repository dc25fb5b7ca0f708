// The exact discrete Gaussian: integers n with probability proportional to exp(-n^2 / (2 V)), V an integer.
//
// Method (Ducas et al. 2013, "Lattice signatures and bimodal Gaussians", and Canonne, Kamath, Steinke 2020): with an
// integer K such that sqrt(V) / K <= 32, draw x >= 0 with weight exp(-x^2 K^2 / (2 V)) from a table, y uniform in
// 0..K-1, accept n = K x + y with probability exp(-y (y + 2 K x) / (2 V)), draw a sign and refuse -0.
// Every decision is exact to 256 bits: a double only decides where its proven error cannot matter, and otherwise
// (2^-45 of the draws) integer arithmetic with further random bits does. Total variation from the ideal distribution is
// below 2^-240 a coordinate.
//
// The number of candidates worked through depends on V and the length alone, never on the values drawn. Table look-ups
// are not constant-time at the level of cache lines.
#pragma once

#include <cstdint>
#include <span>

#include "common/crypto/secret_random.h"
#include "common/privacy/half_gaussian_table.h"

namespace synod {

class DiscreteGaussian {
 public:
  static constexpr std::uint64_t kMostVariance = std::uint64_t{1} << 62;
  static constexpr std::size_t kChunk = 64 * 1024;  // coordinates under one key

  // `variance` in 1..kMostVariance (our own duty: plans are checked before).
  explicit DiscreteGaussian(std::uint64_t variance);

  std::uint64_t variance() const { return variance_; }
  std::uint64_t coarse_step() const { return step_; }  // K

  // Adds an independent draw to each number (whose size must leave room for 20 standard deviations). Each chunk has its
  // own fork of `random`: the result does not depend on `threads`. Const and thread-safe but for `random`.
  void AddTo(SecretRandom& random, std::span<std::int64_t> values, unsigned threads = 1) const;

  // Whether a candidate is kept, exactly: true with probability exp(-numerator / (2 V)) over the uniform fraction,
  // whose first 53 bits are `bits`. Public for the tests.
  bool Accept(std::uint64_t numerator, std::uint64_t bits, SecretRandom& random) const;
  // The same by integer arithmetic alone; the fraction's later bits come from `random`.
  bool AcceptExactly(std::uint64_t numerator, std::uint64_t bits, SecretRandom& random) const;

 private:
  void AddChunk(SecretRandom random, std::span<std::int64_t> values) const;
  std::size_t Candidates(SecretRandom& random, std::span<std::int64_t> kept) const;
  std::uint64_t UniformBelowStep(std::uint64_t word, SecretRandom& random) const;

  std::uint64_t variance_;
  std::uint64_t step_;
  std::uint64_t step_rejected_;  // 2^64 mod K: low products below it are refused (Lemire 2019)
  double exponent_scale_;        // 1 / (2 V)
  double acceptance_;            // probability that a candidate is kept
  HalfGaussianTable table_;
};

}  // namespace synod
