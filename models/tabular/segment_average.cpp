#include "models/tabular/segment_average.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/core/check.h"

namespace synod::tabular {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

double LogSum(double a, double b) {
  const double larger = std::max(a, b);
  if (larger == kNone) return kNone;
  return larger + std::log1p(std::exp(std::min(a, b) - larger));
}

// The least-squares level of the cells from a start on, grown by one cell after the other.
class GrowingFit {
 public:
  void Add(double count, double measure) {
    const double square = measure * measure;
    const double miss = count - level_ * measure;
    residual_ += miss * miss * (squares_ / (squares_ + square));
    squares_ += square;
    level_ += miss * measure / squares_;
  }
  double level() const { return level_; }
  double residual() const { return residual_; }

 private:
  double level_ = 0.0;
  double squares_ = 0.0;
  double residual_ = 0.0;
};

class Average {
 public:
  Average(std::span<const double> counts, double sigma, const std::vector<std::vector<double>>& measures)
      : counts_(counts), sigma_(sigma), measures_(measures) {
    const auto n = static_cast<double>(counts.size());
    log_prior_ = -0.5 * std::log(n) - std::log(static_cast<double>(measures.size()));
  }

  std::vector<double> Run() {
    Sums();
    std::vector<double> result(counts_.size(), 0.0);
    for (const std::vector<double>& measure : measures_) {
      // The weighted level of each segment goes from its first cell to its last: kept as differences.
      std::vector<double> change(counts_.size() + 1, 0.0);
      for (std::size_t first = 0; first < counts_.size(); ++first) {
        GrowingFit fit;
        for (std::size_t last = first; last < counts_.size(); ++last) {
          fit.Add(counts_[last], measure[last]);
          // At most 1; where the noise is absurdly small against the counts, rounding alone could say more.
          const double share =
              std::exp(std::min(0.0, before_[first] + LogWeight(fit) + after_[last + 1] - before_.back()));
          change[first] += share * fit.level();
          change[last + 1] -= share * fit.level();
        }
      }
      double level = 0.0;
      for (std::size_t cell = 0; cell < counts_.size(); ++cell) {
        level += change[cell];
        result[cell] += level * measure[cell];
      }
    }
    return result;
  }

 private:
  double LogWeight(const GrowingFit& fit) const {
    const double scaled = fit.residual() / sigma_ / sigma_;
    return log_prior_ - 0.5 * std::min(scaled, 1e300);
  }
  // The log of the weight of one segment, all measures together.
  double LogWeight(std::vector<GrowingFit>& fits, std::size_t cell) const {
    double weight = kNone;
    for (std::size_t m = 0; m < fits.size(); ++m) {
      fits[m].Add(counts_[cell], measures_[m][cell]);
      weight = LogSum(weight, LogWeight(fits[m]));
    }
    return weight;
  }

  // before_[i], after_[i]: logs of the summed weights of all ways to cut the cells before cell i, and from it on.
  void Sums() {
    const std::size_t n = counts_.size();
    before_.assign(n + 1, kNone);
    after_.assign(n + 1, kNone);
    before_[0] = 0.0;
    after_[n] = 0.0;
    for (std::size_t first = 0; first < n; ++first) {
      std::vector<GrowingFit> fits(measures_.size());
      for (std::size_t last = first; last < n; ++last) {
        before_[last + 1] = LogSum(before_[last + 1], before_[first] + LogWeight(fits, last));
      }
    }
    for (std::size_t last = n; last-- > 0;) {
      std::vector<GrowingFit> fits(measures_.size());
      for (std::size_t first = last + 1; first-- > 0;) {
        after_[first] = LogSum(after_[first], after_[last + 1] + LogWeight(fits, first));
      }
    }
  }

  std::span<const double> counts_;
  double sigma_;
  const std::vector<std::vector<double>>& measures_;
  double log_prior_ = 0.0;
  std::vector<double> before_;
  std::vector<double> after_;
};

}  // namespace

std::vector<double> SegmentAverage(std::span<const double> counts, double sigma,
                                   const std::vector<std::vector<double>>& measures) {
  SYNOD_CHECK(sigma > 0.0 && !measures.empty(), "an average over segments has noise and a measure");
  for (const std::vector<double>& measure : measures) {
    SYNOD_CHECK(measure.size() == counts.size(), "one measure for each cell");
  }
  if (counts.size() < 2) return {counts.begin(), counts.end()};
  return Average(counts, sigma, measures).Run();
}

}  // namespace synod::tabular
