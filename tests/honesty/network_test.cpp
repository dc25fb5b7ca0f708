// The lines of known_mistakes_test.cpp that are about networks, with the engine and a family: the wrong network is
// built, and what is held against every family (a unit's own norm, a neighbour's move) catches it. And 5,000 of the
// million trials: gradient sums of units with several uses, adversarial rows among them.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/query/public_random.h"
#include "common/query/sum_accumulator.h"
#include "models/table_diffusion/contribution.h"
#include "models/table_diffusion/entries.h"
#include "models/tabular/histogram_sum.h"
#include "tests/honesty/mistakes.h"
#include "tests/honesty/small_network.h"
#include "tests/support/deterministic_random.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::honesty {
namespace {

using Coupling = SmallNetwork::Coupling;

constexpr double kClip = 1.0;
constexpr char kTooLong[] = "longer than its clipped units";

torch::Tensor RandomRows(std::int64_t rows, std::int64_t seed) {
  torch::manual_seed(seed);
  return torch::randn({rows, SmallNetwork::kIn});
}

torch::Tensor WithoutUnit(const torch::Tensor& rows, std::int64_t unit, std::int64_t uses) {
  return torch::cat({rows.slice(0, 0, unit * uses), rows.slice(0, (unit + 1) * uses)});
}

// The furthest that the sum goes when one unit goes away, in multiples of the clip.
double WorstMove(const SmallNetwork& network, const torch::Tensor& rows, std::int64_t uses) {
  Row all = network.ClippedSum(rows, uses, kClip);
  double worst = 0.0;
  for (std::int64_t unit = 0; unit < rows.size(0) / uses; ++unit) {
    const Row fewer = network.ClippedSum(WithoutUnit(rows, unit, uses), uses, kClip);
    Row difference = all;
    AddTo(difference, Scaled(fewer, -1.0));
    worst = std::max(worst, Norm(difference) / kClip);
  }
  return worst;
}

TEST(NetworkMistakeDeathTest, SumOfSquaredNormsOverTheUsesOfASharedParameter) {
  const SmallNetwork network(1, 1.0);
  constexpr std::int64_t kUses = 8;
  const torch::Tensor rows = RandomRows(1, 2).repeat({kUses, 1});
  // One use after the other, as units of their own; the loss of the unit is the mean over its uses.
  double squares = 0.0;
  for (const double norm : network.Norms(rows, 1)) squares += norm * norm / (kUses * kUses);
  const double wrong = std::sqrt(squares);
  const Row gradient = network.ClippedSum(rows, kUses, 1e9);
  EXPECT_NEAR(Norm(gradient) / wrong, std::sqrt(static_cast<double>(kUses)), 0.05);
  EXPECT_DEATH(SumOfBlock(Scaled(gradient, kClip / wrong), kClip), kTooLong);
  EXPECT_LE(Norm(network.ClippedSum(rows, kUses, kClip)), kClip);
}

TEST(NetworkMistake, VariantsOfOneRecordTreatedAsRecords) {
  const SmallNetwork network(1, 1.0);
  constexpr std::int64_t kVariants = 8;
  const torch::Tensor variants = RandomRows(1, 2).repeat({kVariants, 1}) + 1e-3 * RandomRows(kVariants, 3);
  EXPECT_GT(Norm(network.ClippedSum(variants, 1, kClip)), 0.9 * kVariants * kClip);
  EXPECT_LE(Norm(network.ClippedSum(variants, kVariants, kClip)), kClip);
}

// A tape has no layer that looks across rows; what is computed between its layers by hand is seen by a neighbour.
template <typename Tape>
concept NormalisesBatches = requires(Tape tape, torch::Tensor rows) {
  tape.BatchNorm(rows);
};
static_assert(!NormalisesBatches<engine::Tape>);

TEST(NetworkMistake, BatchNormalisationAndALossThatCouplesRecords) {
  const torch::Tensor rows = RandomRows(16, 4);
  EXPECT_LE(WorstMove(SmallNetwork(1, 1.0), rows, 1), 1.0 + 1e-5);
  EXPECT_GT(WorstMove(SmallNetwork(1, 1.0, Coupling::kBatchMean), rows, 1), 1.1);
  double coupled = 0.0;
  double alone = 0.0;
  for (std::int64_t seed = 0; seed < 40; ++seed) {  // of two or three units
    const torch::Tensor few = RandomRows(2 + seed % 2, seed);
    coupled = std::max(coupled, WorstMove(SmallNetwork(1, 1.0, Coupling::kLoss), few, 1));
    alone = std::max(alone, WorstMove(SmallNetwork(1, 1.0), few, 1));
  }
  EXPECT_GT(coupled, 1.2);
  EXPECT_LE(alone, 1.0 + 1e-5);
}

TEST(NetworkMistake, ANaNRowThatZeroesTheSum) {
  const SmallNetwork network(1, 1.0);
  for (const float poison : {NAN, INFINITY, -INFINITY}) {
    torch::Tensor rows = RandomRows(12, 5);
    rows[5][1] = poison;  // unit 2 of two rows each
    const Row with = network.ClippedSum(rows, 2, kClip);
    const Row without = network.ClippedSum(WithoutUnit(rows, 2, 2), 2, kClip);
    EXPECT_GT(Norm(with), 0.1);
    for (std::size_t i = 0; i < with.size(); ++i) EXPECT_NEAR(with[i], without[i], 1e-5);
  }
}

// ---- Trials.

// Rows of one unit: ordinary, far too large or small, equal uses, opposite uses that cancel, poisoned.
torch::Tensor UnitRows(PublicRandom& random, std::int64_t uses) {
  torch::Tensor rows = torch::empty({uses, SmallNetwork::kIn});
  float* values = rows.data_ptr<float>();
  const std::uint64_t kind = random.IntegerBelow(8);
  const double size = kind == 0 ? std::pow(10.0, -30.0 + 60.0 * random.Uniform()) : 1.0;
  for (std::int64_t i = 0; i < uses * SmallNetwork::kIn; ++i) values[i] = static_cast<float>(size * random.Normal());
  if (kind == 1) rows.copy_(rows[0].expand_as(rows).clone());
  if (kind == 2 && uses > 1) rows[1] = -rows[0] * (1.0 + 1e-6 * random.Normal());
  if (kind == 3) rows[0][0] = random.IntegerBelow(2) == 0 ? NAN : INFINITY;
  return rows;
}

TEST(NetworkTrials, OfGradientSumsNeverMoveByMoreThanDelta) {
  constexpr std::int64_t kUnits = 20;
  constexpr int kBatches = 250;
  const IntegerReader reader(PlanGrid(kClip, SmallNetwork(0, 1.0).dimension()));
  const auto integers = [&](const SmallNetwork& network, const torch::Tensor& rows, std::int64_t uses) {
    const auto units = static_cast<std::uint32_t>(rows.size(0) / uses);
    return reader.Read(SumOfBlock(network.ClippedSum(rows, uses, kClip), kClip, units));
  };
  PublicRandom random(8, "honesty.network");
  std::size_t trials = 0;
  double worst = 0.0;
  for (int batch = 0; batch < kBatches; ++batch) {
    const std::int64_t uses = 1 + batch % 4;
    const double size = batch % 10 == 0 ? std::pow(10.0, -10.0 + 20.0 * random.Uniform()) : 1.0;
    const SmallNetwork network(static_cast<std::uint64_t>(batch), size);
    std::vector<torch::Tensor> units;
    for (std::int64_t unit = 0; unit < kUnits; ++unit) units.push_back(UnitRows(random, uses));
    const torch::Tensor rows = torch::cat(units);
    const std::vector<double> all = integers(network, rows, uses);
    for (std::int64_t unit = 0; unit < kUnits; ++unit, ++trials) {
      const auto fewer = integers(network, WithoutUnit(rows, unit, uses), uses);
      worst = std::max(worst, Moved(all, fewer) / reader.grid().sensitivity());
    }
    ASSERT_LE(worst, 1.0) << "batch " << batch;
  }
  EXPECT_EQ(trials, 5'000U);
  EXPECT_GT(worst, 0.95);
}

// ---- A family: a subject with 50 rows in the gradient sum of table_diffusion.

class DiffusionSubject : public ::testing::TestWithParam<const char*> {};

TEST_P(DiffusionSubject, WithFiftyRowsMovesTheGradientSumByNoMoreThanDelta) {
  constexpr std::size_t kManyRows = 50;
  const auto schema = testing::MixedSchema(true);
  const ResolvedRun resolved = testing::Resolve({schema, 400, std::string("hidden = 6\nsteps = 3\n") + GetParam()});
  const PlanEntry& entry = resolved.run.plan->entries()[table_diffusion::kTrainingEntry];
  const IntegerReader reader(Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value());
  // Ten subjects of two rows, and one of 50 equal rows at the end: the others keep their places and secrets.
  std::vector<std::uint64_t> subjects;
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < 20 + kManyRows; ++row) {
    rows.push_back(std::min<std::size_t>(row, 20));
    subjects.push_back(row < 20 ? row / 2 : 1000);
  }
  const Table chosen = testing::RandomTable(schema, 21, 3).Select(rows);
  std::vector<ColumnCells> cells;
  for (std::size_t j = 0; j < schema->columns().size(); ++j) cells.push_back(chosen.column(j));
  const auto table = std::make_shared<const Table>(Table::Create(schema, cells, rows.size(), subjects).value());

  Query query;
  query.entry = table_diffusion::kTrainingEntry;
  query.kind = QueryKind::kGradient;
  std::vector<float> counts(tabular::HistogramSize(tabular::GridsOf(*schema)), 2.0F);
  query.context = table_diffusion::EncodeContext(1.0, counts);
  PublicRandom random(71, "parameters");
  for (std::uint64_t i = 0; i < resolved.layout.size(); ++i) {
    query.parameters.push_back(static_cast<float>(0.5 * random.Normal()));
  }
  const auto moved_by_the_last = [&](const UnitTable& unit_table, std::size_t units_of_the_subject) {
    const auto units = std::make_shared<const UnitTable>(unit_table);
    const auto contribution =
        table_diffusion::MakeContribution(resolved.run, units, SecretRandomForTestsOnly::FromSeed(4)).value();
    std::vector<std::uint32_t> drawn(units->size());
    std::iota(drawn.begin(), drawn.end(), 0U);
    const std::uint32_t block = contribution->UnitsPerBlock(query);
    const auto with = reader.Read(contribution->Sum(query, testing::Blocks(drawn, block)).value());
    drawn.resize(drawn.size() - units_of_the_subject);
    return Moved(with, reader.Read(contribution->Sum(query, testing::Blocks(drawn, block)).value()));
  };
  const double delta = entry.sensitivity;
  EXPECT_LE(moved_by_the_last(UnitTable::Subjects(table, kManyRows).value(), 1), delta);
  EXPECT_GT(moved_by_the_last(UnitTable::Subjects(table, kManyRows).value(), 1), 0.02 * delta);
  EXPECT_GT(moved_by_the_last(UnitTable::Records(table), kManyRows), 2.0 * delta)
      << "record-level code fails this test";
}

INSTANTIATE_TEST_SUITE_P(Variants, DiffusionSubject, ::testing::Values("", "variant = \"published\"\nlevels = 5\n"),
                         [](const auto& test) { return std::string(test.index == 0 ? "Masked" : "Published"); });

}  // namespace
}  // namespace synod::honesty
