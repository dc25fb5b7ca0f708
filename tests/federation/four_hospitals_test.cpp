// Four real hospitals, each with a file of its own and patients unlike those of the others, from the records to a table
// of synthetic rows.
#include <gtest/gtest.h>

#include "common/data/load_table.h"
#include "tests/federation/federation.h"
#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

double ShareOf(const Table& table, std::size_t column, std::uint32_t code) {
  double count = 0.0;
  for (std::size_t row = 0; row < table.rows(); ++row) count += table.column(column).codes[row] == code ? 1.0 : 0.0;
  return count / static_cast<double>(table.rows());
}

TEST(FourHospitals, TrainTogetherPublishAndAnyoneSamples) {
  if (!ToolCanTrain()) GTEST_SKIP() << "built without LibTorch";
  SYNOD_SHARED_OR_SKIP(folder, "data/heart4");
  FederationOptions options;
  options.sites = {"cleveland", "hungarian", "switzerland", "va-long-beach"};
  for (const std::string& site : options.sites) {
    options.tables[site] = folder + "/train_site_" + (site == "va-long-beach" ? "va_long_beach" : site) + ".csv";
  }
  options.schema = ReadText(std::string(SYNOD_SOURCE_DIR) + "/configs/schemas/heart4.toml");
  options.family = "table_diffusion";
  options.model_options = "steps = 60\nbatch = 150\nhidden = 32\n";
  options.units = 735;
  options.aggregation = "secure";
  Federation federation(options);
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"published", "failed", "refused"})) << federation.Logs();
  ASSERT_EQ(federation.StateOf(run), "published") << federation.Synod({"run", "why", run}).both() << federation.Logs();
  ASSERT_TRUE(Eventually([&] { return federation.Show(run).value("complete", false); })) << federation.Logs();

  const std::string file = federation.Fetch(run);
  const std::string root = federation.kits().first_operator + "/trust/ca.pem";
  const ProgramRun verified = RunTool({"verify", file, "--trust", root});
  EXPECT_EQ(verified.exit_code, 0) << verified.both();
  const std::string rows = federation.folder() + "/synthetic.csv";
  const ProgramRun sampled = RunTool({"sample", file, "-n", "1000", "-o", rows, "--seed", "1", "--trust", root});
  ASSERT_EQ(sampled.exit_code, 0) << sampled.both();

  const auto schema = std::make_shared<const Schema>(Schema::FromFile(federation.schema_file()).value());
  const Result<LoadedTable> synthetic = LoadTable(rows, schema);
  ASSERT_TRUE(synthetic.ok()) << synthetic.error().message;
  EXPECT_EQ(synthetic->table.rows(), 1000u) << "every synthetic row keeps the schema";
  // The streams repeat, so that what follows does not depend on luck: learned from all hospitals, not from one. The
  // share of patients with the disease is 0.55 over all of them, 0.36 in one and 0.93 in another.
  const auto label = static_cast<std::size_t>(schema->label());
  EXPECT_NEAR(ShareOf(synthetic->table, label, 1), 0.55, 0.1);
}

}  // namespace
}  // namespace synod::testing
