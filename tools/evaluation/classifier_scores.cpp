#include "tools/evaluation/classifier_scores.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/evaluation/auroc.h"
#include "tools/evaluation/design_matrix.h"
#include "tools/evaluation/evaluation_random.h"
#include "tools/evaluation/logistic_regression.h"
#include "tools/evaluation/mlp_classifier.h"

namespace synod {
namespace {

struct Labelled {
  FloatRows features;
  std::vector<int> classes;
};

// Rows whose label is present.
std::vector<std::size_t> LabelledRows(const Table& table, std::size_t label) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (!table.IsMissing(label, i)) rows.push_back(i);
  }
  return rows;
}

std::vector<int> ClassesOf(const Table& table, std::size_t label, const std::vector<std::size_t>& rows) {
  std::vector<int> classes;
  classes.reserve(rows.size());
  for (const std::size_t row : rows) classes.push_back(table.column(label).codes[row]);
  return classes;
}

std::size_t RowsThatFit(std::size_t wanted, std::size_t width, const ClassifierLimits& limits) {
  return std::min(wanted, std::max(std::size_t{1}, limits.max_cells / std::max(std::size_t{1}, width)));
}

std::vector<std::size_t> SampleOf(const std::vector<std::size_t>& rows, std::size_t take, EvaluationRandom& random) {
  if (rows.size() <= take) return rows;
  std::vector<std::size_t> sampled = random.Sample(rows.size(), take);
  for (std::size_t& row : sampled) row = rows[row];
  return sampled;
}

std::size_t LearnableClasses(const std::vector<int>& classes, std::size_t class_count) {
  std::vector<std::size_t> counts(class_count, 0);
  for (const int c : classes) ++counts[static_cast<std::size_t>(c)];
  return static_cast<std::size_t>(
      std::count_if(counts.begin(), counts.end(), [](std::size_t count) { return count >= kLeastClassRows; }));
}

bool OneClassOnly(const std::vector<int>& classes) {
  return std::all_of(classes.begin(), classes.end(), [&](int c) { return c == classes.front(); });
}

ClassifierScores TrainAndScore(const Labelled& train, const Labelled& test, int class_count, std::uint64_t seed) {
  MlpOptions options;
  options.seed = seed;
  const auto logistic = LogisticRegression::Fit(train.features, train.classes, class_count);
  const auto mlp = MlpClassifier::Fit(train.features, train.classes, class_count, options);
  ClassifierScores scores;
  scores.logistic = ClassifierAuroc(logistic.Probabilities(test.features), test.classes).value_or(0.5);
  scores.mlp = ClassifierAuroc(mlp.Probabilities(test.features), test.classes).value_or(0.5);
  return scores;
}

ClassifierOutcome NotMeasured(std::string why) {
  return {std::nullopt, 0, std::move(why)};
}

}  // namespace

ClassifierOutcome PredictLabel(const Table& train, const Table& test, const std::vector<std::size_t>& columns,
                               const ClassifierLimits& limits) {
  const Schema& schema = train.schema();
  if (schema.label() < 0) return NotMeasured("The schema names no label, so prediction was not measured.");
  const auto label = static_cast<std::size_t>(schema.label());
  if (schema.columns()[label].is_numeric()) {
    return NotMeasured("The label is a number, not a class, so prediction was not measured.");
  }
  const std::size_t class_count = schema.columns()[label].values.size();
  std::vector<std::size_t> features;
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(features), [&](std::size_t c) { return c != label; });
  const std::vector<std::size_t> test_rows = LabelledRows(test, label);
  Labelled held_out{{}, ClassesOf(test, label, test_rows)};
  if (features.empty() || test_rows.empty() || OneClassOnly(held_out.classes)) {
    return NotMeasured(
        "The real test table holds fewer than two classes of the label, so prediction was not measured.");
  }

  EvaluationRandom random(limits.seed);
  std::vector<std::size_t> rows = SampleOf(LabelledRows(train, label), limits.train_rows, random);
  if (LearnableClasses(ClassesOf(train, label, rows), class_count) < 2) {
    return {ClassifierScores{}, rows.size(),
            fmt::format("Fewer than two classes of the label have {} rows to learn from; the score is set to 0.5.",
                        kLeastClassRows)};
  }
  const DesignMatrix design = DesignMatrix::Fit(train.Select(rows), features);
  rows = SampleOf(rows, RowsThatFit(rows.size(), design.width(), limits), random);
  held_out.features =
      design.Build(test, SampleOf(test_rows, RowsThatFit(test_rows.size(), design.width(), limits), random));
  held_out.classes.resize(static_cast<std::size_t>(held_out.features.rows()));
  const Labelled learned{design.Build(train, rows), ClassesOf(train, label, rows)};
  return {TrainAndScore(learned, held_out, static_cast<int>(class_count), limits.seed), rows.size(), ""};
}

ClassifierOutcome Discriminate(const Table& real, const Table& synthetic, const std::vector<std::size_t>& columns,
                               const ClassifierLimits& limits) {
  const std::size_t smaller = std::min(real.rows(), synthetic.rows());
  if (smaller < kLeastDiscriminatorRows) {
    return NotMeasured(
        fmt::format("Fewer than {} rows: telling real from synthetic was not measured.", kLeastDiscriminatorRows));
  }
  const DesignMatrix design = DesignMatrix::Fit(real, columns);
  const std::size_t take = RowsThatFit(std::min(smaller, limits.discriminator_rows), 2 * design.width(), limits);
  EvaluationRandom random(limits.seed + 1);
  const std::vector<std::size_t> real_rows = random.Sample(real.rows(), take);
  const std::vector<std::size_t> synthetic_rows = random.Sample(synthetic.rows(), take);
  // Both samples are in random order: their first halves train, their second halves are judged.
  const auto half = static_cast<std::ptrdiff_t>(take / 2);
  const auto stacked = [&](std::ptrdiff_t from, std::ptrdiff_t to) {
    const FloatRows a = design.Build(real, {real_rows.begin() + from, real_rows.begin() + to});
    const FloatRows b = design.Build(synthetic, {synthetic_rows.begin() + from, synthetic_rows.begin() + to});
    Labelled both{FloatRows(a.rows() + b.rows(), a.cols()), {}};
    both.features << a, b;
    both.classes.assign(static_cast<std::size_t>(a.rows()), 0);
    both.classes.insert(both.classes.end(), static_cast<std::size_t>(b.rows()), 1);
    return both;
  };
  const Labelled learned = stacked(0, half);
  const Labelled judged = stacked(half, static_cast<std::ptrdiff_t>(take));
  return {TrainAndScore(learned, judged, 2, limits.seed), learned.classes.size(), ""};
}

}  // namespace synod
