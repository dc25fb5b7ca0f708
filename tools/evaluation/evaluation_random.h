// The random stream of an evaluation: which rows are compared and how a classifier starts. Public, reproducible from a
// seed, the same on every compiler (SplitMix64; Steele, Lea, Flood 2014). Never for noise or keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace synod {

class EvaluationRandom {
 public:
  explicit EvaluationRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next();
  // Uniform in [0, bound); bound > 0. The bias of at most bound / 2^64 does not matter here.
  std::size_t Below(std::size_t bound);
  // Uniform in [0, 1).
  double Uniform();
  // The numbers 0 to count - 1 in random order.
  std::vector<std::size_t> Permutation(std::size_t count);
  // `take` different numbers below `count` in random order; all of them when take >= count.
  std::vector<std::size_t> Sample(std::size_t count, std::size_t take);

 private:
  std::uint64_t state_;
};

}  // namespace synod
