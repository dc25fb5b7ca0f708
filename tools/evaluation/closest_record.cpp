#include "tools/evaluation/closest_record.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "common/core/check.h"
#include "tools/evaluation/quantile.h"

namespace synod {
namespace {

// A category or a missing cell is written as a number at least this far from every other, and a difference counts at
// most 1: so that one loop serves both kinds of column.
constexpr float kApart = 4.0F;
constexpr float kMissing = -2.0F * kApart;

struct Scaling {
  double low = 0.0;
  double range = 1.0;
};

Scaling ScalingOf(const std::vector<double>& numbers) {
  const std::vector<double> sorted = SortedPresent(numbers);
  if (sorted.empty()) return {};
  double low = Quantile(sorted, 0.01);
  double high = Quantile(sorted, 0.99);
  if (high <= low) {
    low = sorted.front();
    high = sorted.back();
  }
  return {low, high > low ? high - low : 1.0};
}

// Rows one after the other, each of columns.size() numbers.
std::vector<float> Points(const Table& table, const std::vector<std::size_t>& rows,
                          const std::vector<std::size_t>& columns, const std::vector<Scaling>& scalings) {
  std::vector<float> points(rows.size() * columns.size());
  for (std::size_t j = 0; j < columns.size(); ++j) {
    const bool numeric = table.schema().columns()[columns[j]].is_numeric();
    const ColumnCells& cells = table.column(columns[j]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float& point = points[i * columns.size() + j];
      if (table.IsMissing(columns[j], rows[i])) {
        point = kMissing;
      } else if (numeric) {
        const double scaled = (cells.numbers[rows[i]] - scalings[j].low) / scalings[j].range;
        point = static_cast<float>(std::clamp(scaled, 0.0, 1.0));
      } else {
        point = kApart * static_cast<float>(cells.codes[rows[i]]);
      }
    }
  }
  return points;
}

// For every point of `from` the distance to the nearest of `to`.
std::vector<double> NearestDistances(const std::vector<float>& from, const std::vector<float>& to, std::size_t width) {
  std::vector<double> nearest;
  nearest.reserve(from.size() / width);
  for (std::size_t i = 0; i < from.size(); i += width) {
    float best = std::numeric_limits<float>::max();
    for (std::size_t k = 0; k < to.size() && best > 0.0F; k += width) {
      float sum = 0.0F;
      for (std::size_t j = 0; j < width; ++j) sum += std::min(1.0F, std::abs(from[i + j] - to[k + j]));
      best = std::min(best, sum);
    }
    nearest.push_back(best);
  }
  return nearest;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return Quantile(values, 0.5);
}

void MixInto(std::uint64_t& hash, std::uint64_t word) {
  hash ^= word + 0x9e3779b97f4a7c15ULL + (hash << 12) + (hash >> 4);
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 32;
}

std::vector<std::uint64_t> RowHashes(const Table& table, const std::vector<std::size_t>& columns) {
  std::vector<std::uint64_t> hashes(table.rows(), 0);
  for (const std::size_t column : columns) {
    const bool numeric = table.schema().columns()[column].is_numeric();
    const ColumnCells& cells = table.column(column);
    for (std::size_t i = 0; i < table.rows(); ++i) {
      std::uint64_t word = 0;
      if (table.IsMissing(column, i)) {
        word = std::numeric_limits<std::uint64_t>::max();
      } else if (numeric) {
        const double rounded = std::round(cells.numbers[i] * 1e6) / 1e6 + 0.0;  // + 0.0 turns -0 into 0
        std::memcpy(&word, &rounded, sizeof word);
      } else {
        word = cells.codes[i];
      }
      MixInto(hashes[i], word);
    }
  }
  return hashes;
}

double ShareIn(const std::unordered_set<std::uint64_t>& known, const std::vector<std::uint64_t>& hashes) {
  const auto hits = std::count_if(hashes.begin(), hashes.end(), [&](std::uint64_t h) { return known.count(h) > 0; });
  return static_cast<double>(hits) / static_cast<double>(hashes.size());
}

}  // namespace

ClosestRecordScores CompareClosestRecords(const Table& train, const Table& test, const Table& synthetic,
                                          const std::vector<std::size_t>& columns, const ClosestRecordLimits& limits,
                                          EvaluationRandom& random) {
  SYNOD_CHECK(train.rows() > 0 && test.rows() > 0 && synthetic.rows() > 0 && !columns.empty(), "nothing to compare");
  std::vector<Scaling> scalings;
  for (const std::size_t column : columns) {
    const bool numeric = train.schema().columns()[column].is_numeric();
    scalings.push_back(numeric ? ScalingOf(train.column(column).numbers) : Scaling{});
  }
  ClosestRecordScores scores;
  scores.sampled_real_rows = std::min({train.rows(), test.rows(), limits.real_rows});
  scores.sampled_synthetic_rows = std::min(synthetic.rows(), limits.synthetic_rows);
  const std::size_t held_out = std::min(scores.sampled_real_rows, scores.sampled_synthetic_rows);
  const auto seen = Points(train, random.Sample(train.rows(), scores.sampled_real_rows), columns, scalings);
  const auto unseen = Points(test, random.Sample(test.rows(), scores.sampled_real_rows), columns, scalings);
  const auto made =
      Points(synthetic, random.Sample(synthetic.rows(), scores.sampled_synthetic_rows), columns, scalings);

  const std::vector<double> to_train = NearestDistances(made, seen, columns.size());
  const std::vector<double> to_test = NearestDistances(made, unseen, columns.size());
  const auto held_out_points = static_cast<std::ptrdiff_t>(held_out * columns.size());
  const std::vector<double> holdout =
      NearestDistances({unseen.begin(), unseen.begin() + held_out_points}, seen, columns.size());
  double nearer = 0.0;
  for (std::size_t i = 0; i < to_train.size(); ++i) {
    if (to_train[i] == to_test[i]) nearer += 0.5;
    if (to_train[i] < to_test[i]) nearer += 1.0;
  }
  scores.share_nearer_to_train = nearer / static_cast<double>(to_train.size());
  scores.median_distance = Median(to_train);
  scores.median_distance_holdout = Median(holdout);

  const std::vector<std::uint64_t> train_hashes = RowHashes(train, columns);
  const std::unordered_set<std::uint64_t> known(train_hashes.begin(), train_hashes.end());
  scores.exact_match_share = ShareIn(known, RowHashes(synthetic, columns));
  scores.exact_match_share_holdout = ShareIn(known, RowHashes(test, columns));
  return scores;
}

}  // namespace synod
