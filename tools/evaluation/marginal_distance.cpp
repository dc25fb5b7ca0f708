#include "tools/evaluation/marginal_distance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/core/check.h"

namespace synod {
namespace {

// Above this many cells a joint histogram is made by sorting, so that two columns of 4,096 categories stay cheap.
constexpr std::size_t kMaxDenseCells = std::size_t{1} << 18;

std::vector<std::uint64_t> JointCodes(const std::pair<const BinnedColumn*, const BinnedColumn*>& columns) {
  const std::vector<std::uint32_t>& first = columns.first->bins;
  const std::vector<std::uint32_t>& second = columns.second->bins;
  SYNOD_CHECK(first.size() == second.size() && !first.empty(), "columns of one table must have the same rows");
  std::vector<std::uint64_t> codes(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) codes[i] = first[i] * columns.second->count + second[i];
  return codes;
}

template <typename Code>
double DenseDistance(const std::vector<Code>& a, const std::vector<Code>& b, std::size_t cells) {
  std::vector<double> difference(cells, 0.0);
  const double weight_a = 1.0 / static_cast<double>(a.size());
  const double weight_b = 1.0 / static_cast<double>(b.size());
  for (const Code code : a) difference[code] += 1.0;
  for (double& share : difference) share *= weight_a;
  std::vector<double> shares_b(cells, 0.0);
  for (const Code code : b) shares_b[code] += 1.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < cells; ++i) sum += std::abs(difference[i] - shares_b[i] * weight_b);
  return std::min(1.0, 0.5 * sum);
}

double SortedDistance(std::vector<std::uint64_t> a, std::vector<std::uint64_t> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const double weight_a = 1.0 / static_cast<double>(a.size());
  const double weight_b = 1.0 / static_cast<double>(b.size());
  double sum = 0.0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    const std::uint64_t code = j == b.size() || (i < a.size() && a[i] < b[j]) ? a[i] : b[j];
    double share_a = 0.0;
    double share_b = 0.0;
    for (; i < a.size() && a[i] == code; ++i) share_a += weight_a;
    for (; j < b.size() && b[j] == code; ++j) share_b += weight_b;
    sum += std::abs(share_a - share_b);
  }
  return std::min(1.0, 0.5 * sum);
}

}  // namespace

double TotalVariation(const BinnedColumn& a, const BinnedColumn& b) {
  SYNOD_CHECK(a.count == b.count && !a.bins.empty() && !b.bins.empty(), "columns must share their bins and have rows");
  return DenseDistance(a.bins, b.bins, a.count);
}

double PairTotalVariation(const std::pair<const BinnedColumn*, const BinnedColumn*>& a,
                          const std::pair<const BinnedColumn*, const BinnedColumn*>& b) {
  SYNOD_CHECK(a.first->count == b.first->count && a.second->count == b.second->count, "pairs must share their bins");
  const std::size_t cells = a.first->count * a.second->count;
  if (cells <= kMaxDenseCells) return DenseDistance(JointCodes(a), JointCodes(b), cells);
  return SortedDistance(JointCodes(a), JointCodes(b));
}

std::optional<PairDistances> ComparePairs(const BinnedTable& a, const BinnedTable& b,
                                          const std::vector<std::size_t>& columns) {
  if (columns.size() < 2) return std::nullopt;
  PairDistances result;
  double sum = 0.0;
  double pairs = 0.0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t j = i + 1; j < columns.size(); ++j) {
      const std::size_t p = columns[i];
      const std::size_t q = columns[j];
      const double distance = PairTotalVariation({&a[p], &a[q]}, {&b[p], &b[q]});
      if (pairs == 0.0 || distance > result.maximum) {
        result.maximum = distance;
        result.worst = {p, q};
      }
      sum += distance;
      pairs += 1.0;
    }
  }
  result.mean = sum / pairs;
  return result;
}

}  // namespace synod
