// Small federations in one process, from rows to rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/data/load_table.h"
#include "tests/support/shared_data.h"
#include "tests/unit/families/small_federation.h"

namespace synod::table_diffusion {
namespace {

using testing::DependentSchema;
using testing::DependentTable;
using testing::Draw;
using testing::ShareOfAgreement;
using testing::Train;

// Independent columns agree in a quarter of the rows; the table itself in 0.96, and 0.75 is two thirds of the way.
TEST(EndToEnd, LearnsADependenceWhenThePrivacyBudgetIsHuge) {
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

TEST(EndToEnd, LearnsOverSeveralSitesThatEachSeeOneValue) {
  const auto schema = DependentSchema();
  const auto generator =
      Train({schema, 400, "steps = 20\nbatch = 200\nhidden = 8\n", 50.0, 4}, DependentTable(schema, 400));
  EXPECT_EQ(Draw(*generator, 100).rows(), 100U);
}

class GaussianVariants : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Both, GaussianVariants, ::testing::Values("published", "denoiser"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(GaussianVariants, RunFromRowsToRows) {
  const auto schema = testing::MixedSchema();
  const auto generator =
      Train({schema, 400, fmt::format("variant = \"{}\"\nsteps = 20\nbatch = 100\nhidden = 16\n", GetParam()), 50.0},
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

TEST(EndToEnd, RunsWithSubjectsAsUnits) {
  const auto schema = testing::MixedSchema(true);
  const Table table = testing::RandomTable(schema, 400, 7, 3);
  for (const char* variant : {"", "variant = \"published\"\n", "variant = \"denoiser\"\n"}) {
    const auto generator =
        Train({schema, 200, std::string(variant) + "steps = 5\nbatch = 50\nhidden = 8\n", 20.0}, table);
    EXPECT_EQ(Draw(*generator, 64).rows(), 64U);
  }
}

// The share of missing cells is a share like any other and comes out of the noisy counts.
TEST(EndToEnd, KeepsMissingValuesOfRealRows) {
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
}  // namespace synod::table_diffusion
