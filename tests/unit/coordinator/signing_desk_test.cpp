// Drafts on their way to the sites: stores that fail, sites that say nothing, runs that end.
#include <gtest/gtest.h>

#include "coordinator/signing_desk.h"
#include "tests/unit/artefact/small_federation.h"
#include "tests/unit/coordinator/run_fixture.h"
#include "tests/unit/coordinator/test_kits.h"

namespace synod {
namespace {

const Bytes& SmallDraft() {
  static const Bytes draft = [] {
    const testing::SmallFederation federation;
    return GeneratorDraft::Create(federation.content(), federation.certificate()).value().bytes();
  }();
  return draft;
}

class SigningDeskTest : public ::testing::Test {
 protected:
  SigningDeskTest()
      : trust_(Trust::Load(testing::TestKits().coordinator + "/trust", SystemClock()).value()),
        key_(trust_.LoadSigningKey().value()),
        sites_(hand_.clock) {
    EventLog::Settings settings;
    settings.file = testing::TemporaryFolder() + "/signing.log";
    log_ = EventLog::Open(settings, hand_.clock).value();
    desk_.emplace(SigningDesk::Ports{
        *hand_.book, hand_.store, sites_, trust_, key_, hand_.clock, hand_.fail_points, *log_,
        [this](const std::string& site, Envelope envelope) { sent_.emplace_back(site, std::move(envelope)); },
        [](const RunId&) { return std::string("/nowhere/file.synod"); }, [](const RunRecord&) {}});
    for (const char* site : {"site-a", "site-b", "site-c"}) sites_.Opened(site, ++peer_, Hello{});
  }

  // A run whose draft waits for the signatures of site-a and site-b.
  RunId BeginSigning(std::uint8_t number = 1) {
    const RunId run = hand_.ProposeAndApprove(number);
    EXPECT_TRUE(hand_.book->Start(run).ok());
    EXPECT_TRUE(hand_.book->TakeDraft(run, SmallDraft(), Digest{}, {"site-a", "site-b"}).ok());
    return run;
  }
  std::size_t DraftsTo(const std::string& site) const {
    std::size_t count = 0;
    for (const auto& [to, envelope] : sent_) {
      count += to == site && std::holds_alternative<DraftToSign>(envelope.message) ? 1 : 0;
    }
    return count;
  }
  void TickAfter(double seconds) {
    hand_.clock.now += seconds;
    desk_->Tick();
  }

  testing::HandBook hand_;
  Trust trust_;
  SigningKey key_;
  SiteBook sites_;
  std::unique_ptr<EventLog> log_;
  std::optional<SigningDesk> desk_;
  std::vector<std::pair<std::string, Envelope>> sent_;
  PeerId peer_ = 0;
};

TEST_F(SigningDeskTest, ADraftThatCouldNotBeReadOnceIsSentLaterOverTheSameLink) {
  const RunId run = BeginSigning();
  hand_.store.failing_loads = 2;  // for either site
  desk_->Tick();
  EXPECT_EQ(DraftsTo("site-a"), 0U);
  EXPECT_NE(desk_->StorageError(run), "");
  TickAfter(SigningDesk::kRetrySeconds);
  EXPECT_EQ(DraftsTo("site-a"), 1U);
  EXPECT_EQ(DraftsTo("site-b"), 1U);
  EXPECT_EQ(DraftsTo("site-c"), 0U) << "it answered nothing";
  EXPECT_EQ(desk_->StorageError(run), "");
}

TEST_F(SigningDeskTest, ASiteThatIsSilentIsSentItsDraftAgainOverTheSameLink) {
  BeginSigning();
  for (int i = 0; i < 100; ++i) TickAfter(1.0);
  EXPECT_EQ(DraftsTo("site-a"), 1U) << "it is given time";
  for (int i = 0; i < 250; ++i) TickAfter(1.0);
  EXPECT_EQ(DraftsTo("site-a"), 2U);
  EXPECT_EQ(DraftsTo("site-b"), 2U);
}

TEST_F(SigningDeskTest, ASiteThatComesBackIsSentItsDraftAtOnce) {
  BeginSigning();
  desk_->Tick();
  sites_.Closed("site-a", 1, "gone");
  sites_.Opened("site-a", ++peer_, Hello{});
  desk_->OnSiteConnected("site-a");
  EXPECT_EQ(DraftsTo("site-a"), 2U);
  EXPECT_EQ(DraftsTo("site-b"), 1U);
}

TEST_F(SigningDeskTest, TheDraftOfARunThatEndedIsNotKept) {
  for (const bool refused : {true, false}) {
    const RunId run = BeginSigning(refused ? 1 : 2);
    desk_->Tick();
    ASSERT_EQ(DraftsTo("site-a"), 1U);
    const std::weak_ptr<const Bytes> draft = sent_[0].second.payload;
    sent_.clear();
    EXPECT_FALSE(draft.expired()) << "kept while signatures are waited for";
    if (refused) {
      desk_->OnDraftRefused("site-a", DraftRefused{run, Digest{}});
    } else {
      ASSERT_TRUE(hand_.book->Abort(run, "operator").ok());
    }
    desk_->Tick();
    EXPECT_TRUE(draft.expired()) << refused;
    EXPECT_TRUE(sent_.empty());
  }
}

}  // namespace
}  // namespace synod
