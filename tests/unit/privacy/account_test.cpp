#include "tools/synod/account.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/core/file.h"
#include "common/privacy/epsilon.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

std::string ErrorOf(std::string_view events) {
  const Result<PrivacyEvents> parsed = EventsFromJson(events);
  return parsed.ok() ? "accepted" : parsed.error().message;
}

TEST(AccountTool, RefusesMalformedEventsAndNamesEntryAndKey) {
  const std::string good = R"({"sampling_rate": 0.1, "noise_multiplier": 1, "count": 2})";
  EXPECT_EQ(ErrorOf("[" + good + "]"), "accepted");
  const auto second = [&good](const std::string& entry) { return ErrorOf("[" + good + "," + entry + "]"); };
  EXPECT_EQ(second(R"({"sampling_rate": 1.5, "noise_multiplier": 1, "count": 2})"),
            "entry 1: sampling_rate must be in [0, 1]");
  EXPECT_EQ(second(R"({"sampling_rate": -0.1, "noise_multiplier": 1, "count": 2})"),
            "entry 1: sampling_rate must be in [0, 1]");
  EXPECT_EQ(second(R"({"sampling_rate": 0.1, "count": 2})"), "entry 1: noise_multiplier is missing");
  EXPECT_EQ(second(R"({"sampling_rate": "0.1", "noise_multiplier": 1, "count": 2})"),
            "entry 1: sampling_rate must be a number");
  EXPECT_NE(second(R"({"sampling_rate": 0.1, "noise_multiplier": 0, "count": 2})").find("entry 1: noise_multiplier"),
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
