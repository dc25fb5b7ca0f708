// What a federation of real processes trains is what the simulation trains under the same secret streams, to the last
// bit, and no byte of what it publishes can be changed unseen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/artefact/generator_file.h"
#include "common/consortium/verify_in_consortium.h"
#include "common/core/clock.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/data/load_table.h"
#include "models/run_offer.h"
#include "tests/federation/federation.h"
#include "tests/support/seeded_streams.h"
#include "tests/support/shared_data.h"
#include "tools/simulation/simulated_federation.h"

namespace synod::testing {
namespace {

// The file of one run of `federation`, fetched; empty after a failure.
std::string PublishedFile(Federation& federation) {
  federation.StartAll();
  const std::string run = federation.Submit();
  if (run.empty() || !federation.WaitFor(run, {"published", "failed", "refused"})) {
    ADD_FAILURE() << federation.Synod({"run", "why", run}).both() << federation.Logs();
    return "";
  }
  EXPECT_EQ(federation.StateOf(run), "published") << federation.Synod({"run", "why", run}).both() << federation.Logs();
  EXPECT_TRUE(Eventually([&] { return federation.Show(run).value("complete", false); })) << federation.Logs();
  return federation.Fetch(run);
}

std::string Sha256Of(const std::vector<float>& parameters) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(parameters.data());
  return ToHex(Sha256(ByteView(bytes, parameters.size() * sizeof(float))));
}

// The plan that the federation agreed on, over the same files and streams, in this process.
Result<GeneratorFile> SimulateSame(const Federation& federation, const Plan& plan, const LoadCompute& load_compute) {
  const RunOffer offer{ReadText(federation.run_file()), ReadText(federation.schema_file()), plan.CanonicalText()};
  SYNOD_ASSIGN_OR_RETURN(const OpenedOffer opened, OpenOffer(offer));
  std::vector<std::shared_ptr<const UnitTable>> units;
  for (const RosterSite& site : plan.facts().roster) {
    SYNOD_ASSIGN_OR_RETURN(LoadedTable loaded, LoadTable(federation.table_of(site.id), opened.resolved.run.schema));
    units.push_back(
        std::make_shared<const UnitTable>(UnitTable::Records(std::make_shared<const Table>(std::move(loaded.table)))));
  }
  const SystemClock clock;
  SimulationPorts ports{load_compute, clock};
  ports.streams = [&](std::size_t site) {
    return std::make_unique<SeededStreams>(federation.options().seed, plan.facts().roster[site].id);
  };
  return SimulateFederation(opened.resolved, units, ports);
}

void ExpectTheSimulationsContent(Federation& federation, const LoadCompute& load_compute) {
  const std::string path = PublishedFile(federation);
  const Result<GeneratorFile> published = GeneratorFile::Read(path);
  ASSERT_TRUE(published.ok()) << published.error().message;
  ASSERT_EQ(AggregationName(published->content().plan.facts().aggregation), federation.options().aggregation);
  const Result<GeneratorFile> simulated = SimulateSame(federation, published->content().plan, load_compute);
  ASSERT_TRUE(simulated.ok()) << simulated.error().message;
  EXPECT_EQ(Sha256Of(published->content().parameters), Sha256Of(simulated->content().parameters));
  EXPECT_EQ(published->content().state, simulated->content().state);
  EXPECT_EQ(ToHex(published->content_digest()), ToHex(simulated->content_digest()));
  EXPECT_EQ(published->certificate().participation, simulated->certificate().participation);
}

Result<ComputeModule*> NoCompute() {
  return Failed("this family needs no LibTorch");
}

TEST(FederationEquality, IndependentColumnsEqualTheSimulation) {
  FederationOptions options;
  options.rounds = 8;
  Federation federation(options);
  ExpectTheSimulationsContent(federation, &NoCompute);
}

// Masks cancel to the last bit: the sum that the coordinator opens is the one that a curator would have added up.
TEST(FederationEquality, MaskedSumsTrainWhatSumsInTheClearTrain) {
  FederationOptions options;
  options.sites = {"site-a", "site-b", "site-c", "site-d"};
  options.aggregation = "secure";
  options.rounds = 8;
  Federation federation(options);
  ExpectTheSimulationsContent(federation, &NoCompute);
}

TEST(FederationEquality, AnotherSeedTrainsAnotherGenerator) {
  const auto content = [](std::uint64_t seed) {
    FederationOptions options;
    options.sites = {"site-a", "site-b"};
    options.rounds = 2;
    options.seed = seed;
    Federation federation(options);
    const Result<GeneratorFile> file = GeneratorFile::Read(PublishedFile(federation));
    return file.ok() ? Sha256Of(file->content().parameters) : file.error().message;
  };
  EXPECT_NE(content(1), content(2)) << "equality would mean nothing where streams have no effect";
}

TEST(FederationEquality, TableDiffusionEqualsTheSimulation) {
  const LoadCompute load = [] { return LoadComputeModule({1, "cpu"}); };
  if (!ToolCanTrain()) GTEST_SKIP() << "built without LibTorch";
  ASSERT_TRUE(load().ok()) << load().error().message;
  FederationOptions options;
  options.sites = {"site-a", "site-b"};
  options.family = "table_diffusion";
  options.model_options = "steps = 12\nbatch = 100\nhidden = 8\ncalibration_rounds = 1\n";
  Federation federation(options);
  ExpectTheSimulationsContent(federation, load);
}

// As `synod verify FILE --trust ca.pem` sees a file: its exit code.
int VerifyCode(ByteView bytes, const VerificationTrust& trust) {
  const Result<GeneratorFile> file = GeneratorFile::Parse(bytes);
  if (!file.ok()) {  // what is no generator file has failed its verification, too
    return file.error().code == ErrorCode::kBadInput ? 8 : static_cast<int>(file.error().code);
  }
  const Result<VerifyReport> report = VerifyWith(*file, trust);
  return report.ok() ? report->ExitCode() : static_cast<int>(report.error().code);
}

TEST(FederationEquality, OneFlippedByteAnywhereInThePublishedFileFailsItsVerification) {
  FederationOptions options;
  options.sites = {"site-a", "site-b"};
  options.rounds = 2;
  Federation federation(options);
  const std::string path = PublishedFile(federation);
  const std::string root = federation.kits().first_operator + "/trust/ca.pem";
  const std::string text = ReadText(path);
  Bytes bytes(text.begin(), text.end());
  ASSERT_GT(bytes.size(), 1000u);
  const Result<VerificationTrust> trust = VerificationTrust::Load(root);
  ASSERT_TRUE(trust.ok()) << trust.error().message;
  ASSERT_EQ(VerifyCode(bytes, *trust), 0);

  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto bit = static_cast<std::uint8_t>(1u << (at % 8));
    bytes[at] ^= bit;
    ASSERT_EQ(VerifyCode(bytes, *trust), 8) << "byte " << at << " of " << bytes.size();
    bytes[at] ^= bit;
  }

  const std::string changed = federation.folder() + "/changed.synod";
  for (const std::size_t at : {std::size_t{0}, bytes.size() / 3, bytes.size() / 2, bytes.size() - 1}) {
    std::string flipped = text;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    WriteText(changed, flipped);
    const ProgramRun verified = RunTool({"verify", changed, "--trust", root});
    EXPECT_EQ(verified.exit_code, 8) << "byte " << at << verified.both();
  }
  EXPECT_EQ(RunTool({"verify", path, "--trust", root}).exit_code, 0);
}

}  // namespace
}  // namespace synod::testing
