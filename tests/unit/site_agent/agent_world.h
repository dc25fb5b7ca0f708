// A site's agent with a real kit and a real database, and a coordinator, a worker and a clock that the test plays.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "common/consortium/make_kits.h"
#include "common/core/file.h"
#include "site_agent/site_agent.h"
#include "tests/support/shared_data.h"
#include "tests/unit/models/worker_world.h"

namespace synod::testing {

class HandClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return unix_seconds; }
  double MonotonicSeconds() const override { return seconds; }
  std::int64_t unix_seconds = 1'800'000'000;
  double seconds = 1000.0;
};

class PlayedCoordinator final : public CoordinatorPort {
 public:
  bool open() const override { return connected; }
  Status Send(Envelope envelope) override {
    if (!connected) return Failed("no link");
    if (counts && envelope.payload != nullptr) queued += envelope.payload->size();
    sent.push_back(std::move(envelope));
    return {};
  }
  std::uint64_t queued_bytes() const override { return queued; }
  void CheckPeerAgain() override {
    if (trusted && !trusted()) connected = false;
  }
  // The newest message of a type that was sent.
  template <typename Type>
  const Type* Last() const {
    for (auto envelope = sent.rbegin(); envelope != sent.rend(); ++envelope) {
      if (const auto* message = std::get_if<Type>(&envelope->message)) return message;
    }
    return nullptr;
  }
  template <typename Type>
  std::size_t Count() const {
    std::size_t count = 0;
    for (const Envelope& envelope : sent) count += std::holds_alternative<Type>(envelope.message) ? 1 : 0;
    return count;
  }
  // The bytes of the newest answer.
  Bytes LastAnswer() const {
    for (auto envelope = sent.rbegin(); envelope != sent.rend(); ++envelope) {
      if (std::holds_alternative<Answer>(envelope->message)) return *envelope->payload;
    }
    return {};
  }
  bool connected = true;
  std::function<bool()> trusted;
  bool counts = false;       // what is sent stays queued
  std::uint64_t queued = 0;  // bytes
  std::vector<Envelope> sent;
};

// Remembers nothing; tells a test where the agent is.
class WatchedPoints final : public FailPoints {
 public:
  void At(FailPoint point) override {
    if (watch) watch(point);
  }
  std::function<void(FailPoint)> watch;
};

class PlayedWorker final : public WorkerPort {
 public:
  Status Send(const WorkerRequest& request) override {
    requests.push_back(request);
    return {};
  }
  void End() override { ++ends; }
  template <typename Type>
  const Type* Last() const {
    return requests.empty() ? nullptr : std::get_if<Type>(&requests.back());
  }
  std::vector<WorkerRequest> requests;
  int ends = 0;
};

inline constexpr const char* kWardPolicy = R"([lifetime]
epsilon = 8.0
delta = 1e-4
[[allow]]
dataset = "records"
families = ["independent_columns"]
columns = ["age", "ward", "dose"]
max_epsilon = 2.0
max_own_share_epsilon = 2.0
max_delta = 1e-4
min_known_peers = 2
approval = "automatic"
)";

// Kits of site-a, site-b and site-c, made once; copied for each test.
inline const Kits& WardKits() {
  static const Kits kits = [] {
    ConsortiumOptions options;
    options.name = "wards";
    options.coordinator_address = "127.0.0.1:7711";
    options.now_unix = 1'800'000'000 - 3600;
    Result<Kits> made = MakeKits(TemporaryFolder() + "/kits", options, {"site-a", "site-b", "site-c"});
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    return *made;
  }();
  return kits;
}

// The offer of a run over all three sites.
inline RunOffer WardOffer(double epsilon = 2.0, const std::string& aggregation = "none") {
  HandClock clock;
  const Trust trust = Trust::Load(WardKits().sites.at("site-a") + "/trust", clock).value();
  std::vector<RosterSite> roster;
  for (const Member* member : trust.manifest().WithRole(Role::kSite)) {
    roster.push_back({member->identity.name, KeyFingerprint(member->signing_key)});
  }
  const std::string family = "family = \"independent_columns\"\n";
  return MakeOffer(WardSpecification(family, epsilon, aggregation), WardSchema(), roster).value();
}

class AgentWorld {
 public:
  explicit AgentWorld(const std::string& policy = kWardPolicy) {
    kit = TemporaryFolder() + "/site-a";
    std::filesystem::copy(WardKits().sites.at("site-a"), kit, std::filesystem::copy_options::recursive);
    WritePolicy(policy);
    WriteSite("records.csv");
    Start();
  }

  void WritePolicy(const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(kit + "/local/policy.toml", AsBytes(text)).ok());
  }
  void WriteSite(const std::string& file) {
    const std::string text = "[[dataset]]\nname = \"records\"\nschema = \"wards\"\nfile = \"" + file +
                             "\"\n[log]\nfile = \"log/site.log\"\n";
    EXPECT_TRUE(WriteFileAtomically(kit + "/local/site.toml", AsBytes(text)).ok());
  }

  void Start() {
    log = EventLog::Open({kit + "/log/site.log", LogLevel::kDebug, false}, clock).value();
    audit = AuditLog::Open(kit + "/log/audit.log", clock).value();
    Trust trust = Trust::Load(kit + "/trust", clock).value();
    SigningKey key = trust.LoadSigningKey().value();
    Result<std::unique_ptr<SiteState>> state = SiteState::Open(kit, clock, fail_points);
    ASSERT_TRUE(state.ok()) << state.error().message;
    SiteAgent::Setup setup{kit,
                           SiteConfiguration::FromKit(kit).value(),
                           SitePolicy::FromKit(kit).value(),
                           std::move(trust),
                           std::move(key),
                           std::move(*state),
                           witness};
    Result<std::unique_ptr<SiteAgent>> made =
        SiteAgent::Create({clock, fail_points, *log, *audit, coordinator, worker, secrets}, std::move(setup));
    ASSERT_TRUE(made.ok()) << made.error().message;
    agent = std::move(*made);
    agent->OnLinkOpened({1, {"wards", Role::kCoordinator, "coordinator"}, {}});
  }
  // As after kill -9: nothing but the files is left.
  void Restart() {
    agent.reset();
    audit.reset();
    worker.requests.clear();
    Start();
  }

  void Receive(Message message, Bytes payload = {}) {
    agent->OnMessage({std::move(message), std::make_shared<const Bytes>(std::move(payload))});
    agent->Advance();
  }
  void Propose(const RunOffer& offer) {
    const std::string text = offer.ToJsonText();
    RunProposal proposal;
    proposal.run = run;
    proposal.plan_hash = Plan::FromCanonicalText(offer.plan).value().Hash();
    Receive(proposal, Bytes(text.begin(), text.end()));
  }
  void Reply(WorkerReply reply) {
    agent->OnWorkerReply(std::move(reply));
    agent->Advance();
  }
  ReviewReply GoodReview() const {
    ReviewReply review;
    review.plan_matches = true;
    review.explanation = "{}";
    for (auto& reading : review.epsilon) reading = {1.99, 3.0, 4.0};
    return review;
  }
  void ProposeAndReview(const RunOffer& offer) {
    Propose(offer);
    Reply(GoodReview());
  }
  Plan PlanOf() const { return Plan::FromCanonicalText(Record().offer.plan).value(); }
  const SiteRunRecord& Record() const { return *agent->context().state.runs().Find(run); }
  std::uint64_t LedgerRows() const { return agent->context().state.ledger().rows(); }

  QueryAsk AskOf(std::uint32_t query, std::uint32_t attempt = 0) const {
    QueryAsk ask;
    ask.name = {run, query, attempt};
    ask.kind = QueryKind::kHistogram;
    ask.seconds_left = 60.0;
    return ask;
  }
  Bytes WordsOf(std::uint8_t value) const {
    const Plan plan = PlanOf();
    const PlanEntry& entry = plan.entries()[0];
    return Bytes(entry.dimension * (entry.word_bits / 8), value);
  }
  // Lets time slots end.
  void Wait(double seconds = 1.0) {
    clock.seconds += seconds;
    agent->Advance();
  }
  // Asks, opens the records where that is asked, and answers with `value` in every byte.
  void AskAndCompute(std::uint32_t query, std::uint32_t attempt, std::uint8_t value) {
    Receive(AskOf(query, attempt));
    if (worker.Last<OpenSiteRequest>() != nullptr) Reply(OpenSiteReply{"200 rows"});
    Reply(AnswerReply{{run, query, attempt}, WordsOf(value)});
    Wait();
  }

  std::string kit;
  HandClock clock;
  WatchedPoints fail_points;
  OperatingSystemStreams secrets;
  std::optional<WitnessPort> witness = WitnessPort();  // nothing: the agent's own, heads of ledgers
  PlayedCoordinator coordinator;
  PlayedWorker worker;
  std::unique_ptr<EventLog> log;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<SiteAgent> agent;
  RunId run{{1, 2, 3}};
};

}  // namespace synod::testing
