#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "common/core/canonical_json.h"
#include "common/core/file.h"
#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/unmasked_words.h"
#include "common/query/words.h"
#include "tests/support/shared_data.h"
#include "tests/unit/models/worker_fixture.h"
#include "tests/unit/models/worker_world.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using testing::kRun;
using testing::kSecretCell;
using ::testing::Not;
using testing::PlanOf;
using testing::TestWorker;
using testing::WardOffer;

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

TEST(Worker, RefusesAPlanWithATrustedCurator) {
  const Plan plan = PlanOf(WardOffer());
  PlanFacts facts = plan.facts();
  facts.aggregation = Aggregation::kCurator;
  facts.max_colluding = 0;
  facts.quorum = 3;
  RunOffer offer = WardOffer();
  offer.plan = Plan::Create(facts, plan.entries()).value().CanonicalText();
  TestWorker site("site-a");
  EXPECT_EQ(site.FailureOf(OpenSiteRequest{kRun, offer, {WardFile(), "drop"}}).code, ErrorCode::kRefused);
  EXPECT_EQ(site.FailureOf(OpenTrainerRequest{kRun, offer, std::nullopt}).code, ErrorCode::kRefused);
  EXPECT_FALSE(site.Ask<ReviewReply>(ReviewRequest{offer}).plan_matches);
}

TEST(Worker, OfASecurePlanGivesWordsWithItsOwnShareOfTheNoise) {
  const std::string family = "family = \"independent_columns\"\n";
  const RunOffer offer = TestWorker("coordinator")
                             .Ask<ResolveReply>(testing::WardResolve(testing::WardSpecification(family, 2.0, "secure")))
                             .offer;
  const Plan plan = PlanOf(offer);
  ASSERT_EQ(plan.facts().aggregation, Aggregation::kSecure);
  const PlanEntry& entry = plan.entries()[0];
  EXPECT_LT(entry.site_variance, PlanOf(WardOffer()).entries()[0].site_variance) << "a share is less than the whole";
  TestWorker site("site-a");
  EXPECT_TRUE(site.Ask<ReviewReply>(ReviewRequest{offer}).plan_matches);
  site.Ask<OpenSiteReply>(OpenSiteRequest{kRun, offer, {WardFile(), "drop"}});
  Bytes words = site.Ask<AnswerReply>(Histogram(0)).words;
  // The worker's 300 units and the noise of a share, six deviations: false alarms below 1e-8.
  const std::vector<double> values = ValuesOf(entry, words);
  const double sigma = std::sqrt(static_cast<double>(entry.site_variance)) / entry.grid_scale;
  const double ages = std::accumulate(values.begin(), values.begin() + 111, 0.0);
  EXPECT_NEAR(ages, 300.0, 6.0 * sigma * std::sqrt(111.0));
  const WordBits bits = WordBitsFromNumber(entry.word_bits).value();
  EXPECT_TRUE(UnmaskedWords::FromLocalPair(std::move(words), bits, entry.dimension).ok());
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
  Worker worker(streams, 1, &testing::NoModule);
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
