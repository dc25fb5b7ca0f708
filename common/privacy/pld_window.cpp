#include "common/privacy/pld_window.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr double kTiltedOutside = 1e-11;  // of each side
constexpr double kTailOfDelta = 1e-9;
constexpr std::size_t kBlocks = 1024;

// A distribution gathered into few blocks, to choose parameters with; never used in a bound.
struct Blocks {
  std::vector<double> mass;
  std::vector<double> loss;
  double count = 0.0;

  Blocks(const CountedPmf& counted, double width) : count(static_cast<double>(counted.count)) {
    const LossPmf& pmf = counted.pmf;
    const std::size_t per_block = pmf.mass.size() / kBlocks + 1;
    for (std::size_t begin = 0; begin < pmf.mass.size(); begin += per_block) {
      double block_mass = 0.0;
      double block_loss = 0.0;
      for (std::size_t i = begin; i < std::min(begin + per_block, pmf.mass.size()); ++i) {
        block_mass += pmf.mass[i];
        block_loss += pmf.mass[i] * static_cast<double>(pmf.first + static_cast<std::int64_t>(i)) * width;
      }
      if (block_mass <= 0.0) continue;
      mass.push_back(block_mass);
      loss.push_back(block_loss / block_mass);
    }
  }

  double Top(double lambda) const {
    double top = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < mass.size(); ++i) top = std::max(top, std::log(mass[i]) + lambda * loss[i]);
    return top;
  }
  // log moment, and mean and variance of the tilted distribution
  struct Moments {
    double log_moment = 0.0;
    double mean = 0.0;
    double variance = 0.0;
  };
  Moments At(double lambda) const {
    const double top = Top(lambda);
    double sum = 0.0;
    double first = 0.0;
    double second = 0.0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
      const double weight = mass[i] * std::exp(lambda * loss[i] - top);
      sum += weight;
      first += weight * loss[i];
      second += weight * loss[i] * loss[i];
    }
    const double mean = first / sum;
    return {top + std::log(sum), mean, std::max(second / sum - mean * mean, 0.0)};
  }
};

class Search {
 public:
  Search(std::span<const CountedPmf> losses, double width) {
    for (const CountedPmf& counted : losses) blocks_.emplace_back(counted, width);
  }
  double LogMoment(double lambda) const {
    double sum = 0.0;
    for (const Blocks& blocks : blocks_) sum += blocks.count * blocks.At(lambda).log_moment;
    return sum;
  }
  double Deviation(double lambda) const {
    double sum = 0.0;
    for (const Blocks& blocks : blocks_) sum += blocks.count * blocks.At(lambda).variance;
    return std::sqrt(sum);
  }
  const Blocks& blocks(std::size_t i) const { return blocks_[i]; }

 private:
  std::vector<Blocks> blocks_;
};

// The log moments of the distributions themselves.
std::vector<double> ExactLogMoments(std::span<const CountedPmf> losses, const Search& search, double width,
                                    double lambda) {
  std::vector<double> log_moments;
  for (std::size_t j = 0; j < losses.size(); ++j) {
    const LossPmf& pmf = losses[j].pmf;
    const double top = search.blocks(j).Top(lambda);
    double sum = 0.0;
    for (std::size_t i = 0; i < pmf.mass.size(); ++i) {
      const double loss = static_cast<double>(pmf.first + static_cast<std::int64_t>(i)) * width;
      if (pmf.mass[i] > 0.0) sum += pmf.mass[i] * std::exp(lambda * loss - top);
    }
    log_moments.push_back(top + std::log(sum));
  }
  return log_moments;
}

double Total(std::span<const CountedPmf> losses, const std::vector<double>& log_moments) {
  double sum = 0.0;
  for (std::size_t j = 0; j < losses.size(); ++j) sum += static_cast<double>(losses[j].count) * log_moments[j];
  return sum;
}

// The lambda of a geometric grid around 1 / scale with the smallest value.
template <typename Function>
double BestLambda(double scale, Function value) {
  double best = std::numeric_limits<double>::infinity();
  double best_lambda = 1.0 / scale;
  for (double lambda = 1e-3 / scale; lambda < 3e2 / scale; lambda *= 1.15) {
    const double at = value(lambda);
    if (at < best) {
      best = at;
      best_lambda = lambda;
    }
  }
  return best_lambda;
}

}  // namespace

LossWindow ChooseWindow(std::span<const CountedPmf> losses, double width, double delta) {
  const Search search(losses, width);
  const double deviation = std::max(search.Deviation(0.0), width);
  const double log_inverse_delta = std::log(1.0 / delta);
  const double chernoff =
      BestLambda(deviation, [&](double lambda) { return (search.LogMoment(lambda) + log_inverse_delta) / lambda; });

  LossWindow window;
  // Half of the way to the tail of interest: most of its mass comes into reach of double precision, and the tilted
  // distribution stays in one piece. Where it does not, its deviation jumps: then less.
  window.theta = 0.5 * chernoff;
  for (int i = 0; i < 8 && search.Deviation(window.theta) > 5.0 * deviation; ++i) window.theta *= 0.5;
  // Bounded losses gather at their largest value; a tilt that leaves nothing below is too much.
  for (int i = 0; i < 64 && search.Deviation(window.theta) < 0.3 * deviation; ++i) window.theta *= 0.5;
  const double theta = window.theta;
  window.log_moments = ExactLogMoments(losses, search, width, theta);
  window.log_scale = Total(losses, window.log_moments);

  const auto exact = [&](double lambda) { return Total(losses, ExactLogMoments(losses, search, width, lambda)); };
  const double log_tail = std::log(delta * kTailOfDelta);
  const double log_outside = std::log(kTiltedOutside);
  const double rough_scale = search.LogMoment(theta);

  const double above =
      BestLambda(deviation, [&](double lambda) { return (search.LogMoment(lambda) - log_tail) / lambda; });
  window.high = (exact(above) - log_tail) / above;
  const double above_tilted = BestLambda(deviation, [&](double lambda) {
    return (search.LogMoment(theta + lambda) - rough_scale - log_outside) / lambda;
  });
  window.high = std::max(window.high, (exact(theta + above_tilted) - window.log_scale - log_outside) / above_tilted);
  const double below_tilted = BestLambda(deviation, [&](double lambda) {
    return (search.LogMoment(theta - lambda) - rough_scale - log_outside) / lambda;
  });
  window.low = -(exact(theta - below_tilted) - window.log_scale - log_outside) / below_tilted;
  // Twice, for the rounding of the moments.
  window.tail = 2.0 * delta * kTailOfDelta;
  window.outside = 4.0 * kTiltedOutside;
  SYNOD_CHECK(window.low <= window.high, "the Chernoff bounds of both ends cannot cross");
  return window;
}

}  // namespace synod
