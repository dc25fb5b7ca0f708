#include "tools/evaluation/association.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/core/check.h"

namespace synod {
namespace {

// Below this standard deviation (numbers) or sum of squares a column counts as constant.
constexpr double kConstant = 1e-12;
constexpr std::size_t kMaxDenseCells = std::size_t{1} << 18;

// A numeric column with its mean taken off; missing cells are 0, the mean itself.
Eigen::VectorXd Centred(const std::vector<double>& numbers) {
  double sum = 0.0;
  double present = 0.0;
  for (const double x : numbers) {
    if (std::isnan(x)) continue;
    sum += x;
    present += 1.0;
  }
  const double mean = present > 0.0 ? sum / present : 0.0;
  Eigen::VectorXd centred(static_cast<Eigen::Index>(numbers.size()));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    centred[static_cast<Eigen::Index>(i)] = std::isnan(numbers[i]) ? 0.0 : numbers[i] - mean;
  }
  return centred;
}

double Pearson(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  const auto rows = static_cast<double>(a.size());
  const double sa = a.norm();
  const double sb = b.norm();
  if (sa / std::sqrt(rows) < kConstant || sb / std::sqrt(rows) < kConstant) return 0.0;
  return std::clamp(a.dot(b) / (sa * sb), -1.0, 1.0);
}

double CorrelationRatio(const Eigen::VectorXd& numbers, const std::vector<std::uint16_t>& codes, std::size_t groups) {
  const double total = numbers.squaredNorm();
  if (total <= kConstant) return 0.0;
  std::vector<double> sums(groups, 0.0);
  std::vector<double> counts(groups, 0.0);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    sums[codes[i]] += numbers[static_cast<Eigen::Index>(i)];
    counts[codes[i]] += 1.0;
  }
  double between = 0.0;
  for (std::size_t g = 0; g < groups; ++g) {
    if (counts[g] > 0.0) between += sums[g] * sums[g] / counts[g];
  }
  return std::min(1.0, std::sqrt(between / total));
}

struct Categories {
  const std::vector<std::uint16_t>* codes = nullptr;
  std::size_t groups = 0;  // missing included
};

// Calls `visit(code, count)` for every code that occurs, in ascending order; a table too large to hold is sorted
// instead.
template <typename Visit>
void ForEachCount(std::vector<std::uint64_t>& codes, std::size_t cells, const Visit& visit) {
  if (cells <= kMaxDenseCells) {
    std::vector<double> counts(cells, 0.0);
    for (const std::uint64_t code : codes) counts[code] += 1.0;
    for (std::size_t code = 0; code < cells; ++code) {
      if (counts[code] > 0.0) visit(code, counts[code]);
    }
    return;
  }
  std::sort(codes.begin(), codes.end());
  for (std::size_t i = 0; i < codes.size();) {
    std::size_t end = i;
    while (end < codes.size() && codes[end] == codes[i]) ++end;
    visit(codes[i], static_cast<double>(end - i));
    i = end;
  }
}

double CramersV(const Categories& a, const Categories& b) {
  const std::size_t rows = a.codes->size();
  std::vector<double> counts_a(a.groups, 0.0);
  std::vector<double> counts_b(b.groups, 0.0);
  std::vector<std::uint64_t> joint(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    counts_a[(*a.codes)[i]] += 1.0;
    counts_b[(*b.codes)[i]] += 1.0;
    joint[i] = std::uint64_t{(*a.codes)[i]} * b.groups + (*b.codes)[i];
  }
  const auto levels = [](const std::vector<double>& counts) {
    return std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0.0; });
  };
  const auto smaller = static_cast<double>(std::min(levels(counts_a), levels(counts_b)));
  if (smaller < 2.0) return 0.0;
  // chi^2 / n = sum over occupied cells of count^2 / (row total * column total) - 1.
  double sum = -1.0;
  ForEachCount(joint, a.groups * b.groups, [&](std::uint64_t cell, double count) {
    sum += count * count / (counts_a[cell / b.groups] * counts_b[cell % b.groups]);
  });
  return std::clamp(std::sqrt(std::max(0.0, sum) / (smaller - 1.0)), 0.0, 1.0);
}

}  // namespace

Eigen::MatrixXd AssociationMatrix(const Table& table, const std::vector<std::size_t>& columns) {
  const auto size = static_cast<Eigen::Index>(columns.size());
  const std::vector<Column>& schema = table.schema().columns();
  std::vector<Eigen::VectorXd> centred(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (schema[columns[i]].is_numeric()) centred[i] = Centred(table.column(columns[i]).numbers);
  }
  const auto categories = [&](std::size_t i) {
    return Categories{&table.column(columns[i]).codes, schema[columns[i]].values.size() + 1};
  };
  const auto pair = [&](std::size_t i, std::size_t j) {
    const bool first_numeric = schema[columns[i]].is_numeric();
    const bool second_numeric = schema[columns[j]].is_numeric();
    if (first_numeric && second_numeric) return Pearson(centred[i], centred[j]);
    if (!first_numeric && !second_numeric) return CramersV(categories(i), categories(j));
    const std::size_t number = first_numeric ? i : j;
    const Categories other = categories(first_numeric ? j : i);
    return CorrelationRatio(centred[number], *other.codes, other.groups);
  };
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(size, size);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t j = i + 1; j < columns.size(); ++j) {
      const double value = pair(i, j);
      matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = value;
      matrix(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(i)) = value;
    }
  }
  return matrix;
}

std::optional<double> MeanAssociationDifference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  SYNOD_CHECK(a.rows() == b.rows() && a.cols() == b.cols(), "association matrices of different columns");
  if (a.rows() < 2) return std::nullopt;
  const auto size = static_cast<double>(a.rows());
  // The diagonals cancel; every pair is counted twice.
  return (a - b).cwiseAbs().sum() / (size * (size - 1.0));
}

}  // namespace synod
