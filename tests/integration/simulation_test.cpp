// A whole federation in one process, with the model family and the compute module of the tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/artefact/verify.h"
#include "models/worker/site_computer.h"
#include "tests/support/deterministic_random.h"
#include "tests/support/seeded_streams.h"
#include "tests/unit/tools/evaluation_tables.h"
#include "tools/simulation/simulated_federation.h"

namespace synod {
namespace {

RunSpecification PatientRun(std::uint32_t sites) {
  const std::string text =
      "[run]\nname = \"patients\"\nseed = 1\nsites = " + std::to_string(sites) +
      "\n[schema]\nfile = \"schema.toml\"\n[model]\nfamily = \"table_diffusion\"\nsteps = 10\nhidden = 8\n"
      "calibration_rounds = 1\n[privacy]\nepsilon = 3.0\ndelta = 1e-3\nunits = 240\n";
  return RunSpecification::FromToml(text, "patients").value();
}

class Simulation : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<ComputeModule*> loaded = LoadComputeModule({1, "cpu"});
    if (!loaded.ok()) GTEST_SKIP() << loaded.error().message;
    compute_ = *loaded;
  }

  static ResolvedRun Resolve(std::uint32_t sites, Aggregation aggregation = Aggregation::kCurator) {
    return ResolveRun(PatientRun(sites), testing::PatientSchema(), aggregation).value();
  }

  // With secret streams of the test, or with the operating system's.
  Result<GeneratorFile> Simulate(std::uint32_t sites, std::optional<std::uint64_t> secret,
                                 Aggregation aggregation = Aggregation::kCurator) {
    std::vector<std::shared_ptr<const UnitTable>> units;
    for (Table& part : SplitByPosition(testing::Patients(240, 5), sites)) {
      units.push_back(
          std::make_shared<const UnitTable>(UnitTable::Records(std::make_shared<const Table>(std::move(part)))));
    }
    SimulationPorts ports{[this] { return Result<ComputeModule*>(compute_); }, clock_};
    if (secret) {
      ports.streams = [secret](std::size_t site) {
        return std::make_unique<testing::SeededStreams>(*secret, "site-" + std::to_string(site));
      };
    }
    ports.on_news = [this](const SimulationNews& news) { news_.push_back(news); };
    return SimulateFederation(Resolve(sites, aggregation), units, ports);
  }

  ComputeModule* compute_ = nullptr;
  SystemClock clock_;
  std::vector<SimulationNews> news_;
};

TEST_F(Simulation, RepeatsUnderTheSameStreamsAndDiffersUnderOthers) {
  const Result<GeneratorFile> first = Simulate(3, 10);
  const Result<GeneratorFile> again = Simulate(3, 10);
  const Result<GeneratorFile> other = Simulate(3, 20);
  const Result<GeneratorFile> real = Simulate(3, std::nullopt);
  ASSERT_TRUE(first.ok() && again.ok() && other.ok() && real.ok());
  EXPECT_EQ(first->content().parameters, again->content().parameters);
  EXPECT_EQ(first->content().state, again->content().state);
  EXPECT_NE(first->content().parameters, other->content().parameters) << "noise does not come from the public seed";
  EXPECT_NE(first->content().parameters, real->content().parameters);
  EXPECT_NE(first->certificate().run, again->certificate().run) << "every run has a name of its own";
}

TEST_F(Simulation, IsCertifiedAsWhatItIs) {
  const Result<GeneratorFile> file = Simulate(4, std::nullopt);
  ASSERT_TRUE(file.ok());
  const Certificate& certificate = file->certificate();
  EXPECT_EQ(certificate.kind, CertificateClass::kSimulation);
  ASSERT_EQ(certificate.entries.size(), 2U);
  for (const CertifiedEntry& entry : certificate.entries) EXPECT_EQ(entry.used, entry.allowed) << entry.name;
  for (const ParticipationRow& row : certificate.participation.rows()) EXPECT_EQ(row.answered.size(), 4U);
  const Result<VerifyReport> report = Verify(*file, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->outcome, VerifyOutcome::kSimulation);
  EXPECT_EQ(report->ExitCode(), 8);
  EXPECT_EQ(report->ExitCode(/*allow_incomplete=*/true), 8);
  EXPECT_LE(report->epsilon_recomputed, 3.0);
}

TEST_F(Simulation, TellsOfEveryQueryOnceAndOfChargesNeverTooFew) {
  ASSERT_TRUE(Simulate(3, 1).ok());
  ASSERT_FALSE(news_.empty());
  for (std::size_t i = 0; i < news_.size(); ++i) {
    EXPECT_EQ(news_[i].queries_done, i + 1);
    std::uint64_t charged = 0;
    for (const std::uint64_t used : news_[i].used) charged += used;
    EXPECT_GE(charged, news_[i].queries_done);
  }
  EXPECT_EQ(news_.back().queries_done, news_.back().queries_planned);
}

TEST_F(Simulation, OneSiteOrFourHaveTheSameNoiseTogether) {
  const ResolvedRun one = Resolve(1);
  const ResolvedRun four = Resolve(4);
  for (std::size_t e = 0; e < 2; ++e) {
    const PlanEntry& alone = one.run.plan->entries()[e];
    const PlanEntry& shared = four.run.plan->entries()[e];
    // In units of the vector; variances are rounded up to integers of the grid.
    const double of_one = std::sqrt(static_cast<double>(alone.site_variance)) / alone.grid_scale;
    const double of_four = std::sqrt(4.0 * static_cast<double>(shared.site_variance)) / shared.grid_scale;
    EXPECT_NEAR(of_four / of_one, 1.0, 0.02) << alone.name;
    EXPECT_LE(alone.Event(1, 1).noise_multiplier, 1.001 * shared.Event(4, 1).noise_multiplier);
  }
}

TEST_F(Simulation, WithoutACuratorEverySitesWordsCarryTheWholeNoise) {
  const Result<GeneratorFile> first = Simulate(2, 10, Aggregation::kNone);
  const Result<GeneratorFile> again = Simulate(2, 10, Aggregation::kNone);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->content().parameters, again->content().parameters);
  EXPECT_EQ(Resolve(2, Aggregation::kNone).run.plan->honest_shares(), 1U);
  for (const ParticipationRow& row : first->certificate().participation.rows()) EXPECT_EQ(row.answered.size(), 2U);
  const Result<VerifyReport> report = Verify(*first, {});
  ASSERT_TRUE(report.ok());
  EXPECT_LE(report->epsilon_recomputed, 3.0);
}

TEST_F(Simulation, RefusesTablesThatAreNotOneForEachSite) {
  SimulationPorts ports{[this] { return Result<ComputeModule*>(compute_); }, clock_};
  const Result<GeneratorFile> file = SimulateFederation(Resolve(3), {}, ports);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kBadInput);
}

// ---- What a hostile coordinator may put into a query.

TEST_F(Simulation, ASiteRefusesPayloadsThatAreNotNumbersOrNotOfTheModelsSize) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const ResolvedRun resolved = Resolve(1);
  const auto units =
      std::make_shared<const UnitTable>(UnitTable::Records(std::make_shared<const Table>(testing::Patients(240, 5))));
  Result<std::unique_ptr<Contribution>> contribution =
      compute_->MakeContribution(resolved.run, units, SecretRandomForTestsOnly::FromSeed(2));
  ASSERT_TRUE(contribution.ok());
  const RunId run;
  testing::SeededStreams streams(3, "site-1");
  SiteComputer site({resolved.run.plan, run, units, 1}, **contribution, streams);
  std::uint32_t index = 0;
  const auto ask = [&](std::uint32_t entry, std::vector<float> context, std::vector<float> parameters) {
    Query query;
    query.index = index++;
    query.entry = entry;
    query.kind = resolved.run.plan->entries()[entry].kind;
    query.context = std::move(context);
    query.parameters = std::move(parameters);
    return site.Answer(query, {run, query.index, 0}).ok();
  };
  const std::size_t size = resolved.layout.size();
  // The noise level, no threshold, then the histograms.
  std::vector<float> context(2 + resolved.run.plan->entries()[0].dimension, 1.0F);
  context[1] = 0.0F;
  const std::vector<float> parameters(size, 0.01F);
  const auto with = [](std::vector<float> values, float last) {
    values.back() = last;
    return values;
  };
  const auto resized = [](std::vector<float> values, std::size_t length) {
    values.resize(length);
    return values;
  };
  const std::vector<bool> answered = [&] {
    std::vector<bool> replies;
    for (const float bad : {kNan, kInfinity, -kInfinity}) {
      replies.push_back(ask(1, context, with(parameters, bad)));
      replies.push_back(ask(1, with(context, bad), parameters));
    }
    replies.push_back(ask(1, context, resized(parameters, size - 1)));
    replies.push_back(ask(1, context, resized(parameters, 4 * size)));
    replies.push_back(ask(1, {}, parameters));
    replies.push_back(ask(1, resized(context, 1'000'000), parameters));
    replies.push_back(ask(1, context, {}));
    replies.push_back(ask(0, context, {}));
    replies.push_back(ask(0, {}, parameters));
    return replies;
  }();
  for (std::size_t i = 0; i < answered.size(); ++i) EXPECT_FALSE(answered[i]) << i;
  // A model whose outputs overflow is no reason to refuse: its units contribute zero.
  EXPECT_TRUE(ask(1, context, std::vector<float>(size, std::numeric_limits<float>::max())));
  EXPECT_TRUE(ask(1, context, parameters));
}

}  // namespace
}  // namespace synod
