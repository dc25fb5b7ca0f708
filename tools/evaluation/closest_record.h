// Smoke tests for memorised records: how far synthetic rows are from the nearest real ones, and how many are copies.
// They can only find trouble; a good value proves nothing (the privacy proof is the certificate's).
//
// Distance of two rows: sum over columns of |difference| of numbers scaled by the 1 % to 99 % range of the real
// training column and clamped to [0, 1], and 1 for different categories. A missing cell is a value of its own: 0 to
// another missing one, 1 to anything else. (Gower 1971, without the division by the number of columns.)
#pragma once

#include <cstddef>
#include <vector>

#include "common/data/table.h"
#include "tools/evaluation/evaluation_random.h"

namespace synod {

struct ClosestRecordScores {
  // Share of sampled synthetic rows nearer to a training row than to any of equally many test rows, ties one half.
  double share_nearer_to_train = 0.0;      // 0.5: no nearer to the training data than to people it never saw
  double median_distance = 0.0;            // synthetic to training rows
  double median_distance_holdout = 0.0;    // test to training rows
  double exact_match_share = 0.0;          // synthetic rows equal to a training row in every column (6 decimals)
  double exact_match_share_holdout = 0.0;  // test rows equal to a training row
  std::size_t sampled_real_rows = 0;       // of each of training and test
  std::size_t sampled_synthetic_rows = 0;
};

struct ClosestRecordLimits {
  std::size_t real_rows = 5000;
  std::size_t synthetic_rows = 2000;
};

// All three tables have one schema and at least one row; `columns` are the columns compared.
ClosestRecordScores CompareClosestRecords(const Table& train, const Table& test, const Table& synthetic,
                                          const std::vector<std::size_t>& columns, const ClosestRecordLimits& limits,
                                          EvaluationRandom& random);

}  // namespace synod
