// Small federations in one process, from rows to rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/data/load_table.h"
#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "common/query/sum_accumulator.h"
#include "models/family_table.h"
#include "models/spline_flow/contribution.h"
#include "models/spline_flow/model_parts.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/shared_data.h"
#include "tests/unit/families/small_federation.h"

namespace synod::spline_flow {
namespace {

using testing::DependentSchema;
using testing::DependentTable;
using testing::Draw;
using testing::LoadHere;
using testing::ShareOfAgreement;

std::unique_ptr<Generator> Train(testing::RunRequest request, const Table& table) {
  request.family = "spline_flow";
  return testing::Train(request, table);
}

// Independent columns agree in a quarter of the rows; the table itself in 0.96, and 0.75 is two thirds of the way.
TEST(SplineEndToEnd, LearnsADependenceWhenThePrivacyBudgetIsHuge) {
  const auto schema = DependentSchema();
  const Table table = DependentTable(schema, 400);
  const auto generator =
      Train({schema, 400, "steps = 150\nbatch = 200\nhidden = 24\nlearning_rate = 0.02\n", 100.0}, table);
  const Table drawn = Draw(*generator, 4000);
  EXPECT_GT(ShareOfAgreement(table), 0.9);
  RecordProperty("agreement_percent", static_cast<int>(100.0 * ShareOfAgreement(drawn)));
  EXPECT_GT(ShareOfAgreement(drawn), 0.75);
  const GivenValue given[] = {{0, 0.0, 3}};
  const Table conditional = generator->Block(3, 0, 1000, given).value();
  double high = 0.0;
  for (std::size_t row = 0; row < 1000; ++row) high += conditional.column(2).numbers[row] >= 75.0 ? 1.0 : 0.0;
  EXPECT_GT(high / 1000.0, 0.5) << "a quarter where columns are independent";
}

TEST(SplineEndToEnd, RunsTheCouplingVariant) {
  const auto schema = testing::MixedSchema();
  const auto generator = Train({schema, 400, "variant = \"coupling\"\nsteps = 20\nbatch = 100\nhidden = 16\n", 50.0},
                               testing::RandomTable(schema, 400, 6));
  const Table drawn = Draw(*generator, 300);
  const Table again = Draw(*generator, 100);
  for (std::size_t row = 0; row < 100; ++row) {
    EXPECT_EQ(drawn.column(3).numbers[row], again.column(3).numbers[row]) << "a longer block begins alike";
  }
  const GivenValue given[] = {{2, 0.0, 1}};
  const Result<Table> conditional = generator->Block(3, 0, 20, given);
  ASSERT_TRUE(conditional.ok()) << conditional.error().message;
  for (std::size_t row = 0; row < 20; ++row) EXPECT_EQ(conditional->column(2).codes[row], 1);
}

TEST(SplineEndToEnd, RunsWithSubjectsAsUnits) {
  const auto schema = testing::MixedSchema(true);
  const Table table = testing::RandomTable(schema, 400, 7, 3);
  for (const char* variant : {"", "variant = \"coupling\"\n"}) {
    const auto generator =
        Train({schema, 200, std::string(variant) + "steps = 5\nbatch = 50\nhidden = 8\n", 20.0}, table);
    EXPECT_EQ(Draw(*generator, 64).rows(), 64U);
  }
}

// The loss that a site reports, taken before its noise, is what the published generator says of the same rows where
// nothing moved in between: both are the mean negative log-likelihood.
TEST(SplineEndToEnd, TrainingLossIsTheMeanNegativeLogLikelihood) {
  const auto schema = DependentSchema();
  const Table table = DependentTable(schema, 400);
  testing::RunRequest request{schema, 400,
                              "steps = 1\nbatch = 400\nhidden = 8\nlearning_rate = 1e-8\n"
                              "average_decay = 0.0\ncalibration_rounds = 0\n",
                              1000.0};
  request.family = "spline_flow";
  const ResolvedRun resolved = testing::Resolve(request);
  const auto units = std::make_shared<const UnitTable>(UnitTable::Records(std::make_shared<const Table>(table)));
  const auto contribution =
      spline_flow::MakeContribution(resolved.run, units, SecretRandomForTestsOnly::FromSeed(1)).value();
  const auto trainer = MakeTrainer(resolved.run).value();
  const auto& entries = resolved.run.plan->entries();
  double loss = 0.0;
  const auto ask = [&](std::vector<std::uint64_t> left) {
    const Query query = *trainer->Next(left);
    std::vector<std::uint32_t> all(400);
    for (std::uint32_t i = 0; i < 400; ++i) all[i] = i;
    ClippedSum sum = contribution->Sum(query, testing::Blocks(all, contribution->UnitsPerBlock(query))).value();
    const PlanEntry& entry = entries[query.entry];
    if (query.kind == QueryKind::kGradient) {
      ClippedSum same = contribution->Sum(query, testing::Blocks(all, contribution->UnitsPerBlock(query))).value();
      const std::vector<double> exact = testing::Reveal(std::move(same), entry.clip);
      const double weight = gradient_family::kSideShare;
      loss = exact[exact.size() - SideCoordinates::kCount] / weight * LossBound(tabular::GridsOf(*schema)) / 400.0;
    }
    const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
    SecretRandom noise = SecretRandomForTestsOnly::FromSeed(9);
    SumAccumulator total(grid, WordBits::k64);
    total.Add(NoiseShare::Make(grid, 64, 1).value().Add(grid.Encode(std::move(sum)), noise));
    EXPECT_TRUE(trainer->Absorb(query, std::move(total).Finish()).ok());
  };
  ask({1, 1});
  ask({0, 1});
  const auto generator = OpenGenerator(schema, trainer->Finish().value(), &LoadHere).value();
  const RowLikelihoods logs = generator->likelihood()->LogLikelihood(table).value();
  double mean = 0.0;
  // What is reported of a row is held within the public bound.
  for (const double own : logs.rows) mean += std::min(-own, LossBound(tabular::GridsOf(*schema))) / 400.0;
  EXPECT_NEAR(loss, mean, 1e-4 * mean);
}

// The share of missing cells is a share like any other and comes out of the noisy counts.
TEST(SplineEndToEnd, KeepsMissingValuesOfRealRows) {
  SYNOD_SHARED_OR_SKIP(path, "data/heart4/all_with_missing.csv");
  const auto schema =
      std::make_shared<const Schema>(Schema::FromFile(SYNOD_SOURCE_DIR "/configs/schemas/heart4_missing.toml").value());
  const LoadedTable loaded = LoadTable(path, schema).value();
  ASSERT_GT(loaded.table.rows(), 800U);
  const auto generator = Train({schema, 900, "steps = 20\nbatch = 300\nhidden = 16\n", 50.0}, loaded.table);
  const Table drawn = Draw(*generator, 3000);
  for (std::size_t j = 0; j < schema->columns().size(); ++j) {
    if (!schema->columns()[j].is_modelled()) continue;
    double real = 0.0;
    double synthetic = 0.0;
    for (std::size_t row = 0; row < loaded.table.rows(); ++row) real += loaded.table.IsMissing(j, row) ? 1.0 : 0.0;
    for (std::size_t row = 0; row < drawn.rows(); ++row) synthetic += drawn.IsMissing(j, row) ? 1.0 : 0.0;
    EXPECT_NEAR(synthetic / 3000.0, real / static_cast<double>(loaded.table.rows()), 0.08) << schema->columns()[j].name;
  }
}

}  // namespace
}  // namespace synod::spline_flow
