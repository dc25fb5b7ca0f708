#include "models/worker/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "common/artefact/generator_file.h"
#include "common/artefact/verify.h"
#include "common/core/canonical_json.h"
#include "common/core/file.h"
#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "tests/support/seeded_streams.h"
#include "tests/support/shared_data.h"
#include "tests/unit/models/worker_world.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using testing::kSecretCell;
using ::testing::Not;
using testing::SeededStreams;

const RunId kRun{{4, 2}};

Result<ComputeModule*> NoModule() {
  return Failed("there is no LibTorch here");
}

// A worker of one site, or of the coordinator.
struct TestWorker {
  explicit TestWorker(std::string site, std::uint64_t seed = 1)
      : streams(seed, std::move(site)), worker(streams, 1, &NoModule) {}
  SeededStreams streams;
  Worker worker;

  template <typename Reply>
  Reply Ask(const WorkerRequest& request) {
    const WorkerReply reply = worker.Handle(request);
    const auto* wanted = std::get_if<Reply>(&reply);
    if (wanted == nullptr) ADD_FAILURE() << "another reply: " << ErrorOf(reply).message;
    return wanted != nullptr ? *wanted : Reply{};
  }
  static Error ErrorOf(const WorkerReply& reply) {
    const auto* failed = std::get_if<FailedReply>(&reply);
    return failed != nullptr ? failed->error : Error{ErrorCode::kInternal, "not failed", ""};
  }
  Error FailureOf(const WorkerRequest& request) { return ErrorOf(worker.Handle(request)); }
};

const RunOffer& WardOffer() {
  static const RunOffer kOffer = TestWorker("coordinator").Ask<ResolveReply>(testing::WardResolve()).offer;
  return kOffer;
}

Plan PlanOf(const RunOffer& offer) {
  return Plan::FromCanonicalText(offer.plan).value();
}

const std::string& WardFile() {
  static const std::string kFile = testing::WriteWardFile(300, 3);
  return kFile;
}

AnswerRequest Histogram(std::uint32_t index, std::uint32_t attempt = 0) {
  Query query;
  query.index = index;
  return {QueryName{kRun, index, attempt}, std::make_shared<const Query>(query)};
}

std::vector<double> ValuesOf(const PlanEntry& entry, const Bytes& words) {
  const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
  const NoisySum sum = SumAccumulator::Decode(grid, WordBitsFromNumber(entry.word_bits).value(), words, 1).value();
  return {sum.values().begin(), sum.values().end()};
}

// The plan of `offer` with one number of its first entry changed, as canonical text.
RunOffer WithEntry(const RunOffer& offer, const std::function<void(PlanEntry&)>& change) {
  const Plan plan = PlanOf(offer);
  std::vector<PlanEntry> entries = plan.entries();
  change(entries[0]);
  RunOffer changed = offer;
  changed.plan = Plan::Create(plan.facts(), entries).value().CanonicalText();
  return changed;
}

TEST(Worker, ResolvesAPlanThatASiteFindsAgain) {
  const auto review = TestWorker("site-a").Ask<ReviewReply>(ReviewRequest{WardOffer()});
  EXPECT_TRUE(review.plan_matches) << review.difference;
  EXPECT_LE(review.epsilon[0][0], 2.0);
  EXPECT_GT(review.epsilon[0][0], 1.97);
  // Alone, a site's answer carries the whole noise: its own share is as good as the coordinator's reading.
  EXPECT_EQ(review.epsilon[0][0], review.epsilon[2][0]);
  EXPECT_LT(review.epsilon[0][0], review.epsilon[0][1]);
  EXPECT_EQ(review.parameters, PlanOf(WardOffer()).entries()[0].dimension);
  const Result<Json> explanation = ParseJson(review.explanation, 1 << 20);
  ASSERT_TRUE(explanation.ok());
  EXPECT_EQ(explanation->at("model_family"), "independent_columns");
}

TEST(Worker, RefusesAPlanWhoseNoiseIsOnePercentLow) {
  const RunOffer low = WithEntry(WardOffer(), [](PlanEntry& entry) {
    entry.site_variance = static_cast<std::uint64_t>(0.9801 * static_cast<double>(entry.site_variance));
  });
  const auto review = TestWorker("site-a").Ask<ReviewReply>(ReviewRequest{low});
  EXPECT_FALSE(review.plan_matches);
  EXPECT_THAT(review.difference, HasSubstr("site_variance"));
  EXPECT_GT(review.epsilon[0][0], 2.0) << "the epsilon is that of the offered plan, whatever its text says";
}

TEST(Worker, ReviewSaysWhatIsWrongWithAnOfferThatCannotBeRead) {
  RunOffer broken = WardOffer();
  broken.specification += "surprise = 1\n";
  auto review = TestWorker("site-a").Ask<ReviewReply>(ReviewRequest{broken});
  EXPECT_FALSE(review.plan_matches);
  EXPECT_THAT(review.difference, HasSubstr("surprise"));
  broken = WardOffer();
  broken.plan[broken.plan.size() / 2] ^= 1;
  review = TestWorker("site-a").Ask<ReviewReply>(ReviewRequest{broken});
  EXPECT_FALSE(review.plan_matches);
  EXPECT_TRUE(review.explanation.empty());
}

TEST(Worker, RunsPlansWithAggregationNoneAlone) {
  ResolveRequest secure = testing::WardResolve();
  secure.aggregation = Aggregation::kSecure;
  EXPECT_EQ(TestWorker("coordinator").FailureOf(secure).code, ErrorCode::kRefused);
  const RunOffer offer = MakeOffer(secure.specification, secure.schema, secure.roster, Aggregation::kSecure).value();
  TestWorker site("site-a");
  EXPECT_EQ(site.FailureOf(OpenSiteRequest{kRun, offer, {WardFile(), "drop"}}).code, ErrorCode::kRefused);
  EXPECT_EQ(site.FailureOf(OpenTrainerRequest{kRun, offer, std::nullopt}).code, ErrorCode::kRefused);
  EXPECT_FALSE(site.Ask<ReviewReply>(ReviewRequest{offer}).plan_matches);
}

TEST(Worker, AnswersWithTheNoisedHistogramOfItsRecords) {
  TestWorker site("site-a");
  const auto opened = site.Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}});
  EXPECT_THAT(opened.report, HasSubstr("3"));
  const PlanEntry entry = PlanOf(WardOffer()).entries()[0];
  const auto answer = site.Ask<AnswerReply>(Histogram(0));
  EXPECT_EQ(answer.name, Histogram(0).name);
  ASSERT_EQ(answer.words.size(), entry.dimension * entry.word_bits / 8);
  // Each column counts 300 units; the noise of a column's total, six deviations: false alarms below 1e-8.
  const std::vector<double> values = ValuesOf(entry, answer.words);
  const double sigma = std::sqrt(static_cast<double>(entry.site_variance)) / entry.grid_scale;
  const double ages = std::accumulate(values.begin(), values.begin() + 111, 0.0);
  EXPECT_NEAR(ages, 300.0, 6.0 * sigma * std::sqrt(111.0));
  const double wards = std::accumulate(values.begin() + 111, values.begin() + 114, 0.0);
  EXPECT_NEAR(wards, 300.0, 6.0 * sigma * std::sqrt(3.0));
}

TEST(Worker, EachAttemptHasNoiseOfItsOwnThatDoesNotDependOnWhatWasAskedBefore) {
  TestWorker first("site-a");
  first.Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}});
  const Bytes zero = first.Ask<AnswerReply>(Histogram(0)).words;
  const Bytes retry = first.Ask<AnswerReply>(Histogram(0, 1)).words;
  EXPECT_NE(zero, retry);
  // A worker that was restarted and asked for the retry alone, under the same streams.
  TestWorker restarted("site-a");
  restarted.Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}});
  EXPECT_EQ(restarted.Ask<AnswerReply>(Histogram(0, 1)).words, retry);
  TestWorker other("site-b");
  other.Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}});
  EXPECT_NE(other.Ask<AnswerReply>(Histogram(0)).words, zero);
}

TEST(Worker, AnInstalledWorkersStreamsNeverRepeat) {
  OperatingSystemStreams streams;
  Worker worker(streams, 1, &NoModule);
  ASSERT_TRUE(
      std::holds_alternative<OpenSiteReply>(worker.Handle(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}})));
  const WorkerReply one = worker.Handle(Histogram(0));
  const WorkerReply two = worker.Handle(Histogram(0));
  EXPECT_NE(std::get<AnswerReply>(one).words, std::get<AnswerReply>(two).words);
}

TEST(Worker, CallsAQueryMalformedThatIsNotThePlans) {
  TestWorker site("site-a");
  site.Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}});
  const auto malformed = [&](const std::function<void(Query&)>& change, QueryName name = {kRun, 0, 0}) {
    Query query;
    change(query);
    const WorkerReply reply = site.worker.Handle(AnswerRequest{name, std::make_shared<const Query>(query)});
    return std::holds_alternative<AnswerMalformedReply>(reply);
  };
  EXPECT_FALSE(malformed([](Query&) {}));
  EXPECT_TRUE(malformed([](Query& query) { query.entry = 1; }));
  EXPECT_TRUE(malformed([](Query& query) { query.kind = QueryKind::kGradient; }));
  EXPECT_TRUE(malformed([](Query& query) { query.parameters = {1.0F}; }));
  EXPECT_TRUE(malformed([](Query& query) { query.context = {std::nanf("")}; }));
  EXPECT_TRUE(malformed([](Query&) {}, QueryName{kRun, 1, 0}));
  EXPECT_TRUE(malformed([](Query&) {}, QueryName{RunId{{9}}, 0, 0}));
}

TEST(Worker, NamesWhatIsWrongWithARecordFileAndNeverAValue) {
  TestWorker site("site-a");
  const auto failure = [&](const std::string& file, const std::string& bad_rows = "drop") {
    return site.FailureOf(OpenSiteRequest{kRun, WardOffer(), {file, bad_rows}}).message;
  };
  EXPECT_THAT(failure("/no/such/file.csv"), HasSubstr("/no/such/file.csv"));
  EXPECT_THAT(failure(WardFile(), "keep"), HasSubstr("bad_rows"));
  const std::string folder = testing::TemporaryFolder();
  ASSERT_TRUE(
      WriteFileAtomically(folder + "/short.csv", AsBytes(std::string("age,ward\n") + kSecretCell + ",x\n")).ok());
  EXPECT_THAT(failure(folder + "/short.csv"), HasSubstr("dose"));
  EXPECT_THAT(failure(folder + "/short.csv"), Not(HasSubstr(kSecretCell)));
  // Without a header the first record stands where names should.
  ASSERT_TRUE(WriteFileAtomically(folder + "/bare.csv", AsBytes(std::string("30,north,") + kSecretCell + "\n")).ok());
  EXPECT_FALSE(failure(folder + "/bare.csv").empty());
  EXPECT_THAT(failure(folder + "/bare.csv"), Not(HasSubstr(kSecretCell)));
  EXPECT_FALSE(failure(folder).empty()) << "a folder is no file";
}

TEST(Worker, NoReplyHoldsAValueOfABadCell) {
  TestWorker site("site-a");
  for (const char* bad_rows : {"drop", "clamp"}) {
    const WorkerParts opened =
        EncodeReply(site.worker.Handle(OpenSiteRequest{kRun, WardOffer(), {WardFile(), bad_rows}}));
    EXPECT_THAT(opened.header, HasSubstr("site_open"));
    EXPECT_THAT(std::string(AsText(opened.payload)), Not(HasSubstr(kSecretCell)));
  }
}

TEST(Worker, DoesNothingBeforeItWasOpened) {
  TestWorker worker("site-a");
  EXPECT_EQ(worker.FailureOf(Histogram(0)).code, ErrorCode::kBadInput);
  TrainRequest train;
  train.left = {2};
  EXPECT_EQ(worker.FailureOf(train).code, ErrorCode::kBadInput);
  EXPECT_EQ(worker.FailureOf(DraftRequest{kRun, {}, 0}).code, ErrorCode::kBadInput);
}

TEST(Worker, AFailedOpeningLeavesNoOlderRecordsBehind) {
  TestWorker site("site-a");
  site.Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {WardFile(), "drop"}});
  site.FailureOf(OpenSiteRequest{kRun, WardOffer(), {"/no/such/file.csv", "drop"}});
  EXPECT_EQ(site.FailureOf(Histogram(0)).code, ErrorCode::kBadInput);
}

// A whole run through four workers: three sites and the coordinator.
class WardRun {
 public:
  WardRun() {
    coordinator_.Ask<OpenTrainerReply>(OpenTrainerRequest{kRun, WardOffer(), std::nullopt});
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      sites_[i]->Ask<OpenSiteReply>(OpenSiteRequest{kRun, WardOffer(), {testing::WriteWardFile(300, 10 + i), "drop"}});
    }
  }

  // Answers of all sites to the query, added up.
  TrainRequest SumOf(const std::shared_ptr<const Query>& query, std::uint32_t index) {
    const PlanEntry entry = plan_.entries()[0];
    SumAccumulator total(Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value(),
                         WordBitsFromNumber(entry.word_bits).value());
    Query asked = *query;
    asked.index = index;
    for (const auto& site : sites_) {
      const AnswerRequest request{QueryName{kRun, index, 0}, std::make_shared<const Query>(asked)};
      EXPECT_TRUE(total.AddEncoded(site->Ask<AnswerReply>(request).words).ok());
    }
    const NoisySum sum = std::move(total).Finish();
    TrainRequest train;
    train.has_sum = true;
    train.answered = std::make_shared<const Query>(asked);
    train.words = sum.words();
    train.answers = sum.answers();
    participation_.Record(index, 0, 0, true, {0, 1, 2});
    return train;
  }

  DraftReply Draft() {
    TrainRequest train;
    train.left = {plan_.entries()[0].allowed()};
    TrainReply reply = coordinator_.Ask<TrainReply>(train);
    for (std::uint32_t index = 0; reply.next != nullptr; ++index) {
      train = SumOf(reply.next, index);
      train.left = {plan_.entries()[0].allowed() - index - 1};
      reply = coordinator_.Ask<TrainReply>(train);
    }
    return coordinator_.Ask<DraftReply>(DraftRequest{kRun, participation_, 1790000000});
  }

  TestWorker coordinator_{"coordinator"};
  std::vector<std::unique_ptr<TestWorker>> sites_ = [] {
    std::vector<std::unique_ptr<TestWorker>> sites;
    for (const char* name : {"site-a", "site-b", "site-c"}) sites.push_back(std::make_unique<TestWorker>(name));
    return sites;
  }();
  Plan plan_ = PlanOf(WardOffer());
  Participation participation_;
};

TEST(Worker, AWholeRunEndsInADraftThatSitesAgreeWith) {
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
  EXPECT_EQ(run.coordinator_.Ask<DraftReply>(DraftRequest{kRun, run.participation_, 1790000000}).draft, draft.draft)
      << "asked again, the same bytes";
}

TEST(Worker, ADraftOfAnotherPlanOrWithAFlippedByteIsNotAgreedWith) {
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
TEST(Worker, ADraftWhoseCertificateSaysMoreThanThePlanIsNotAgreedWith) {
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

TEST(Worker, ATrainerThatTakesUpACheckpointGoesOnAsIfNothingHadHappened) {
  WardRun run;
  TrainRequest train;
  train.left = {run.plan_.entries()[0].allowed()};
  TrainReply reply = run.coordinator_.Ask<TrainReply>(train);
  train = run.SumOf(reply.next, 0);
  train.left = {1};
  train.want_checkpoint = true;
  reply = run.coordinator_.Ask<TrainReply>(train);
  ASSERT_TRUE(reply.checkpoint.has_value());
  TestWorker restarted("coordinator");
  restarted.Ask<OpenTrainerReply>(OpenTrainerRequest{kRun, WardOffer(), reply.checkpoint});
  train = run.SumOf(reply.next, 1);
  train.left = {0};
  EXPECT_EQ(run.coordinator_.Ask<TrainReply>(train).next, nullptr);
  EXPECT_EQ(restarted.Ask<TrainReply>(train).next, nullptr);
  const DraftRequest draft{kRun, run.participation_, 1790000000};
  EXPECT_EQ(restarted.Ask<DraftReply>(draft).draft, run.coordinator_.Ask<DraftReply>(draft).draft);
  EXPECT_FALSE(
      TestWorker::ErrorOf(restarted.worker.Handle(OpenTrainerRequest{kRun, WardOffer(), Bytes{1, 2}})).message.empty());
}

TEST(Worker, ASumThatDoesNotFitThePlanIsRefused) {
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

TEST(Worker, AFamilyThatNeedsLibTorchSaysSoWhereThereIsNone) {
  const RunOffer offer = TestWorker("coordinator")
                             .Ask<ResolveReply>(testing::WardResolve(testing::WardSpecification(
                                 "family = \"table_diffusion\"\nsteps = 5\nbatch = 50\nhidden = 4\n")))
                             .offer;
  EXPECT_THAT(TestWorker("site-a").FailureOf(OpenSiteRequest{kRun, offer, {WardFile(), "drop"}}).message,
              HasSubstr("no LibTorch here"));
}

}  // namespace
}  // namespace synod
