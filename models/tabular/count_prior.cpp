#include "models/tabular/count_prior.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::tabular {
namespace {

constexpr int kRounds = 100;
constexpr double kLogLeast =
    -50.0;                          // counts that are less likely than exp of this, against the likeliest, are left out
constexpr double kPerSigma = 4.0;   // possible counts in one standard deviation, around the counts that are there
constexpr std::size_t kAround = 8;  // and how many of them on either side of each count

// Where a true count may lie: on a lattice of sigma / kPerSigma, near a noisy count, and at 0; in order.
std::vector<double> PossibleCounts(std::span<const double> counts, double sigma) {
  const double step = sigma / kPerSigma;
  const double largest = std::max(0.0, *std::max_element(counts.begin(), counts.end()));
  std::vector<double> possible = {0.0};
  for (const double count : counts) {
    for (std::size_t i = 0; i <= 2 * kAround; ++i) {
      const double near = std::round(count / step) + static_cast<double>(i) - static_cast<double>(kAround);
      possible.push_back(std::clamp(near * step, 0.0, largest));
    }
  }
  std::sort(possible.begin(), possible.end());
  possible.erase(std::unique(possible.begin(), possible.end()), possible.end());
  return possible;
}

// How likely one noisy count is under each of a run of possible ones, against the likeliest of all.
struct Likelihood {
  std::size_t first = 0;
  std::vector<double> values;
};

Likelihood LikelihoodOf(double count, double sigma, const std::vector<double>& possible) {
  const auto miss = [&](std::size_t v) { return std::abs(count - possible[v]) / sigma; };
  const auto above = std::lower_bound(possible.begin(), possible.end(), count);
  auto nearest = static_cast<std::size_t>(above - possible.begin());
  if (nearest == possible.size() || (nearest > 0 && miss(nearest - 1) < miss(nearest))) --nearest;
  // (a - b)(a + b), not a^2 - b^2: far from every possible count the squares are huge and their difference is not.
  const auto log = [&](std::size_t v) { return -0.5 * (miss(v) - miss(nearest)) * (miss(v) + miss(nearest)); };
  Likelihood likelihood;
  likelihood.first = nearest;
  while (likelihood.first > 0 && log(likelihood.first - 1) > kLogLeast) --likelihood.first;
  for (std::size_t v = likelihood.first; v < possible.size() && (v <= nearest || log(v) > kLogLeast); ++v) {
    likelihood.values.push_back(std::exp(log(v)));
  }
  return likelihood;
}

}  // namespace

std::vector<double> LearnedCounts(std::span<const double> counts, double sigma) {
  SYNOD_CHECK(sigma > 0.0 && !counts.empty(), "counts to learn from have noise");
  const std::vector<double> possible = PossibleCounts(counts, sigma);
  std::vector<Likelihood> likelihoods;
  for (const double count : counts) likelihoods.push_back(LikelihoodOf(count, sigma, possible));
  std::vector<double> prior(possible.size(), 1.0 / static_cast<double>(possible.size()));
  std::vector<double> means(counts.size());
  for (int round = 0; round <= kRounds; ++round) {
    std::vector<double> next(prior.size(), 0.0);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const Likelihood& likelihood = likelihoods[i];
      const double* shares = &prior[likelihood.first];
      double total = 0.0;
      double weighted = 0.0;
      for (std::size_t v = 0; v < likelihood.values.size(); ++v) {
        const double joint = shares[v] * likelihood.values[v];
        total += joint;
        weighted += joint * possible[likelihood.first + v];
      }
      // A count's own neighbourhood always keeps some share: the count itself asks for it in every round.
      SYNOD_CHECK(total > 0.0, "a learned distribution of counts explains every count");
      means[i] = weighted / total;
      for (std::size_t v = 0; v < likelihood.values.size(); ++v) {
        next[likelihood.first + v] += shares[v] * likelihood.values[v] / total;
      }
    }
    for (std::size_t v = 0; v < prior.size(); ++v) prior[v] = next[v] / static_cast<double>(counts.size());
  }
  return means;
}

}  // namespace synod::tabular
