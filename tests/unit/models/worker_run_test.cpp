// Whole runs through workers: three sites and a coordinator, from the first query to the draft that sites agree with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/artefact/generator_file.h"
#include "common/core/clock.h"
#include "common/data/load_table.h"
#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "tests/unit/models/worker_fixture.h"
#include "tools/simulation/simulated_federation.h"

namespace synod {
namespace {

using testing::kRun;
using testing::PlanOf;
using testing::TestWorker;
using testing::WardOffer;

constexpr std::array kSites = {"site-a", "site-b", "site-c"};
constexpr std::int64_t kMade = 1790000000;

class WardRun {
 public:
  explicit WardRun(const RunOffer& offer = WardOffer(), const LoadCompute& load_compute = &testing::NoModule)
      : coordinator_("coordinator"), plan_(PlanOf(offer)) {
    coordinator_.Ask<OpenTrainerReply>(OpenTrainerRequest{kRun, offer, std::nullopt});
    for (const PlanEntry& entry : plan_.entries()) left_.push_back(entry.allowed());
    for (std::size_t i = 0; i < kSites.size(); ++i) {
      files_.push_back(testing::WriteWardFile(300, 10 + i));
      sites_.push_back(std::make_unique<TestWorker>(kSites[i], load_compute));
      sites_[i]->Ask<OpenSiteReply>(OpenSiteRequest{kRun, offer, {files_[i], "drop"}});
    }
  }

  // The coordinator's first question.
  TrainReply Start() {
    TrainRequest train;
    train.left = left_;
    return coordinator_.Ask<TrainReply>(train);
  }

  // Answers of all sites to the next query, added up: what the trainer is given next.
  TrainRequest SumOf(const Query& query) {
    const PlanEntry& entry = plan_.entries()[query.entry];
    SumAccumulator total(Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value(),
                         WordBitsFromNumber(entry.word_bits).value());
    Query asked = query;
    asked.index = next_query_++;
    const AnswerRequest request{QueryName{kRun, asked.index, 0}, std::make_shared<const Query>(asked)};
    for (const auto& site : sites_) EXPECT_TRUE(total.AddEncoded(site->Ask<AnswerReply>(request).words).ok());
    const NoisySum sum = std::move(total).Finish();
    participation_.Record(asked.index, 0, asked.entry, true, {0, 1, 2});
    TrainRequest train;
    train.has_sum = true;
    train.answered = request.query;
    train.words = sum.words();
    train.answers = sum.answers();
    --left_[asked.entry];
    train.left = left_;
    return train;
  }

  DraftReply Draft() {
    for (TrainReply reply = Start(); reply.next != nullptr;) {
      reply = coordinator_.Ask<TrainReply>(SumOf(*reply.next));
    }
    return coordinator_.Ask<DraftReply>(DraftRequest{kRun, participation_, kMade});
  }

  TestWorker coordinator_;
  Plan plan_;
  std::vector<std::uint64_t> left_;
  std::vector<std::string> files_;
  std::vector<std::unique_ptr<TestWorker>> sites_;
  Participation participation_;
  std::uint32_t next_query_ = 0;
};

TEST(WorkerRun, AWholeRunEndsInADraftThatSitesAgreeWith) {
  WardRun run;
  const DraftReply draft = run.Draft();
  const auto checked = run.sites_[0]->Ask<CheckDraftReply>(CheckDraftRequest{WardOffer(), draft.draft});
  EXPECT_TRUE(checked.agrees) << checked.difference;
  EXPECT_EQ(checked.file_digest, draft.file_digest);
  EXPECT_EQ(checked.run, kRun);
  EXPECT_EQ(checked.participation, run.participation_);
  const GeneratorDraft parsed = GeneratorDraft::FromBytes(draft.draft).value();
  EXPECT_EQ(parsed.certificate().kind, CertificateClass::kFederated);
  EXPECT_EQ(parsed.content().parameters.size(), run.plan_.entries()[0].dimension);
  EXPECT_EQ(run.coordinator_.Ask<DraftReply>(DraftRequest{kRun, run.participation_, kMade}).draft, draft.draft)
      << "asked again, the same bytes";
}

TEST(WorkerRun, ADraftOfAnotherPlanOrWithAFlippedByteIsNotAgreedWith) {
  WardRun run;
  const DraftReply draft = run.Draft();
  TestWorker site("site-a");
  const RunOffer other = TestWorker("coordinator")
                             .Ask<ResolveReply>(testing::WardResolve(
                                 testing::WardSpecification("family = \"independent_columns\"\n", 1.5)))
                             .offer;
  EXPECT_FALSE(site.Ask<CheckDraftReply>(CheckDraftRequest{other, draft.draft}).agrees);
  EXPECT_FALSE(site.Ask<CheckDraftReply>(CheckDraftRequest{WardOffer(), {}}).agrees);
  // A flipped byte is refused, or is one of a parameter: then the digest that the site signs is another one.
  for (std::size_t at = 0; at < draft.draft.size(); at += 611) {
    Bytes flipped = draft.draft;
    flipped[at] ^= 0x04;
    const auto checked = site.Ask<CheckDraftReply>(CheckDraftRequest{WardOffer(), flipped});
    EXPECT_TRUE(!checked.agrees || checked.file_digest != draft.file_digest) << at;
  }
}

// The certificate of a draft is written anew by somebody who wants a better one.
TEST(WorkerRun, ADraftWhoseCertificateSaysMoreThanThePlanIsNotAgreedWith) {
  WardRun run;
  const GeneratorDraft draft = GeneratorDraft::FromBytes(run.Draft().draft).value();
  const auto difference = [&](const std::function<void(Certificate&)>& change) {
    Certificate certificate = draft.certificate();
    change(certificate);
    const Result<GeneratorDraft> forged = GeneratorDraft::Create(draft.content(), certificate);
    if (!forged.ok()) return forged.error().message;
    const auto checked = run.sites_[0]->Ask<CheckDraftReply>(CheckDraftRequest{WardOffer(), forged->bytes()});
    return checked.agrees ? std::string() : checked.difference;
  };
  EXPECT_EQ(difference([](Certificate&) {}), "");
  EXPECT_NE(difference([](Certificate& c) { c.readings[0].by_sites[0].upper -= 0.001; }), "");
  EXPECT_NE(difference([](Certificate& c) { c.readings[2].by_sites[2].rdp /= 2; }), "");
  EXPECT_NE(difference([](Certificate& c) { c.not_claimed.pop_back(); }), "");
  EXPECT_NE(difference([](Certificate& c) { std::erase(c.not_claimed, "Float error measured, not proven."); }), "");
  EXPECT_NE(difference([](Certificate& c) { c.statements.push_back("No record can ever be found."); }), "");
  EXPECT_NE(difference([](Certificate& c) { c.kind = CertificateClass::kSimulation; }), "");
  EXPECT_NE(difference([](Certificate& c) { c.entries[0].used = 0; }), "");
}

TEST(WorkerRun, ATrainerThatTakesUpACheckpointGoesOnAsIfNothingHadHappened) {
  WardRun run;
  TrainRequest train = run.SumOf(*run.Start().next);
  train.want_checkpoint = true;
  const TrainReply reply = run.coordinator_.Ask<TrainReply>(train);
  ASSERT_TRUE(reply.checkpoint.has_value());
  TestWorker restarted("coordinator");
  restarted.Ask<OpenTrainerReply>(OpenTrainerRequest{kRun, WardOffer(), reply.checkpoint});
  train = run.SumOf(*reply.next);
  EXPECT_EQ(run.coordinator_.Ask<TrainReply>(train).next, nullptr);
  EXPECT_EQ(restarted.Ask<TrainReply>(train).next, nullptr);
  const DraftRequest draft{kRun, run.participation_, kMade};
  EXPECT_EQ(restarted.Ask<DraftReply>(draft).draft, run.coordinator_.Ask<DraftReply>(draft).draft);
  EXPECT_EQ(restarted.FailureOf(OpenTrainerRequest{kRun, WardOffer(), Bytes{1, 2}}).code,
            ErrorCode::kVerificationFailed);
}

// The parameters of a simulation over the same files with the same secret streams.
std::vector<float> SimulatedParameters(const RunOffer& offer, const std::vector<std::string>& files,
                                       const LoadCompute& load_compute) {
  const OpenedOffer opened = OpenOffer(offer).value();
  std::vector<std::shared_ptr<const UnitTable>> units;
  for (const std::string& file : files) {
    LoadedTable loaded = LoadTable(file, opened.resolved.run.schema).value();
    units.push_back(
        std::make_shared<const UnitTable>(UnitTable::Records(std::make_shared<const Table>(std::move(loaded.table)))));
  }
  const SystemClock clock;
  SimulationPorts ports{load_compute, clock};
  ports.streams = [](std::size_t site) { return std::make_unique<testing::SeededStreams>(1, kSites[site]); };
  return SimulateFederation(opened.resolved, units, ports)->content().parameters;
}

TEST(WorkerRun, HasTheParametersOfTheSimulationUnderTheSameStreams) {
  const RunOffer offer = testing::OfferOf("family = \"independent_columns\"\nrounds = 3\n");
  WardRun run(offer);
  const GeneratorDraft draft = GeneratorDraft::FromBytes(run.Draft().draft).value();
  EXPECT_EQ(draft.content().parameters, SimulatedParameters(offer, run.files_, &testing::NoModule));
}

TEST(WorkerRun, HasTheParametersOfTheSimulationWithLibTorchToo) {
  const LoadCompute load = [] { return LoadComputeModule({1, "cpu"}); };
  if (!load().ok()) GTEST_SKIP() << load().error().message;
  const RunOffer offer =
      testing::OfferOf("family = \"table_diffusion\"\nsteps = 12\nbatch = 100\nhidden = 8\ncalibration_rounds = 1\n");
  WardRun run(offer, load);
  const GeneratorDraft draft = GeneratorDraft::FromBytes(run.Draft().draft).value();
  EXPECT_EQ(draft.content().parameters, SimulatedParameters(offer, run.files_, load));
}

TEST(WorkerRun, ASumThatDoesNotFitThePlanIsRefused) {
  WardRun run;
  TrainRequest good;
  good.has_sum = true;
  good.answered = std::make_shared<const Query>();
  good.words = Bytes(run.plan_.entries()[0].dimension * run.plan_.entries()[0].word_bits / 8);
  good.answers = 3;
  good.left = {1};
  TrainRequest bad = good;
  bad.words.pop_back();
  EXPECT_EQ(run.coordinator_.FailureOf(bad).code, ErrorCode::kBadInput);
  bad = good;
  bad.left = {1, 1};
  EXPECT_EQ(run.coordinator_.FailureOf(bad).code, ErrorCode::kBadInput);
  bad = good;
  Query other;
  other.entry = 3;
  bad.answered = std::make_shared<const Query>(other);
  EXPECT_EQ(run.coordinator_.FailureOf(bad).code, ErrorCode::kBadInput);
  EXPECT_EQ(run.coordinator_.FailureOf(DraftRequest{RunId{{8}}, {}, 0}).code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace synod
