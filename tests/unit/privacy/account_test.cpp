#include "tools/synod/account.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/core/file.h"
#include "common/privacy/epsilon.h"
#include "tests/support/shared_data.h"
#include "tools/synod/account_events.h"

namespace synod {
namespace {

std::string ErrorOf(std::string_view events, Adjacency adjacency = Adjacency::kAddRemove, unsigned sites = 1) {
  const Result<MechanismUses> parsed = UsesFromJson(events, adjacency, sites);
  return parsed.ok() ? "accepted" : parsed.error().message;
}

TEST(AccountTool, RefusesMalformedEventsAndNamesEntryAndKey) {
  const std::string good = R"({"sampling_rate": 0.1, "noise_multiplier": 1, "count": 2})";
  EXPECT_EQ(ErrorOf("[" + good + "]"), "accepted");
  const auto second = [&good](const std::string& entry) { return ErrorOf("[" + good + "," + entry + "]"); };
  EXPECT_EQ(second(R"({"sampling_rate": 1.5, "noise_multiplier": 1, "count": 2})"),
            "entry 1 (gaussian): sampling_rate must be in [0, 1]");
  EXPECT_EQ(second(R"({"sampling_rate": -0.1, "noise_multiplier": 1, "count": 2})"),
            "entry 1 (gaussian): sampling_rate must be in [0, 1]");
  EXPECT_EQ(second(R"({"sampling_rate": 0.1, "count": 2})"), "entry 1: noise_multiplier is missing");
  EXPECT_EQ(second(R"({"sampling_rate": "0.1", "noise_multiplier": 1, "count": 2})"),
            "entry 1: sampling_rate must be a number");
  EXPECT_NE(second(R"({"sampling_rate": 0.1, "noise_multiplier": 0, "count": 2})")
                .find("entry 1 (gaussian): noise_multiplier"),
            std::string::npos);
  EXPECT_NE(second(R"({"sampling_rate": 0.1, "noise_multiplier": 1, "count": -2})").find("entry 1: count"),
            std::string::npos);
  EXPECT_NE(second(R"({"sampling_rate": 0.1, "noise_multiplier": 1, "count": 2.5})").find("entry 1: count"),
            std::string::npos);
  EXPECT_NE(second(R"({"sampling_rate": 0.1, "noise_multiplier": 1, "count": 2, "sigma": 1})").find("unknown key"),
            std::string::npos);
  EXPECT_EQ(second("7"), "entry 1 must be an object");
  for (const std::string broken :
       {"", "{}", "[", "[{\"sampling_rate\": NaN}]",
        R"([{"sampling_rate": 0.1, "noise_multiplier": 1e999, "count": 2}])",
        R"([{"sampling_rate": 0.1, "sampling_rate": 0, "noise_multiplier": 1, "count": 2}])"}) {
    EXPECT_NE(ErrorOf(broken), "accepted") << broken;
  }
}

TEST(AccountTool, ReadsEveryKindOfMechanismAndWritesItAsItWasRead) {
  const auto same = [](const char* text, Adjacency adjacency) {
    const Result<MechanismUses> uses = UsesFromJson(std::string("[") + text + "]", adjacency, 1);
    ASSERT_TRUE(uses.ok()) << uses.error().message;
    const Result<Json> written = ParseJson(text, 1024);
    ASSERT_TRUE(written.ok());
    EXPECT_EQ(UseToJson(uses->front()), *written);
  };
  for (const char* text :
       {R"({"kind":"gaussian","sampling_rate":0.5,"noise_multiplier":2.5,"count":3})",
        R"({"kind":"truncated-gaussian","sampling_rate":0.5,"noise_multiplier":2.5,"units":9,"max_batch":7,"count":3})",
        R"({"kind":"laplace","scale":2.5,"count":1})", R"({"kind":"geometric","decay":0.5,"sensitivity":2,"count":1})",
        R"({"kind":"stated","epsilon":0.5,"delta":0.25,"count":1})",
        R"({"kind":"discrete-gaussian-sum","shares":3,"site_variance":4.5,"sensitivity":1.5,"dimension":4,"count":2})",
        R"({"kind":"skellam","variance":4.5,"sensitivity":1.5,"dimension":4,"count":2})"}) {
    same(text, Adjacency::kAddRemove);
  }
  same(R"({"kind":"fixed-batch-gaussian","units":9,"batch":7,"noise_multiplier":2.5,"count":3})",
       Adjacency::kReplaceOne);
  same(R"({"kind":"tree","noise_multiplier":2.5,"steps":7,"count":3})", Adjacency::kZeroOut);
}

TEST(AccountTool, RefusesWhatHasNoProvenAccountAndNamesTheEntry) {
  EXPECT_NE(ErrorOf(R"([{"kind":"exponential","epsilon":1,"count":1}])").find("entry 0: unknown kind \"exponential\""),
            std::string::npos);
  EXPECT_EQ(ErrorOf(R"([{"kind":"laplace","count":1}])"), "entry 0: scale is missing");
  EXPECT_EQ(ErrorOf(R"([{"kind":"laplace","scale":-1,"count":1}])"), "entry 0 (laplace): scale must be in [0.01, 1e9]");
  EXPECT_EQ(ErrorOf(R"([{"kind":"laplace","scale":1,"count":1,"noise_multiplier":1}])"),
            "entry 0: unknown key \"noise_multiplier\"");
  EXPECT_EQ(ErrorOf(R"([{"kind":"laplace","scale":1,"count":1}])", Adjacency::kAddRemove, 2),
            "entry 0 (laplace): a subject at several sites is accounted for gaussian entries only");
  const char* tree = R"([{"kind":"tree","noise_multiplier":2,"steps":7,"count":1}])";
  EXPECT_EQ(ErrorOf(tree), "entry 0 (tree): has a proven account under zero-out only");
  EXPECT_EQ(ErrorOf(tree, Adjacency::kZeroOut), "accepted");
  EXPECT_EQ(ErrorOf(R"([{"kind":"skellam","variance":9,"sensitivity":1.5,"dimension":1,"count":1}])"),
            "entry 0 (skellam): sensitivity must be a whole number where dimension is 1");
}

TEST(AccountTool, SaysWhatIsMissingAndWhatContradictsItself) {
  AccountOptions options;
  options.delta = 1e-5;
  const auto error = [&options] {
    const Result<Json> report = Account(options);
    return report.ok() ? std::string("accepted") : report.error().message;
  };
  EXPECT_EQ(error(), "--sampling-rate is missing");  // not a rate of 0, at which nothing costs anything
  options.sampling_rate = 0.1;
  EXPECT_EQ(error(), "--steps is missing");
  options.steps = 10;
  EXPECT_EQ(error(), "--noise-multiplier is missing");
  options.noise_multiplier = 1.0;
  EXPECT_EQ(error(), "accepted");
  options.target_epsilon = 1.0;
  EXPECT_EQ(error(), "--target-epsilon solves for --noise-multiplier: give one of them");
  options.target_epsilon.reset();
  options.events_file = "events.json";
  EXPECT_EQ(error(), "--events goes without --sampling-rate, --noise-multiplier and --steps");
}

TEST(AccountTool, ReportsARenyiBoundWhereThereIsNoLossDistribution) {
  const std::string path = testing::TemporaryFolder() + "/fixed.json";
  const std::string text =
      R"([{"kind":"fixed-batch-gaussian","units":5000,"batch":50,"noise_multiplier":4,"count":1000}])";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes(text)).ok());
  AccountOptions options;
  options.delta = 1e-5;
  options.adjacency = Adjacency::kReplaceOne;
  options.events_file = path;
  const Result<Json> report = Account(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->at("method"), "rdp");
  EXPECT_EQ(report->at("epsilon_lower"), 0.0);
  EXPECT_FALSE(report->contains("grid"));
  EXPECT_EQ(report->at("epsilon_upper"), report->at("epsilon_rdp"));
  EXPECT_LT(report->at("tpr_at_fpr_1e3").get<double>(), 0.1);
}

TEST(AccountTool, ReportsTheIntervalWithSafeRounding) {
  AccountOptions options;
  options.sampling_rate = 0.01;
  options.noise_multiplier = 1.0;
  options.steps = 1000;
  options.delta = 1e-5;
  const Result<Json> report = Account(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  const Result<EpsilonBounds> bounds = ComputeEpsilon({{0.01, 1.0, 1000}}, 1e-5);
  ASSERT_TRUE(bounds.ok());
  EXPECT_GE(report->at("epsilon_upper").get<double>(), bounds->upper);
  EXPECT_NEAR(report->at("epsilon_upper").get<double>(), bounds->upper, 2e-6);
  EXPECT_LE(report->at("epsilon_lower").get<double>(), bounds->lower);
  EXPECT_NEAR(report->at("epsilon_rdp").get<double>(), 2.1013, 1e-3);
  EXPECT_EQ(report->at("method"), "pld");
  EXPECT_EQ(report->at("adjacency"), "add-remove");
  EXPECT_GT(report->at("grid").at("points").get<double>(), 0.0);
  const double rate = report->at("tpr_at_fpr_1e3");
  EXPECT_GT(rate, 1e-3);
  EXPECT_LT(rate, std::exp(bounds->upper) * 1e-3 + 1e-5 + 1e-6);
  EXPECT_TRUE(CanonicalJsonText(*report).ok());
}

TEST(AccountTool, TruePositiveRateOfAGaussianIsJustAboveItsTradeOffCurve) {
  AccountOptions options;
  options.sampling_rate = 1.0;
  options.noise_multiplier = 1.0;
  options.steps = 1;
  options.delta = 1e-5;
  const Result<Json> report = Account(options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->at("method"), "closed form");
  EXPECT_NEAR(report->at("gaussian_mu").get<double>(), 1.0, 2e-6);
  const double exact = 0.5 * std::erfc((3.090232306167813 - 1.0) / std::sqrt(2.0));  // P(N(1,1) > quantile of 0.999)
  EXPECT_GE(report->at("tpr_at_fpr_1e3").get<double>(), exact);
  EXPECT_LE(report->at("tpr_at_fpr_1e3").get<double>(), 1.2 * exact);
}

TEST(AccountTool, SolvesForTheTarget) {
  AccountOptions options;
  options.sampling_rate = 0.02;
  options.steps = 200;
  options.delta = 1e-6;
  options.target_epsilon = 1.5;
  const Result<Json> report = Account(options);
  ASSERT_TRUE(report.ok());
  EXPECT_LE(report->at("epsilon_upper").get<double>(), 1.5 + 1e-6);
  EXPECT_GE(report->at("epsilon_upper").get<double>(), 1.5 * 0.999);
  EXPECT_GT(report->at("noise_multiplier").get<double>(), 0.5);
}

TEST(AccountTool, ReadsEventsFromAFileAndNamesItInErrors) {
  const std::string path = testing::TemporaryFolder() + "/events.json";
  const std::string text = R"([{"sampling_rate": 1, "noise_multiplier": 4, "count": 3}])";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes(text)).ok());
  AccountOptions options;
  options.delta = 1e-5;
  options.events_file = path;
  const Result<Json> report = Account(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_NEAR(report->at("epsilon_upper").get<double>(), GaussianEpsilon(std::sqrt(3.0) / 4.0, 1e-5), 2e-6);
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes("[3]")).ok());
  const Result<Json> bad = Account(options);
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("events.json: entry 0"), std::string::npos) << bad.error().message;
  options.target_epsilon = 1.0;
  EXPECT_FALSE(Account(options).ok());
}

TEST(AccountTool, RefusesOptionsOutOfRangeByName) {
  AccountOptions options;
  options.sampling_rate = 0.1;
  options.noise_multiplier = 1.0;
  options.steps = 10;
  options.delta = 1e-5;
  const auto error_with = [options](auto change) {
    AccountOptions changed = options;
    change(changed);
    const Result<Json> report = Account(changed);
    return report.ok() ? std::string("accepted") : report.error().message;
  };
  EXPECT_NE(error_with([](AccountOptions& o) { o.delta = 0.0; }).find("--delta"), std::string::npos);
  EXPECT_NE(error_with([](AccountOptions& o) { o.sampling_rate = std::nan(""); }).find("--sampling-rate"),
            std::string::npos);
  EXPECT_NE(error_with([](AccountOptions& o) { o.noise_multiplier = 0.0; }).find("--noise-multiplier"),
            std::string::npos);
  EXPECT_NE(error_with([](AccountOptions& o) { o.steps = 0; }).find("--steps"), std::string::npos);
  EXPECT_NE(error_with([](AccountOptions& o) { o.target_epsilon = -1.0; }).find("--target-epsilon"), std::string::npos);
  EXPECT_NE(error_with([](AccountOptions& o) { o.sites_per_subject = 0; }), "accepted");
}

}  // namespace
}  // namespace synod
