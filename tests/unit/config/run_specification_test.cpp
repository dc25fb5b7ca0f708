#include "common/config/run_specification.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace synod {
namespace {

constexpr const char* kRun = R"([run]
name = "r"
sites = 4
[schema]
file = "schema.toml"
[model]
family = "table_diffusion"
width = 64
[privacy]
epsilon = 3.0
delta = 1e-5
units = 20000
)";

// kRun with its first `old_text` replaced.
Result<RunSpecification> With(const std::string& old_text, const std::string& new_text,
                              const RunOverrides& overrides = {}) {
  std::string text = kRun;
  const std::size_t at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  text.replace(at, old_text.size(), new_text);
  return RunSpecification::FromToml(text, "r.toml", overrides);
}

void ExpectError(const Result<RunSpecification>& run, const std::string& message) {
  ASSERT_FALSE(run.ok()) << message;
  EXPECT_EQ(run.error().code, ErrorCode::kBadInput);
  EXPECT_NE(run.error().message.find(message), std::string::npos) << run.error().message;
}

TEST(RunSpecification, FillsInTheDefaults) {
  const Result<RunSpecification> run = RunSpecification::FromToml(kRun, "r.toml");
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->name, "r");
  EXPECT_EQ(run->seed, 0u);
  EXPECT_EQ(run->sites, 4u);
  EXPECT_EQ(run->quorum, 3u);
  EXPECT_EQ(run->privacy.max_colluding_sites, 1u);
  EXPECT_EQ(run->honest_shares(), 2u);
  EXPECT_EQ(run->train_file, "train.csv");
  EXPECT_EQ(run->family, "table_diffusion");
  EXPECT_EQ(run->privacy.epsilon, 3.0);
  EXPECT_EQ(run->privacy.delta, 1e-5);
  EXPECT_EQ(run->privacy.units, 20000u);
  EXPECT_TRUE(run->privacy.subject_column.empty());
  EXPECT_EQ(run->privacy.relation, Adjacency::kAddRemove);
  EXPECT_EQ(run->privacy.max_sites_per_subject, 1u);
  EXPECT_EQ(run->privacy.clip, 1.0);
  EXPECT_EQ(run->budget.training, 0.9);
  EXPECT_FALSE(run->budget.stated);
  EXPECT_TRUE(run->warnings.empty());
}

TEST(RunSpecification, LeavesTheModelToItsFamily) {
  const Result<RunSpecification> run = RunSpecification::FromToml(kRun, "r.toml");
  ASSERT_TRUE(run.ok());
  const RunSpecification copy = *run;
  EXPECT_EQ(copy.model.Finish().error().message, "r.toml:8: model.width: is not a known key");
  EXPECT_EQ(*copy.model.RequiredInteger("width", 1, 1024), 64);
  EXPECT_TRUE(run->model.Finish().ok());
}

TEST(RunSpecification, RefusesAnEpsilonThatPromisesNothing) {
  for (const char* bad : {"nan", "-nan", "inf", "0", "-1", "-0.0", "1000.1", "1e300", "\"3\"", "true", "-inf", "[3]"}) {
    ExpectError(With("epsilon = 3.0", std::string("epsilon = ") + bad), "r.toml:10: privacy.epsilon: ");
  }
  ExpectError(With("epsilon = 3.0", "epsilon = nan"), "must be a number, but is NaN");
  ExpectError(With("epsilon = 3.0\n", ""), "privacy.epsilon: is required");
  ExpectError(With("delta = 1e-5\n", ""), "privacy.delta: is required");
  ExpectError(With("units = 20000\n", ""), "privacy.units: is required");
  EXPECT_TRUE(With("epsilon = 3.0", "epsilon = 1000").ok());
  EXPECT_TRUE(With("epsilon = 3.0", "epsilon = 1").ok());
}

TEST(RunSpecification, RefusesEveryOtherNumberOutOfRange) {
  for (const char* bad : {"0", "0.01", "1", "nan", "-1e-9", "inf"}) {
    ExpectError(With("delta = 1e-5", std::string("delta = ") + bad), "r.toml:11: privacy.delta: ");
  }
  for (const char* bad : {"0", "-1", "1.5", "nan", "9999999999999"}) {
    ExpectError(With("units = 20000", std::string("units = ") + bad), "r.toml:12: privacy.units: ");
  }
  ExpectError(With("units", "clip = 0\nunits"), "privacy.clip: is 0");
  ExpectError(With("units", "clip = nan\nunits"), "privacy.clip: must be a number");
  ExpectError(With("units", "max_sites_per_subject = 17\nunits"), "privacy.max_sites_per_subject: is 17");
  ExpectError(With("units", "max_sites_per_subject = 0\nunits"), "privacy.max_sites_per_subject: is 0");
  ExpectError(With("units", "relation = \"replace-one\"\nunits"), "must be one of: add-remove");
  ExpectError(With("units", "unit = \"\"\nunits"), "privacy.unit");
  ExpectError(With("units", "max_rows_per_subject = 3\nunits"), "privacy.max_rows_per_subject");
  ExpectError(With("sites = 4", "sites = 0"), "run.sites: is 0");
  ExpectError(With("sites = 4", "seed = -1"), "run.seed: is -1");
  ExpectError(With("sites = 4", "seed = 1.5"), "run.seed: must be an integer");
  ExpectError(With("sites = 4", "slot_seconds = inf"), "run.slot_seconds: must be finite");
  ExpectError(With("sites = 4", "deadline_seconds = 0"), "run.deadline_seconds: is 0");
}

TEST(RunSpecification, RefusesKeysThatItDoesNotKnow) {
  const Result<RunSpecification> typo = With("units", "epsilom = 2\nunits");
  ExpectError(typo, "r.toml:12: privacy.epsilom: is not a known key");
  EXPECT_EQ(typo.error().hint, "did you mean \"epsilon\"?");
  ExpectError(With("sites = 4", "noise_seed = 4"), "run.noise_seed: is not a known key");
  ExpectError(With("file = ", "files = 3\nfile = "), "schema.files: is not a known key");
  ExpectError(With("[model]", "[modell]\n[model]"), "modell: is not a known key");
  ExpectError(With("[model]", "[budget]\nbonus = 0.1\n[model]"), "budget.bonus: is not a known key");
  ExpectError(With("epsilon = 3.0", "epsilon = 3.0\nepsilon = 4.0"), "r.toml:11: a key or table is given twice");
}

TEST(RunSpecification, RefusesTablesThatAreMissing) {
  ExpectError(With("[schema]\nfile = \"schema.toml\"\n", ""), "schema: the table is required");
  ExpectError(With("family = \"table_diffusion\"\n", ""), "model.family: is required");
  ExpectError(RunSpecification::FromToml("", "r.toml"), "run: the table is required");
  EXPECT_FALSE(RunSpecification::FromFile("/nonexistent/r.toml").ok());
}

TEST(RunSpecification, RefusesSharesThatDoNotSumToOne) {
  ExpectError(With("[model]", "[budget]\ntransforms = 0.2\n[model]"), "the shares must sum to 1");
  ExpectError(With("[model]", "[budget]\ntransforms = 1.0\ntraining = 0\n[model]"),
              "budget.training: must be greater than 0");
  ExpectError(With("[model]", "[budget]\ncounting = -0.1\n[model]"), "budget.counting: is -0.1");
  ExpectError(With("[model]", "[budget]\nquality = nan\n[model]"), "budget.quality: must be a number");
  const Result<RunSpecification> run =
      With("[model]", "[budget]\ntransforms = 0.1\ntraining = 0.7\ncounting = 0.1\nquality = 0.1\n[model]");
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->budget.quality, 0.1);
  EXPECT_TRUE(run->budget.stated);
}

TEST(RunSpecification, DerivesAQuorumThatHidesEverySite) {
  for (std::int64_t sites = 1; sites <= 64; ++sites) {
    RunOverrides overrides;
    overrides.sites = sites;
    const Result<RunSpecification> run = RunSpecification::FromToml(kRun, "r.toml", overrides);
    ASSERT_TRUE(run.ok()) << run.error().message;
    const std::uint32_t colluding = run->privacy.max_colluding_sites;
    EXPECT_EQ(colluding, sites == 1 ? 0u : 1u);
    EXPECT_GT(2 * run->quorum, run->sites + colluding);
    EXPECT_LE(run->quorum, run->sites);
    EXPECT_GE(run->honest_shares(), 1u);
  }
}

TEST(RunSpecification, RefusesAQuorumBelowTheThreshold) {
  ExpectError(With("sites = 4", "sites = 4\nquorum = 2"), "must be between 3 and 4");
  ExpectError(With("sites = 4", "sites = 4\nquorum = 5"), "must be between 3 and 4");
  EXPECT_TRUE(With("sites = 4", "sites = 4\nquorum = 4").ok());
  ExpectError(With("units", "max_colluding_sites = 4\nunits"), "less than the number of sites");
  const Result<RunSpecification> three = With("units", "max_colluding_sites = 3\nunits");
  ASSERT_TRUE(three.ok()) << three.error().message;
  EXPECT_EQ(three->quorum, 4u);
  EXPECT_EQ(three->honest_shares(), 1u);
  RunOverrides two;
  two.sites = 2;
  ExpectError(With("sites = 4", "sites = 4\nquorum = 4", two), "must be between 2 and 2");
}

TEST(RunSpecification, ChecksOverridesByTheSameRules) {
  RunOverrides overrides;
  for (const double bad :
       {0.0, -1.0, 1001.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    overrides.epsilon = bad;
    ExpectError(RunSpecification::FromToml(kRun, "r.toml", overrides), "epsilon: must be a number");
  }
  overrides.epsilon = 8.0;
  overrides.seed = 5;
  overrides.sites = 2;
  const Result<RunSpecification> run = RunSpecification::FromToml(kRun, "r.toml", overrides);
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->privacy.epsilon, 8.0);
  EXPECT_EQ(run->seed, 5u);
  EXPECT_EQ(run->quorum, 2u);
  overrides.epsilon.reset();
  overrides.seed = -1;
  ExpectError(RunSpecification::FromToml(kRun, "r.toml", overrides), "seed: must be");
  overrides.seed.reset();
  overrides.sites = 0;
  ExpectError(RunSpecification::FromToml(kRun, "r.toml", overrides), "sites: must be");
  // A file that is wrong stays wrong.
  overrides = {};
  overrides.epsilon = 1.0;
  ExpectError(With("epsilon = 3.0", "epsilon = nan", overrides), "NaN");
  EXPECT_TRUE(With("epsilon = 3.0\n", "", overrides).ok());
}

TEST(RunSpecification, WarnsOfPromisesThatAreWeak) {
  const Result<RunSpecification> large = With("epsilon = 3.0", "epsilon = 20.5");
  ASSERT_TRUE(large.ok());
  ASSERT_EQ(large->warnings.size(), 1u);
  EXPECT_NE(large->warnings[0].find("20.5"), std::string::npos);
  const Result<RunSpecification> delta = With("delta = 1e-5", "delta = 1e-3");
  ASSERT_TRUE(delta.ok());
  EXPECT_EQ(delta->warnings.size(), 1u);
}

TEST(RunSpecification, NamesTheSubjectColumn) {
  const Result<RunSpecification> run = With("units", "unit = \"patient\"\nmax_rows_per_subject = 4\nunits");
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->privacy.subject_column, "patient");
  EXPECT_EQ(run->privacy.max_rows_per_subject, 4u);
}

TEST(RunSpecification, LoadsTheRunsOfTheProject) {
  for (const char* name : {"demo_table_diffusion", "adult_table_diffusion"}) {
    const Result<RunSpecification> run =
        RunSpecification::FromFile(std::string(SYNOD_SOURCE_DIR) + "/configs/runs/" + name + ".toml");
    ASSERT_TRUE(run.ok()) << run.error().message;
    EXPECT_EQ(run->name, name);
    EXPECT_TRUE(run->warnings.empty());
    EXPECT_LT(run->privacy.delta, 1.0 / static_cast<double>(run->privacy.units));
  }
}

TEST(RunSpecification, NeverCrashesOnDamageAndNeverLetsABadEpsilonThrough) {
  std::mt19937_64 random(21);
  for (int round = 0; round < 10'000; ++round) {
    std::string text = kRun;
    for (std::uint64_t i = 0; i < 1 + random() % 3; ++i) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = static_cast<char>(text[at] ^ static_cast<char>(1u << random() % 8));
      } else {
        text.erase(at, 1 + random() % 4);
      }
    }
    const Result<RunSpecification> run = RunSpecification::FromToml(text, "r.toml");
    if (!run.ok()) continue;
    EXPECT_TRUE(run->privacy.epsilon > 0.0 && run->privacy.epsilon <= RunSpecification::kMaxEpsilon);
    EXPECT_TRUE(run->privacy.delta > 0.0 && run->privacy.delta < RunSpecification::kMaxDelta);
    EXPECT_GE(run->honest_shares(), 1u);
    EXPECT_GE(run->privacy.units, 1u);
  }
}

}  // namespace
}  // namespace synod
