// Turns rows of a table into the numbers that the evaluation's classifiers read: numeric columns standardised (a
// missing one is 0, the mean), categories one-hot (two categories: one number), and one 0/1 number "missing" for each
// numeric column that may be missing and two-category columns alike.
//
// Scales and the categories that get a number of their own come from the table it is fitted on: at most kMaxOneHot a
// column, the most frequent; the rest share one number.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/data/table.h"

namespace synod {

using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class DesignMatrix {
 public:
  static constexpr std::size_t kMaxOneHot = 64;

  // `table` has the columns `columns` (indices into the schema) and at least one row.
  static DesignMatrix Fit(const Table& table, const std::vector<std::size_t>& columns);

  std::size_t width() const { return width_; }
  // rows.size() x width(), all finite. `table` has the schema of the fit.
  FloatRows Build(const Table& table, const std::vector<std::size_t>& rows) const;

 private:
  struct Block {
    std::size_t column = 0;
    std::size_t first = 0;  // position of its first number
    bool numeric = false;
    double mean = 0.0;
    double deviation = 1.0;
    std::vector<int> places;  // per category code (missing is the last): offset from `first`, -1 for none
    int missing_place = -1;   // numeric: offset of the "missing" number
  };
  static Block NumericBlock(const std::vector<double>& numbers, bool missing_allowed);
  static Block CategoryBlock(const std::vector<std::uint16_t>& codes, const Column& column);

  std::vector<Block> blocks_;
  std::size_t width_ = 0;
};

}  // namespace synod
