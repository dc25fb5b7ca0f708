// Compares a synthetic table with the real one that it stands for: fidelity, usefulness, smoke tests for memorised
// records. Reads real records without a privacy plan: everything in an Evaluation is a statistic of real data, not
// differentially private, and for the data holder only.
//
// The real training table is the reference of every measure. Where it makes sense the real test table is measured
// against it in the same way: what a second sample of real people would score.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/data/table.h"
#include "tools/evaluation/classifier_scores.h"
#include "tools/evaluation/closest_record.h"
#include "tools/evaluation/column_profile.h"

namespace synod {

struct EvaluationOptions {
  ClassifierLimits classifiers;
  ClosestRecordLimits closest;
  bool train_classifiers = true;
  // With more modelled columns, pairs are measured among a sample of this many.
  std::size_t max_pair_columns = 96;
  // Cells of the synthetic source that its reader had to change or drop because they broke the schema. A Table holds
  // valid cells only, so that the reader alone can know.
  std::size_t invalid_synthetic_cells = 0;
  std::size_t dropped_synthetic_rows = 0;  // rows that the reader left out; they count as rows of that share
};

// Distances from the real training table; 0 is equal.
struct FidelityScores {
  double marginal_mean = 0.0;  // total variation of the columns ("tvd1")
  double marginal_maximum = 0.0;
  std::string marginal_worst;  // column name
  // The same of pairs of columns ("tvd2"), and mean |difference of association|; absent for a table of one column.
  std::optional<double> pair_mean;
  double pair_maximum = 0.0;
  std::string pair_worst_first;
  std::string pair_worst_second;
  std::optional<double> association_difference;
};

struct Evaluation {
  std::string schema_name;
  std::size_t real_train_rows = 0;
  std::size_t real_test_rows = 0;
  std::size_t synthetic_rows = 0;

  FidelityScores synthetic;
  FidelityScores holdout;  // the real test table, measured in the same way
  double invalid_cell_share = 0.0;
  ClosestRecordScores closest;
  ClassifierOutcome trained_on_real;
  ClassifierOutcome trained_on_synthetic;
  ClassifierOutcome discriminator;

  std::vector<ColumnProfile> columns;  // every modelled column, in schema order
  std::vector<std::string> association_columns;
  Eigen::MatrixXd association_real;
  Eigen::MatrixXd association_synthetic;
  std::vector<std::string> notes;  // sentences: what was not measured or was sampled, and why
};

// Fails (kBadInput) when a table has no rows, the schemas differ, or a limit of the options leaves nothing. Every
// number of the result is finite. Deterministic for the seed in the options. Takes seconds; threads: safe.
Result<Evaluation> Evaluate(const Table& real_train, const Table& real_test, const Table& synthetic,
                            const EvaluationOptions& options);

// The scores (not the distributions) as one object; what was not measured is left out and explained in "notes".
Json ToJson(const Evaluation& evaluation);

}  // namespace synod
