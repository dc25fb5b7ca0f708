// The files of a new kit, as they are and with their examples switched on, are what the daemons read.
#include <gtest/gtest.h>

#include <sstream>

#include "common/consortium/default_files.h"
#include "coordinator/coordinator_settings.h"
#include "site_agent/site_configuration.h"
#include "site_agent/site_policy.h"

namespace synod {
namespace {

const Identity kSite{"hearts", Role::kSite, "site-a"};

// Without the comment sign of every line that is an example, not a sentence.
std::string WithExamples(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::string out;
  while (std::getline(lines, line)) {
    const bool section = line.starts_with("# [");
    const std::size_t equals = line.find(" = ");
    const bool setting = line.starts_with("# ") && equals != std::string::npos && equals > 2 &&
                         line.substr(2, equals - 2).find(' ') == std::string::npos;
    out += (section || setting ? line.substr(2) : line) + "\n";
  }
  return out;
}

TEST(DefaultKit, AllowsNothingUntilItsOwnerSaysSo) {
  const Result<SitePolicy> policy = SitePolicy::FromToml(DefaultPolicyToml(kSite), "policy.toml");
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  EXPECT_TRUE(policy->allow().empty());
  EXPECT_TRUE(policy->lifetime().empty());
  const Result<SiteConfiguration> site = SiteConfiguration::FromToml(DefaultSiteToml(kSite), "site.toml", "/kit");
  ASSERT_TRUE(site.ok()) << site.error().message;
  EXPECT_TRUE(site->datasets.empty());
  EXPECT_EQ(site->coordinator, "");
}

TEST(DefaultKit, HasExamplesThatAreRead) {
  const Result<SitePolicy> policy = SitePolicy::FromToml(WithExamples(DefaultPolicyToml(kSite)), "policy.toml");
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  ASSERT_EQ(policy->allow().size(), 1u);
  EXPECT_EQ(policy->allow()[0].dataset, "records");
  EXPECT_FALSE(policy->allow()[0].automatic) << "the example asks a person";
  EXPECT_EQ(policy->Lifetime("records")->epsilon, 8.0);
  const std::string site_text = WithExamples(DefaultSiteToml(kSite));
  const Result<SiteConfiguration> site = SiteConfiguration::FromToml(site_text, "site.toml", "/kit");
  ASSERT_TRUE(site.ok()) << site.error().message;
  EXPECT_EQ(site->Named("records")->file, "/srv/data/records.csv");
  EXPECT_EQ(site->coordinator, "coordinator.example:7711");
}

TEST(DefaultKit, ListensOnThePortThatTheManifestNames) {
  const std::string text = DefaultCoordinatorToml("coordinator.example:7799");
  const Result<CoordinatorSettings> settings = CoordinatorSettings::FromToml(text, "coordinator.toml", "/kit");
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->address, "0.0.0.0:7799");
}

}  // namespace
}  // namespace synod
