// A site's agent in secure aggregation: site-a is the agent that is tested, with its real kit and database; the
// coordinator and the honest peers site-b and site-c are played by the test with the real protocol.
#pragma once

#include <deque>
#include <map>

#include "common/privacy/noise_arithmetic.h"
#include "common/query/words.h"
#include "secure_agg/codec.h"
#include "secure_agg/query_hash.h"
#include "secure_agg/server_attempt.h"
#include "tests/unit/site_agent/agent_world.h"

namespace synod::testing {

inline const RunOffer& SecureOffer() {
  static const RunOffer offer = WardOffer(2.0, "secure");
  return offer;
}

// The same run with answers of `dimension` words; nobody resolves it again, since the worker is played.
inline RunOffer SecureOfferOf(std::uint64_t dimension) {
  const Plan plan = Plan::FromCanonicalText(SecureOffer().plan).value();
  std::vector<PlanEntry> entries = plan.entries();
  const double before = entries[0].sensitivity;
  entries[0].dimension = dimension;
  entries[0].sensitivity = SensitivityOnGrid(entries[0].grid_scale, entries[0].clip, dimension);
  const double larger = entries[0].sensitivity / before;
  entries[0].site_variance =
      static_cast<std::uint64_t>(larger * larger * static_cast<double>(entries[0].site_variance)) + 1;
  RunOffer offer = SecureOffer();
  offer.plan = Plan::Create(plan.facts(), entries).value().CanonicalText();
  return offer;
}

// A peer and what it puts in.
class PlayedPeer {
 public:
  PlayedPeer(std::shared_ptr<const secure_agg::AttemptSetup> setup, secure_agg::SiteIndex index, const Trust& trust)
      : setup_(setup),
        attempt_({setup, index, std::make_shared<const SigningKey>(trust.LoadSigningKey().value())},
                 SecretRandom::FromOperatingSystem(), Bytes{static_cast<std::uint8_t>(index)}, promises_) {}

  secure_agg::SiteAttempt& attempt() { return attempt_; }
  UnmaskedWords Words(std::uint8_t value) const {
    return UnmaskedWords::FromLocalPair(Bytes(setup_->vector_bytes(), value), setup_->facts().bits,
                                        setup_->facts().dimension)
        .value();
  }
  SpendPermit Permit(const PrivacyEvent& event) {
    return ledger_.Spend({DatasetId{}, setup_->name(), setup_->facts().plan_hash, 0, event}).value();
  }

 private:
  std::shared_ptr<const secure_agg::AttemptSetup> setup_;
  secure_agg::InMemoryPromises promises_;
  InMemoryLedgerStore rows_;
  Ledger ledger_ = Ledger::Open(rows_).value();
  secure_agg::SiteAttempt attempt_;
};

class MaskedWorld : public AgentWorld {
 public:
  static constexpr std::uint8_t kOwnByte = 7;  // of every word of this site, of site-b and of site-c
  static constexpr std::uint8_t kPeerBytes[] = {1, 2};

  explicit MaskedWorld(const RunOffer& offer = SecureOffer(), const std::string& policy = kWardPolicy)
      : AgentWorld(policy) {
    ProposeAndReview(offer);
  }

  // What everybody agrees on, made from the manifest of a peer.
  std::shared_ptr<const secure_agg::AttemptSetup> SetUpOf(const QueryName& name) const {
    const Trust trust = TrustOf("site-b");
    const Plan plan = PlanOf();
    secure_agg::AttemptFacts facts;
    for (const Member* member : trust.manifest().WithRole(Role::kSite)) {
      facts.roster.push_back({member->identity.name, member->signing_key});
    }
    facts.threshold = plan.facts().threshold;
    facts.quorum = plan.facts().quorum;
    facts.max_colluding = plan.facts().max_colluding;
    facts.bits = WordBitsFromNumber(plan.entries()[0].word_bits).value();
    facts.dimension = plan.entries()[0].dimension;
    facts.name = name;
    facts.plan_hash = Record().plan_hash;
    Query query;
    query.index = name.query;
    facts.query_hash = secure_agg::HashOfQuery(query);
    return std::make_shared<const secure_agg::AttemptSetup>(secure_agg::AttemptSetup::Create(facts).value());
  }
  Trust TrustOf(const std::string& site) const {
    return Trust::Load(WardKits().sites.at(site) + "/trust", clock).value();
  }

  // Asks this site and the peers; messages go to and fro as far as they get.
  void Ask(std::uint32_t query, std::uint32_t attempt = 0) {
    const auto setup = SetUpOf({run, query, attempt});
    server.emplace(setup);
    opened.reset();
    failure.reset();
    to_site.clear();
    peers.clear();
    Take(server->Start());
    for (const secure_agg::SiteIndex index : {1U, 2U}) {
      peers.push_back(std::make_unique<PlayedPeer>(setup, index, TrustOf(index == 1 ? "site-b" : "site-c")));
      PeerDoes(index, peers.back()->attempt().Start());
    }
    Receive(AskOf(query, attempt));
    Route();
  }
  // What the worker of this site found.
  void Compute(std::uint32_t query, std::uint32_t attempt = 0) {
    if (worker.Last<OpenSiteRequest>() != nullptr) Reply(OpenSiteReply{"200 rows"});
    Reply(AnswerReply{{run, query, attempt}, WordsOf(kOwnByte)});
    Route();
  }
  // The time slot ends.
  void EndSlot() {
    Wait(0.06);
    Route();
  }
  void AskComputeAndSend(std::uint32_t query, std::uint32_t attempt = 0) {
    Ask(query, attempt);
    Compute(query, attempt);
    EndSlot();
  }

  // Hands on what waits on both sides, while `held` does not say otherwise.
  void Route() {
    for (bool moved = true; moved;) {
      moved = false;
      for (; routed < coordinator.sent.size(); moved = true) FromSite(coordinator.sent[routed++]);
      if (!to_site.empty() && !(held && held(to_site.front()))) {
        const secure_agg::CoordinatorMessage message = std::move(to_site.front());
        to_site.pop_front();
        Step(message);
        moved = true;
      }
    }
  }
  void Step(const secure_agg::CoordinatorMessage& message) {
    Receive(AggregationStep{message.name}, secure_agg::Encode(message));
  }

  std::size_t Steps() const { return coordinator.Count<AggregationStep>(); }
  std::size_t Chunks() const { return coordinator.Count<AggregationChunk>(); }
  // The newest body of a type that this site sent.
  template <typename Body>
  std::optional<Body> LastStep() const {
    for (auto envelope = coordinator.sent.rbegin(); envelope != coordinator.sent.rend(); ++envelope) {
      if (!std::holds_alternative<AggregationStep>(envelope->message)) continue;
      const secure_agg::SiteMessage message = secure_agg::DecodeSiteMessage(*envelope->payload).value();
      if (const auto* body = std::get_if<Body>(&message.body)) return *body;
    }
    return std::nullopt;
  }
  bool SumIsExact() const {
    const std::uint8_t sum = kOwnByte + kPeerBytes[0] + kPeerBytes[1];
    return opened && *opened == Bytes(server->setup().vector_bytes(), sum);
  }
  Database& database() const { return agent->context().state.database(); }
  bool HasPromise(std::uint32_t query, std::uint32_t attempt = 0) const {
    return agent->context().state.promises().Has({run, query, attempt}).value();
  }
  // From here on a table takes no row, as on a full disk.
  void FillDisk(const std::string& table) {
    ASSERT_TRUE(
        database()
            .Execute("CREATE TRIGGER full BEFORE INSERT ON " + table + " BEGIN SELECT RAISE(FAIL, 'disk full'); END")
            .ok());
  }
  void ClearDisk() { ASSERT_TRUE(database().Execute("DROP TRIGGER full").ok()); }
  void CutLink() {
    coordinator.connected = false;
    agent->OnLinkClosed({1, {}, {}, Failed("cut")});
  }
  void OpenLink() {
    coordinator.connected = true;
    coordinator.queued = 0;
    agent->OnLinkOpened({2, {"wards", Role::kCoordinator, "coordinator"}, {}});
    Take(server->OnReconnect(0));
    Route();
  }
  std::optional<RefusalReason> Refusal() const {
    const AnswerRefused* refused = coordinator.Last<AnswerRefused>();
    return refused == nullptr ? std::nullopt : std::optional(refused->reason);
  }

  std::optional<secure_agg::ServerAttempt> server;
  std::vector<std::unique_ptr<PlayedPeer>> peers;
  std::vector<Bytes> statements;  // that a peer was shown
  std::deque<secure_agg::CoordinatorMessage> to_site;
  std::function<bool(const secure_agg::CoordinatorMessage&)> held;
  std::size_t routed = 0;  // of coordinator.sent
  std::size_t lost_chunks_from = SIZE_MAX;
  std::optional<Bytes> opened;
  std::optional<secure_agg::Failure> failure;

 private:
  void FromSite(const Envelope& envelope) {
    if (!server || envelope.payload == nullptr) return;
    const Bytes& payload = *envelope.payload;
    if (std::holds_alternative<AggregationStep>(envelope.message)) {
      Take(server->OnMessage(0, secure_agg::DecodeSiteMessage(payload).value()));
    } else if (const auto* chunk = std::get_if<AggregationChunk>(&envelope.message)) {
      if (chunk->index < lost_chunks_from) Take(server->OnChunk(0, {chunk->name, chunk->index, payload}));
    }
  }
  void Take(secure_agg::ServerActions actions) {
    for (secure_agg::ServerAction& action : actions) {
      if (const auto* send = std::get_if<secure_agg::SendToSite>(&action)) {
        if (send->site == 0) {
          to_site.push_back(*send->message);
        } else {
          PeerDoes(send->site, peers[send->site - 1]->attempt().OnMessage(*send->message));
        }
      } else if (std::holds_alternative<secure_agg::ReadyToOpen>(action)) {
        Take(server->Open());
      } else if (auto* sum = std::get_if<secure_agg::Opened>(&action)) {
        opened = std::move(sum->sum).words();
      } else if (auto* failed = std::get_if<secure_agg::Failure>(&action)) {
        failure = *failed;
      }
    }
  }
  void PeerDoes(secure_agg::SiteIndex index, secure_agg::SiteActions actions) {
    PlayedPeer& peer = *peers[index - 1];
    for (secure_agg::SiteAction& action : actions) {
      if (const auto* send = std::get_if<secure_agg::SendToCoordinator>(&action)) {
        Take(server->OnMessage(index, send->message));
      } else if (const auto* judge = std::get_if<secure_agg::JudgePeers>(&action)) {
        for (const secure_agg::PeerStatement& peer_said : judge->statements) statements.push_back(peer_said.statement);
        PeerDoes(index, peer.attempt().AcceptPeers());
      } else if (std::holds_alternative<secure_agg::NeedInput>(action)) {
        const Plan plan = PlanOf();
        PeerDoes(index, peer.attempt().OnInput(peer.Words(kPeerBytes[index - 1]),
                                               peer.Permit(plan.entries()[0].Event(plan.honest_shares(), 1))));
      } else if (const auto* upload = std::get_if<secure_agg::SendUpload>(&action)) {
        for (std::uint32_t i = upload->first_chunk; i < peer.attempt().chunks(); ++i) {
          Take(server->OnChunk(index, peer.attempt().Chunk(i)));
        }
        Take(server->OnMessage(index, peer.attempt().EndOfUpload()));
      }
    }
  }
};

// What the coordinator says from here on does not arrive, until Release.
inline void HoldFromSurvivors(MaskedWorld& world) {
  world.held = [](const secure_agg::CoordinatorMessage& message) {
    return std::holds_alternative<secure_agg::SurvivorList>(message.body);
  };
}
inline void HoldFromShares(MaskedWorld& world) {
  world.held = [](const secure_agg::CoordinatorMessage& message) {
    return std::holds_alternative<secure_agg::ShareList>(message.body);
  };
}
inline void Release(MaskedWorld& world) {
  world.held = nullptr;
  world.Route();
}

}  // namespace synod::testing
