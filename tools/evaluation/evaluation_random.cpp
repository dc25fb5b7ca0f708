#include "tools/evaluation/evaluation_random.h"

#include <numeric>
#include <utility>

#include "common/core/check.h"

namespace synod {

std::uint64_t EvaluationRandom::Next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::size_t EvaluationRandom::Below(std::size_t bound) {
  SYNOD_CHECK(bound > 0, "a random number below zero was asked for");
  return static_cast<std::size_t>(Next() % bound);
}

double EvaluationRandom::Uniform() {
  return static_cast<double>(Next() >> 11) * 0x1.0p-53;
}

std::vector<std::size_t> EvaluationRandom::Permutation(std::size_t count) {
  return Sample(count, count);
}

std::vector<std::size_t> EvaluationRandom::Sample(std::size_t count, std::size_t take) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (take > count) take = count;
  for (std::size_t i = 0; i < take; ++i) std::swap(order[i], order[i + Below(count - i)]);
  order.resize(take);
  return order;
}

}  // namespace synod
