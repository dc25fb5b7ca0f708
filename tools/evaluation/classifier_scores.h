// What two fixed classifiers (logistic regression, and a small neural network started from a fixed seed) make of a
// synthetic table: how well they predict real people after training on it, and how well they tell it from real data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data/table.h"

namespace synod {

struct ClassifierLimits {
  std::uint64_t seed = 0;
  std::size_t train_rows = 20000;          // larger tables are sampled
  std::size_t discriminator_rows = 10000;  // of each of real and synthetic; half of them train
  std::size_t max_cells = 20'000'000;      // rows are sampled down until rows x numbers a row fit
};

// AUROCs, each in [0, 1].
struct ClassifierScores {
  double logistic = 0.5;
  double mlp = 0.5;
  double mean() const { return 0.5 * (logistic + mlp); }
};

// A score, or why there is none (one sentence for the reader).
struct ClassifierOutcome {
  std::optional<ClassifierScores> scores;
  std::size_t rows = 0;  // rows that trained
  std::string note;      // empty if there is nothing to say
};

// Trains on `train` to predict the label of `test` from the other `columns`; rows without a label are left out. With
// fewer than two classes of at least kLeastClassRows rows in `train`, both scores are 0.5 and the note says so.
// No scores: the schema has no categorical label, or `test` has rows of one class only.
inline constexpr std::size_t kLeastClassRows = 5;
ClassifierOutcome PredictLabel(const Table& train, const Table& test, const std::vector<std::size_t>& columns,
                               const ClassifierLimits& limits);

// AUROC of telling `synthetic` rows from `real` ones on rows that did not train; 0.5 is indistinguishable.
// No scores with fewer than kLeastDiscriminatorRows rows in either table.
inline constexpr std::size_t kLeastDiscriminatorRows = 20;
ClassifierOutcome Discriminate(const Table& real, const Table& synthetic, const std::vector<std::size_t>& columns,
                               const ClassifierLimits& limits);

}  // namespace synod
