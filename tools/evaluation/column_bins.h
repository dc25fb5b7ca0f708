// The bins in which two tables are compared column by column. Their edges come from the real training data: at most 20
// quantile bins for a numeric column (equal edges merged, outer bins open), one bin a category otherwise. The last bin
// is that of missing cells, for every column.
//
// A numeric column with fewer than 19 different edges is spiky (few values, or a fill-in constant): there, each edge is
// a bin of its own, so that a spike and the values beside it are told apart. A continuous value belongs to a spike when
// it is within 0.5 % of the 1 % to 99 % range of the real column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/data/schema.h"
#include "common/data/table.h"

namespace synod {

// One column of a table as bin numbers, each below `count`.
struct BinnedColumn {
  std::vector<std::uint32_t> bins;
  std::size_t count = 0;
};

class ColumnBins {
 public:
  static ColumnBins FromReal(const Column& column, const ColumnCells& real);

  // Number of bins, that of missing cells included.
  std::size_t count() const { return count_; }
  BinnedColumn Assign(const ColumnCells& cells) const;

 private:
  std::uint32_t BinOf(double number) const;

  bool numeric_ = false;
  bool spiky_ = false;
  double spike_width_ = 0.0;  // 0: only the edge itself belongs to its spike
  std::vector<double> edges_;
  std::size_t count_ = 0;
};

}  // namespace synod
