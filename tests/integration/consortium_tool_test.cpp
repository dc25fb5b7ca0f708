// A consortium as its people make it, each with the tool alone: the keeper of the root, a site, an operator, and
// whoever verifies what came of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/consortium/verify_in_consortium.h"
#include "common/core/canonical_json.h"
#include "tests/integration/program.h"
#include "tests/support/shared_data.h"
#include "tests/unit/artefact/small_federation.h"

namespace synod {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramRun;
using testing::ReadText;
using testing::RunTool;
using testing::WriteText;

std::vector<std::string> InitArguments(const std::string& folder) {
  return {"consortium", "init", folder, "--name", "hearts", "--coordinator", "coordinator.example:7711"};
}

// The data of a command that succeeds.
Json DataOf(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--format", "json"});
  const ProgramRun run = RunTool(arguments);
  EXPECT_EQ(run.exit_code, 0) << run.both();
  const Result<Json> json = ParseJson(run.out, std::size_t{1} << 20);
  return json.ok() && json->contains("data") ? json->at("data") : Json::object();
}

// A consortium on disk with a site that has made its request.
struct People {
  People() {
    root_fingerprint = DataOf(InitArguments(keeper)).value("root_fingerprint", "");
    request_fingerprint =
        DataOf({"site", "request", site, "--site", "site-a", "--consortium", "hearts"}).value("fingerprint", "");
  }
  std::string folder = testing::TemporaryFolder();
  std::string keeper = folder + "/keeper";
  std::string site = folder + "/site-a";
  std::string root_fingerprint;
  std::string request_fingerprint;
};

TEST(ConsortiumTool, MakesAMemberInFourSteps) {
  SYNOD_TOOL_OR_SKIP();
  const People people;
  EXPECT_EQ(people.root_fingerprint.size(), 79u);
  const Json approved = DataOf({"consortium", "approve", people.keeper, people.site + "/request.json", "--fingerprint",
                                people.request_fingerprint});
  EXPECT_EQ(approved.value("approval", ""), people.keeper + "/approval-site-a.json");
  const ProgramRun joined = RunTool(
      {"site", "join", people.site, people.keeper + "/approval-site-a.json", "--fingerprint", people.root_fingerprint});
  EXPECT_EQ(joined.exit_code, 0) << joined.both();
  EXPECT_THAT(joined.out, HasSubstr("synod://hearts/site/site-a is a member until "));
  EXPECT_THAT(joined.out, HasSubstr("policy.toml"));
  const Json shown = DataOf({"consortium", "show", people.site});
  EXPECT_EQ(shown.value("root_fingerprint", ""), people.root_fingerprint);
  EXPECT_EQ(shown.at("members").size(), 3u);
}

TEST(ConsortiumTool, ApprovesNothingWithoutTheFingerprintThatWasTold) {
  SYNOD_TOOL_OR_SKIP();
  const People people;
  const std::string request = people.site + "/request.json";
  const ProgramRun asked = RunTool({"consortium", "approve", people.keeper, request});
  EXPECT_EQ(asked.exit_code, 6);
  EXPECT_THAT(asked.err, HasSubstr(people.request_fingerprint));
  std::string other = people.request_fingerprint;
  other.back() = other.back() == '0' ? '1' : '0';
  const ProgramRun wrong = RunTool({"consortium", "approve", people.keeper, request, "--fingerprint", other});
  EXPECT_EQ(wrong.exit_code, 8);
  EXPECT_EQ(DataOf({"consortium", "show", people.keeper}).at("members").size(), 2u);
  EXPECT_FALSE(fs::exists(people.keeper + "/approval-site-a.json"));
}

TEST(ConsortiumTool, JoinsNoRootOfAnotherFingerprint) {
  SYNOD_TOOL_OR_SKIP();
  const People people;
  DataOf({"consortium", "approve", people.keeper, people.site + "/request.json", "--fingerprint",
          people.request_fingerprint});
  const ProgramRun wrong = RunTool({"site", "join", people.site, people.keeper + "/approval-site-a.json",
                                    "--fingerprint", people.request_fingerprint});
  EXPECT_EQ(wrong.exit_code, 8) << wrong.both();
  EXPECT_THAT(wrong.err, HasSubstr("another fingerprint"));
  EXPECT_FALSE(fs::exists(people.site + "/local"));
  const ProgramRun garbage =
      RunTool({"site", "join", people.site, people.site + "/request.json", "--fingerprint", people.root_fingerprint});
  EXPECT_EQ(garbage.exit_code, 4) << "a request is no approval";
}

TEST(ConsortiumTool, RevokesAndShowsIt) {
  SYNOD_TOOL_OR_SKIP();
  const People people;
  DataOf({"consortium", "approve", people.keeper, people.site + "/request.json", "--fingerprint",
          people.request_fingerprint});
  EXPECT_EQ(DataOf({"consortium", "revoke", people.keeper, "site", "site-a"}).value("revocations", 0), 2);
  const ProgramRun shown = RunTool({"consortium", "show", people.keeper + "/coordinator-kit"});
  EXPECT_THAT(shown.out, HasSubstr("revoked 2"));
  EXPECT_EQ(RunTool({"consortium", "revoke", people.keeper, "site", "site-a"}).exit_code, 6) << "it is revoked already";
  EXPECT_EQ(RunTool({"consortium", "revoke", people.keeper, "site", "site-z"}).exit_code, 4);
  EXPECT_EQ(RunTool({"consortium", "revoke", people.keeper, "hospital", "site-a"}).exit_code, 4);
}

TEST(ConsortiumTool, LetsAnOperatorIn) {
  SYNOD_TOOL_OR_SKIP();
  const People people;
  const std::string kit = people.folder + "/bob";
  const Json request = DataOf({"operator", "request", kit, "--operator", "bob", "--consortium", "hearts"});
  const Json approved = DataOf({"consortium", "approve", people.keeper, kit + "/request.json", "--fingerprint",
                                request.value("fingerprint", "")});
  DataOf({"operator", "join", kit, approved.value("approval", ""), "--fingerprint", people.root_fingerprint});
  EXPECT_TRUE(fs::exists(kit + "/trust/own.crt"));
  EXPECT_FALSE(fs::exists(kit + "/trust/signing.key")) << "operators sign nothing";
}

TEST(ConsortiumTool, SaysWhatIsWrong) {
  SYNOD_TOOL_OR_SKIP();
  const People people;
  const auto fails = [](const std::vector<std::string>& arguments, int code, const std::string& words) {
    const ProgramRun run = RunTool(arguments);
    EXPECT_EQ(run.exit_code, code) << run.both();
    EXPECT_THAT(run.err, HasSubstr(words));
    EXPECT_EQ(run.out, "");
  };
  fails(InitArguments(people.keeper), 6, "exists and is not empty");
  fails({"consortium", "init", people.folder + "/x", "--name", "Bad Name", "--coordinator", "a:1"}, 4, "a name has");
  fails({"consortium", "init", people.folder + "/x", "--name", "x", "--coordinator", "host"}, 4, "HOST:PORT");
  fails({"consortium", "frob"}, 4, "consortium: there is no command \"frob\"");
  fails({"consortium"}, 4, "consortium: no command is given");
  fails({"site", "request", people.site, "--site", "site-b", "--consortium", "hearts"}, 6, "site-a already");
  fails({"consortium", "show", people.folder}, 4, "no root's certificate");
  ASSERT_EQ(chmod((people.keeper + "/root" + "/root.key").c_str(), 0644), 0);
  fails({"consortium", "approve", people.keeper, people.site + "/request.json"}, 6, "can be read by others");
}

// A published file of four sites with the manifest of their consortium, and the root's certificate.
struct Published {
  Published() {
    constexpr std::int64_t kMade = 1'770'000'000;
    const testing::SmallFederation federation;
    const TlsKey root_key = TlsKey::Generate();
    const X509Certificate root = MakeRoot(root_key, "hearts", kMade - 1000, kMade + 1'000'000'000).value();
    Manifest manifest{"hearts", 5, "coordinator.example:7711", {}};
    Digest tls{};
    manifest.members.push_back(
        {{"hearts", Role::kCoordinator, "main"}, federation.coordinator().public_key(), tls, kMade - 100});
    for (std::size_t i = 0; i < 4; ++i) {
      tls[0] = static_cast<std::uint8_t>(i + 1);
      const std::string name = std::string("site-") + static_cast<char>('a' + i);
      manifest.members.push_back({{"hearts", Role::kSite, name}, federation.site(i).public_key(), tls, kMade - 100});
    }
    const TrustBundle bundle{SignManifest(root_key, manifest).value(),
                             SignRevocations(root_key, {"hearts", 1, {}}).value()};
    const GeneratorDraft draft = GeneratorDraft::Create(federation.content(), federation.certificate()).value();
    std::vector<SiteSignature> sites;
    for (std::uint32_t i = 0; i < 4; ++i) {
      sites.push_back(SignAsSite(federation.site(i), federation.statement(i, draft.file_digest())));
    }
    const Signature coordinator = SignAsCoordinator(federation.coordinator(), draft.file_digest());
    const GeneratorFile generator = draft.Finish(coordinator, sites, FileConsortiumOf(bundle)).value();
    bytes = generator.bytes();
    EXPECT_TRUE(generator.Write(file).ok());
    WriteText(ca, root.ToPem());
    WriteText(keys, federation.trusted().ToJson().dump());
  }
  std::string folder = testing::TemporaryFolder();
  std::string file = folder + "/generator.synod";
  std::string ca = folder + "/ca.pem";
  std::string keys = folder + "/keys.json";
  Bytes bytes;
};

TEST(VerifyTool, NeedsOnlyTheRootOrOnlyTheKeys) {
  SYNOD_TOOL_OR_SKIP();
  const Published published;
  for (const std::string& trust : {published.ca, published.keys}) {
    const ProgramRun run = RunTool({"verify", published.file, "--trust", trust});
    EXPECT_EQ(run.exit_code, 0) << run.both();
    EXPECT_THAT(run.out, HasSubstr("Outcome: verified"));
  }
  EXPECT_EQ(RunTool({"verify", published.file}).exit_code, 8) << "nobody is trusted";
  const People others;
  const ProgramRun other = RunTool({"verify", published.file, "--trust", others.keeper});
  EXPECT_EQ(other.exit_code, 8) << "another consortium of the same name";
  EXPECT_THAT(other.err, HasSubstr("not signed by the consortium's root"));
  EXPECT_EQ(RunTool({"verify", published.file, "--trust", published.folder + "/nothing"}).exit_code, 1);
}

TEST(VerifyTool, FailsOnOneFlippedByteWhereverItIs) {
  SYNOD_TOOL_OR_SKIP();
  const Published published;
  const std::string bad_file = published.folder + "/bad.synod";
  constexpr std::size_t kSampled = 60;  // the unit tests flip every byte
  for (std::size_t i = 0; i < kSampled; ++i) {
    const std::size_t at = i * (published.bytes.size() - 1) / (kSampled - 1);
    std::string bad(published.bytes.begin(), published.bytes.end());
    bad[at] = static_cast<char>(bad[at] ^ 1);
    WriteText(bad_file, bad);
    const ProgramRun run = RunTool({"verify", bad_file, "--trust", published.ca});
    ASSERT_EQ(run.exit_code, 8) << "byte " << at << ": " << run.both();
  }
}

}  // namespace
}  // namespace synod
