#include "tools/evaluation/evaluation.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/evaluation/association.h"
#include "tools/evaluation/column_bins.h"
#include "tools/evaluation/evaluation_random.h"
#include "tools/evaluation/marginal_distance.h"

namespace synod {
namespace {

Status CheckTables(const Table& train, const Table& test, const Table& synthetic) {
  const Digest schema = train.schema().Hash();
  for (const auto& [table, name] :
       {std::pair{&train, "real training"}, std::pair{&test, "real test"}, std::pair{&synthetic, "synthetic"}}) {
    if (table->rows() == 0) return BadInput(fmt::format("the {} table has no rows", name));
    if (table->schema().Hash() != schema) {
      return BadInput(fmt::format("the {} table has another schema than the real training table", name),
                      "read all three tables with the same schema file");
    }
  }
  return {};
}

std::vector<std::size_t> ModelledColumns(const Schema& schema) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < schema.columns().size(); ++i) {
    if (schema.columns()[i].is_modelled()) columns.push_back(i);
  }
  return columns;
}

BinnedTable Bin(const std::vector<ColumnBins>& bins, const Table& table, const std::vector<std::size_t>& columns) {
  BinnedTable binned;
  for (std::size_t i = 0; i < columns.size(); ++i) binned.push_back(bins[i].Assign(table.column(columns[i])));
  return binned;
}

// What is fixed by the real training table, and the columns compared.
struct Reference {
  const Table& train;
  std::vector<std::size_t> columns;  // schema indices of the modelled columns
  std::vector<std::size_t> paired;   // positions in `columns`
  std::vector<ColumnBins> bins;
  BinnedTable binned;
  Eigen::MatrixXd association;

  const std::string& NameOf(std::size_t position) const { return train.schema().columns()[columns[position]].name; }
  std::vector<std::size_t> PairedColumns() const {
    std::vector<std::size_t> indices;
    for (const std::size_t position : paired) indices.push_back(columns[position]);
    return indices;
  }
};

Reference MakeReference(const Table& train, const EvaluationOptions& options) {
  Reference reference{train, ModelledColumns(train.schema()), {}, {}, {}, {}};
  EvaluationRandom random(options.classifiers.seed + 2);
  reference.paired = random.Sample(reference.columns.size(), options.max_pair_columns);
  std::sort(reference.paired.begin(), reference.paired.end());
  for (const std::size_t c : reference.columns) {
    reference.bins.push_back(ColumnBins::FromReal(train.schema().columns()[c], train.column(c)));
  }
  reference.binned = Bin(reference.bins, train, reference.columns);
  reference.association = AssociationMatrix(train, reference.PairedColumns());
  return reference;
}

FidelityScores Fidelity(const Reference& reference, const Table& table, const Eigen::MatrixXd& association,
                        std::vector<double>* per_column) {
  const BinnedTable binned = Bin(reference.bins, table, reference.columns);
  FidelityScores scores;
  for (std::size_t i = 0; i < binned.size(); ++i) {
    const double distance = TotalVariation(reference.binned[i], binned[i]);
    if (per_column != nullptr) per_column->push_back(distance);
    if (i == 0 || distance > scores.marginal_maximum) {
      scores.marginal_maximum = distance;
      scores.marginal_worst = reference.NameOf(i);
    }
    scores.marginal_mean += distance / static_cast<double>(binned.size());
  }
  if (const std::optional<PairDistances> pairs = ComparePairs(reference.binned, binned, reference.paired)) {
    scores.pair_mean = pairs->mean;
    scores.pair_maximum = pairs->maximum;
    scores.pair_worst_first = reference.NameOf(pairs->worst.first);
    scores.pair_worst_second = reference.NameOf(pairs->worst.second);
  }
  scores.association_difference = MeanAssociationDifference(reference.association, association);
  return scores;
}

double InvalidCellShare(const Table& synthetic, std::size_t columns, const EvaluationOptions& options) {
  const double cells =
      static_cast<double>(synthetic.rows() + options.dropped_synthetic_rows) * static_cast<double>(columns);
  return std::min(1.0, static_cast<double>(options.invalid_synthetic_cells) / cells);
}

void TrainClassifiers(const Table& real_train, const Table& real_test, const Table& synthetic,
                      const std::vector<std::size_t>& columns, const ClassifierLimits& limits, Evaluation& result) {
  result.trained_on_real = PredictLabel(real_train, real_test, columns, limits);
  result.trained_on_synthetic = PredictLabel(synthetic, real_test, columns, limits);
  result.discriminator = Discriminate(real_train, synthetic, columns, limits);
  const std::string& real_note = result.trained_on_real.note;
  const std::string& synthetic_note = result.trained_on_synthetic.note;
  if (real_note == synthetic_note) {
    if (!real_note.empty()) result.notes.push_back(real_note);
  } else {
    if (!real_note.empty()) result.notes.push_back("Trained on real data: " + real_note);
    if (!synthetic_note.empty()) result.notes.push_back("Trained on synthetic data: " + synthetic_note);
  }
  if (!result.discriminator.note.empty()) result.notes.push_back(result.discriminator.note);
}

void AddSamplingNotes(const Reference& reference, const EvaluationOptions& options, Evaluation& result) {
  if (reference.paired.size() < reference.columns.size()) {
    result.notes.push_back(fmt::format("Pairs of columns were measured among {} of the {} columns, drawn at random.",
                                       reference.paired.size(), reference.columns.size()));
  }
  if (std::max(result.real_train_rows, result.synthetic_rows) > options.classifiers.train_rows) {
    result.notes.push_back(
        fmt::format("The classifiers learn from at most {} rows, drawn at random.", options.classifiers.train_rows));
  }
}

}  // namespace

Result<Evaluation> Evaluate(const Table& real_train, const Table& real_test, const Table& synthetic,
                            const EvaluationOptions& options) {
  SYNOD_RETURN_IF_ERROR(CheckTables(real_train, real_test, synthetic));
  if (options.classifiers.train_rows == 0 || options.classifiers.discriminator_rows < kLeastDiscriminatorRows ||
      options.closest.real_rows == 0 || options.closest.synthetic_rows == 0 || options.max_pair_columns == 0) {
    return BadInput("a limit of the evaluation options leaves nothing to measure");
  }
  const Reference reference = MakeReference(real_train, options);
  Evaluation result;
  result.schema_name = real_train.schema().name();
  result.real_train_rows = real_train.rows();
  result.real_test_rows = real_test.rows();
  result.synthetic_rows = synthetic.rows();

  const std::vector<std::size_t> paired = reference.PairedColumns();
  for (const std::size_t position : reference.paired) result.association_columns.push_back(reference.NameOf(position));
  result.association_real = reference.association;
  result.association_synthetic = AssociationMatrix(synthetic, paired);
  std::vector<double> per_column;
  result.synthetic = Fidelity(reference, synthetic, result.association_synthetic, &per_column);
  result.holdout = Fidelity(reference, real_test, AssociationMatrix(real_test, paired), nullptr);
  for (std::size_t i = 0; i < reference.columns.size(); ++i) {
    result.columns.push_back(ProfileColumn(real_train, synthetic, reference.columns[i]));
    result.columns.back().total_variation = per_column[i];
  }
  result.invalid_cell_share = InvalidCellShare(synthetic, reference.columns.size(), options);

  EvaluationRandom random(options.classifiers.seed + 3);
  result.closest = CompareClosestRecords(real_train, real_test, synthetic, reference.columns, options.closest, random);
  if (options.train_classifiers) {
    TrainClassifiers(real_train, real_test, synthetic, reference.columns, options.classifiers, result);
  } else {
    result.notes.push_back("Classifiers were switched off, so prediction and telling apart were not measured.");
  }
  AddSamplingNotes(reference, options, result);
  return result;
}

}  // namespace synod
