// The policy: refuses everything that is not written down, names every rule that fails, and reads strictly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "site_agent/site_configuration.h"
#include "site_agent/site_policy.h"

namespace synod {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Verdict = Judgement::Verdict;

constexpr int kNoon = 12 * 60;

constexpr const char* kRule = R"(
[lifetime]
epsilon = 8.0
delta = 1e-5
[[allow]]
dataset = "records"
families = ["table_diffusion"]
columns = ["sex", "age"]
operators = ["operator"]
coordinators = ["coordinator"]
max_epsilon = 3.0
max_own_share_epsilon = 4.0
max_delta = 1e-4
max_parameters = 1000
min_known_peers = 2
unit = "record"
min_units = 1000
approval = "automatic"
)";

SitePolicy PolicyOf(const std::string& text) {
  Result<SitePolicy> policy = SitePolicy::FromToml(text, "policy.toml");
  EXPECT_TRUE(policy.ok()) << (policy.ok() ? "" : policy.error().message);
  return policy.ok() ? *policy : SitePolicy();
}

std::string ErrorOf(const std::string& text) {
  const Result<SitePolicy> policy = SitePolicy::FromToml(text, "policy.toml");
  EXPECT_FALSE(policy.ok()) << text;
  return policy.ok() ? "" : policy.error().message;
}

// A run that kRule allows, barely.
RunFacts AllowedRun() {
  RunFacts facts;
  facts.plan.model_family = "table_diffusion";
  facts.plan.delta = 1e-4;
  facts.plan.units = 1000;
  facts.dataset = "records";
  facts.columns = {"age", "sex"};
  facts.epsilon[0] = {3.0, 9.0, 9.0};
  facts.epsilon[1] = {2.0, 9.0, 9.0};
  facts.epsilon[2] = {4.0, 9.0, 9.0};
  facts.parameters = 1000;
  facts.known_peers = 2;
  facts.coordinator = "coordinator";
  facts.submitter = "operator";
  return facts;
}

// The failures of a run that differs in one thing from the allowed one.
template <typename Change>
std::vector<std::string> FailuresAfter(Change change) {
  RunFacts facts = AllowedRun();
  change(facts);
  const Judgement judgement = PolicyOf(kRule).Judge(facts, kNoon);
  EXPECT_EQ(judgement.verdict, Verdict::kRefused);
  EXPECT_EQ(judgement.rule, 0U);
  return judgement.failures;
}

std::string With(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Policy, AnEmptyFileAllowsNothing) {
  const Judgement judgement = PolicyOf("").Judge(AllowedRun(), kNoon);
  EXPECT_EQ(judgement.verdict, Verdict::kRefused);
  EXPECT_THAT(judgement.failures, Contains(HasSubstr("no rule")));
  EXPECT_EQ(SitePolicy().Judge(AllowedRun(), kNoon).verdict, Verdict::kRefused);
}

TEST(Policy, AllowsWhatIsAtItsLimits) {
  const Judgement judgement = PolicyOf(kRule).Judge(AllowedRun(), kNoon);
  EXPECT_EQ(judgement.verdict, Verdict::kAllowed);
  EXPECT_EQ(judgement.rule, 1U);
  EXPECT_TRUE(judgement.failures.empty());
  EXPECT_TRUE(judgement.advice.empty());
}

TEST(Policy, RefusesEachThingThatGoesBeyondAndNamesItsRule) {
  const auto one = [](const char* rule) { return ::testing::ElementsAre(HasSubstr(rule)); };
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.model_family = "other"; }), one("families"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.columns.push_back("name"); }), one("\"name\", which is not listed"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.columns.pop_back(); }), one("\"sex\", which is listed"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.epsilon[0][0] = 3.0000001; }), one("max_epsilon"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.epsilon[2][0] = 4.1; }), one("max_own_share_epsilon"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.delta = 1.1e-4; }), one("max_delta"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.parameters = 1001; }), one("max_parameters"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.known_peers = 1; }), one("min_known_peers"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.coordinator = "other"; }), one("coordinators"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.submitter = "mallory"; }), one("operators"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.submitter = ""; }), one("does not say"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.unit = PrivacyUnit::kSubject; }), one("unit"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.relation = Adjacency::kZeroOut; }), one("relation"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.dataset = "others"; }), one("no rule"));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.dataset = ""; }), one("no data set"));
}

TEST(Policy, NumbersThatAreNoneAreRefused) {
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.epsilon[0][0] = std::nan(""); }), Contains(HasSubstr("max_epsilon")));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.delta = std::nan(""); }), Contains(HasSubstr("max_delta")));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.max_sites_per_subject = 0; }), Contains(HasSubstr("max_epsilon")));
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.max_sites_per_subject = 9; }), Contains(HasSubstr("max_epsilon")));
}

TEST(Policy, ReadsTheEpsilonOfTheSitesThatAPlanGrantsASubject) {
  EXPECT_THAT(FailuresAfter([](RunFacts& f) { f.plan.max_sites_per_subject = 2; }),
              Contains(HasSubstr("max_epsilon: the run costs 9")));
}

TEST(Policy, NamesEveryRuleThatFailsAtOnce) {
  const std::vector<std::string> failures = FailuresAfter([](RunFacts& f) {
    f.plan.model_family = "other";
    f.parameters = 5000;
    f.epsilon[0][0] = 50.0;
    f.known_peers = 0;
  });
  EXPECT_EQ(failures.size(), 4U);
}

TEST(Policy, FewUnitsAreAdviceAndDecideNothing) {
  RunFacts facts = AllowedRun();
  facts.plan.units = 10;
  const Judgement judgement = PolicyOf(kRule).Judge(facts, kNoon);
  EXPECT_EQ(judgement.verdict, Verdict::kAllowed);
  EXPECT_THAT(judgement.advice, Contains(HasSubstr("min_units")));
}

TEST(Policy, ARuleAsksAPersonUnlessItSaysAutomatic) {
  const std::string by_default = With(kRule, "approval = \"automatic\"", "");
  EXPECT_EQ(PolicyOf(by_default).Judge(AllowedRun(), kNoon).verdict, Verdict::kNeedsPerson);
}

TEST(Policy, AMetRuleThatAsksNobodyGoesBeforeOneThatDoes) {
  const std::string person = With(kRule, "approval = \"automatic\"", "approval = \"person\"");
  const std::string second = std::string(kRule).substr(std::string(kRule).find("[[allow]]"));
  const Judgement judgement = PolicyOf(person + second).Judge(AllowedRun(), kNoon);
  EXPECT_EQ(judgement.verdict, Verdict::kAllowed);
  EXPECT_EQ(judgement.rule, 2U);
}

TEST(Policy, HoursHoldBackAndMayGoOverMidnight) {
  const SitePolicy night = PolicyOf(std::string(kRule) + "hours = \"20:00-06:00\"\n");
  EXPECT_EQ(night.Judge(AllowedRun(), kNoon).verdict, Verdict::kOutsideHours);
  for (const int minute : {20 * 60, 23 * 60 + 59, 0, 6 * 60 - 1}) {
    EXPECT_EQ(night.Judge(AllowedRun(), minute).verdict, Verdict::kAllowed) << minute;
  }
  for (const int minute : {6 * 60, 20 * 60 - 1}) {
    EXPECT_EQ(night.Judge(AllowedRun(), minute).verdict, Verdict::kOutsideHours) << minute;
  }
  const SitePolicy day = PolicyOf(std::string(kRule) + "hours = \"08:30-24:00\"\n");
  EXPECT_EQ(day.Judge(AllowedRun(), 8 * 60 + 30).verdict, Verdict::kAllowed);
  EXPECT_EQ(day.Judge(AllowedRun(), 8 * 60 + 29).verdict, Verdict::kOutsideHours);
}

TEST(PolicyFile, StatesLifetimesForAllOrForEachDataSet) {
  const SitePolicy general = PolicyOf(kRule);
  EXPECT_EQ(general.Lifetime("records"), (LifetimeRule{"", 8.0, 1e-5}));
  const SitePolicy each = PolicyOf(
      "[[lifetime]]\ndataset = \"a\"\nepsilon = 1\ndelta = 1e-6\n[[lifetime]]\ndataset = \"b\"\nepsilon = 2\n"
      "delta = 1e-6\n");
  EXPECT_EQ(each.Lifetime("b")->epsilon, 2.0);
  EXPECT_FALSE(each.Lifetime("c"));
  EXPECT_FALSE(PolicyOf("").Lifetime("records"));
  EXPECT_THAT(ErrorOf("[[lifetime]]\ndataset = \"a\"\nepsilon = 1\ndelta = 1e-6\n[[lifetime]]\ndataset = \"a\"\n"
                      "epsilon = 2\ndelta = 1e-6\n"),
              HasSubstr("policy.toml:6"));
}

TEST(PolicyFile, ErrorsNameLineAndKey) {
  EXPECT_THAT(ErrorOf(With(kRule, "max_epsilon", "max_epsilom")), HasSubstr("max_epsil"));
  EXPECT_THAT(ErrorOf(With(kRule, "max_epsilon = 3.0", "max_epsilon = nan")), HasSubstr("policy.toml:11"));
  EXPECT_THAT(ErrorOf(With(kRule, "max_epsilon = 3.0", "")), HasSubstr("max_epsilon"));
  EXPECT_THAT(ErrorOf(With(kRule, "max_delta = 1e-4", "max_delta = -1e-4")), HasSubstr("max_delta"));
  EXPECT_THAT(ErrorOf(With(kRule, "[\"sex\", \"age\"]", "[]")), HasSubstr("columns"));
  EXPECT_THAT(ErrorOf(With(kRule, "[\"sex\", \"age\"]", "[\"sex\", \"sex\"]")), HasSubstr("twice"));
  EXPECT_THAT(ErrorOf(With(kRule, "[\"operator\"]", "[]")), HasSubstr("operators"));
  EXPECT_THAT(ErrorOf(With(kRule, "\"automatic\"", "\"always\"")), HasSubstr("approval"));
  EXPECT_THAT(ErrorOf(With(kRule, "unit = \"record\"", "unit = \"row\"")), HasSubstr("unit"));
  EXPECT_THAT(ErrorOf(With(kRule, "epsilon = 8.0", "epsilon = 0")), HasSubstr("epsilon"));
  EXPECT_THAT(ErrorOf("everything = true\n"), HasSubstr("everything"));
  for (const char* hours : {"20-06", "25:00-06:00", "20:00-20:00", "20:61-06:00", "20:00-06:00 ", "aa:bb-cc:dd", ""}) {
    EXPECT_THAT(ErrorOf(std::string(kRule) + "hours = \"" + hours + "\"\n"), HasSubstr("hours"));
  }
}

TEST(PolicyFile, OneDataSetHasOneUnit) {
  const std::string second = std::string(kRule).substr(std::string(kRule).find("[[allow]]"));
  EXPECT_THAT(ErrorOf(kRule + With(second, "\"record\"", "\"subject\"")), HasSubstr("unit"));
}

constexpr const char* kSite = R"(
[site]
coordinator = "synod.example.org:7711"
[[dataset]]
name = "records"
schema = "randhie"
file = "../data/records.csv"
bad_rows = "clamp"
[compute]
threads = 2
worker = "/usr/lib/synod/synod-worker"
[log]
file = "log/site.log"
level = "debug"
)";

TEST(SiteFile, IsReadWithPathsFromTheKit) {
  const Result<SiteConfiguration> site = SiteConfiguration::FromToml(kSite, "site.toml", "/kits/a");
  ASSERT_TRUE(site.ok()) << site.error().message;
  EXPECT_EQ(site->coordinator, "synod.example.org:7711");
  EXPECT_EQ(site->datasets, (std::vector<DatasetSettings>{{"records", "randhie", "/kits/data/records.csv", "clamp"}}));
  EXPECT_EQ(site->threads, 2U);
  EXPECT_EQ(site->worker, "/usr/lib/synod/synod-worker");
  EXPECT_EQ(site->log_file, "/kits/a/log/site.log");
  EXPECT_NE(site->ForSchema("randhie"), nullptr);
  EXPECT_EQ(site->ForSchema("records"), nullptr);
}

TEST(SiteFile, AnEmptyOneHasDefaultsAndNoData) {
  const Result<SiteConfiguration> site = SiteConfiguration::FromToml("", "site.toml", "/kits/a");
  ASSERT_TRUE(site.ok());
  EXPECT_TRUE(site->coordinator.empty());
  EXPECT_TRUE(site->datasets.empty());
}

TEST(SiteFile, ErrorsNameLineAndKey) {
  const auto error = [](const std::string& text) {
    const Result<SiteConfiguration> site = SiteConfiguration::FromToml(text, "site.toml", "/kits/a");
    EXPECT_FALSE(site.ok()) << text;
    return site.ok() ? "" : site.error().message;
  };
  EXPECT_THAT(error(With(kSite, ":7711", "")), HasSubstr("HOST:PORT"));
  EXPECT_THAT(error(With(kSite, ":7711", ":77111")), HasSubstr("HOST:PORT"));
  EXPECT_THAT(error(With(kSite, "\"records\"", "\"Records of 2020\"")), HasSubstr("site.toml:5"));
  EXPECT_THAT(error(With(kSite, "clamp", "keep")), HasSubstr("bad_rows"));
  EXPECT_THAT(error(With(kSite, "threads", "thread")), HasSubstr("thread"));
  EXPECT_THAT(error(With(kSite, "debug", "all")), HasSubstr("level"));
  const std::string other = "\n[[dataset]]\nname = \"more\"\nschema = \"other\"\nfile = \"/kits/data/records.csv\"\n";
  EXPECT_THAT(error(kSite + other), HasSubstr("another data set has this file"));
}

TEST(Policy, ListsWaysOfAggregationThatExist) {
  const std::string rule = kRule;
  EXPECT_EQ(PolicyOf(rule + "aggregation = [\"secure\"]\n").allow()[0].aggregation, std::vector<std::string>{"secure"});
  for (const char* wrong : {"[\"curator\"]", "[\"Secure\"]", "[]", "\"secure\"", "[1]"}) {
    EXPECT_FALSE(SitePolicy::FromToml(rule + "aggregation = " + wrong + "\n", "policy.toml").ok()) << wrong;
  }
}

}  // namespace
}  // namespace synod
