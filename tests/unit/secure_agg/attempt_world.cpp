#include "tests/unit/secure_agg/attempt_world.h"

#include <fmt/format.h>

#include "common/crypto/aes_ctr.h"
#include "common/crypto/sha256.h"
#include "common/query/words.h"
#include "secure_agg/codec.h"
#include "secure_agg/mask_stream.h"
#include "tests/support/deterministic_random.h"

namespace synod::secure_agg::testing {
namespace {

Digest Named(std::string_view what, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0) {
  Sha256Hasher hasher;
  hasher.Update(what);
  for (const std::uint64_t number : {a, b, c, d}) hasher.UpdateLittleEndian64(number);
  return hasher.Finish();
}

}  // namespace

AttemptWorld::AttemptWorld(WorldOptions options) : options_(options) {
  if (options_.threshold == 0) options_.threshold = 2 * options_.sites / 3 + 1;
  if (options_.quorum == 0) options_.quorum = options_.threshold;
  while (2 * options_.threshold <= options_.sites + options_.max_colluding) --options_.max_colluding;
  for (SiteIndex site = 0; site < options_.sites; ++site) {
    auto home = std::make_unique<SiteHome>();
    home->key = std::make_shared<const SigningKey>(*SigningKey::FromSeed(Named("key", options_.seed, site)));
    home->ledger = std::make_unique<Ledger>(*Ledger::Open(home->ledger_store));
    homes_.push_back(std::move(home));
  }
}

AttemptFacts AttemptWorld::Facts(std::uint32_t attempt, std::uint32_t query) const {
  AttemptFacts facts;
  for (SiteIndex site = 0; site < options_.sites; ++site) {
    facts.roster.push_back({fmt::format("site-{:03}", site), homes_[site]->key->public_key()});
  }
  facts.threshold = options_.threshold;
  facts.quorum = options_.quorum;
  facts.max_colluding = options_.max_colluding;
  facts.bits = options_.bits;
  facts.dimension = options_.dimension;
  facts.name.run.bytes.fill(static_cast<std::uint8_t>(options_.seed));
  facts.name.query = query;
  facts.name.attempt = attempt;
  facts.plan_hash = Named("plan", 1);
  facts.query_hash = Named("query", query);
  return facts;
}

std::shared_ptr<const AttemptSetup> AttemptWorld::Setup(std::uint32_t attempt, std::uint32_t query) const {
  return std::make_shared<const AttemptSetup>(*AttemptSetup::Create(Facts(attempt, query)));
}

SiteSelf AttemptWorld::Self(SiteIndex site, std::shared_ptr<const AttemptSetup> setup) const {
  return {std::move(setup), site, homes_[site]->key};
}

SecretRandom AttemptWorld::Random() {
  return SecretRandomForTestsOnly::FromText(fmt::format("world {} {}", options_.seed, streams_++));
}

Bytes AttemptWorld::InputOf(SiteIndex site, const QueryName& name) const {
  Bytes words(options_.dimension * WordBytes(options_.bits));
  AesCtrStream(Named("input", options_.seed, site, name.query, name.attempt)).Keystream(words);
  return words;
}

UnmaskedWords AttemptWorld::Unmasked(SiteIndex site, const QueryName& name) const {
  return *UnmaskedWords::FromLocalPair(InputOf(site, name), options_.bits, options_.dimension);
}

std::optional<SpendPermit> AttemptWorld::Charge(SiteIndex site, const QueryName& name) {
  LedgerCharge charge;
  charge.name = name;
  charge.plan_hash = Facts().plan_hash;
  charge.event = PrivacyEvent{1.0, 1.0, 1};
  Result<SpendPermit> permit = homes_[site]->ledger->Spend(charge);
  if (!permit.ok()) return std::nullopt;
  return std::move(*permit);
}

Bytes AttemptWorld::SumOf(const std::vector<SiteIndex>& survivors, const QueryName& name) const {
  Bytes sum(options_.dimension * WordBytes(options_.bits));
  for (const SiteIndex site : survivors) AddWordsInPlace(sum, InputOf(site, name), options_.bits);
  return sum;
}

DirectAttempt::DirectAttempt(AttemptWorld& world, std::uint32_t attempt)
    : world_(world), setup_(world.Setup(attempt)), server_(std::make_unique<ServerAttempt>(setup_)) {
  for (SiteIndex site = 0; site < world.sites(); ++site) {
    sites_.push_back(std::make_unique<SiteAttempt>(world.Self(site, setup_), world.Random(), Bytes{1, 2, 3},
                                                   world.home(site).promises));
  }
}

bool DirectAttempt::IsExact() const {
  return sum_ && sum_->answers() == survivors_.size() && sum_->words() == world_.SumOf(survivors_, setup_->name());
}

void DirectAttempt::Run() {
  Do(server_->Start());
  for (SiteIndex site = 0; site < world_.sites(); ++site) Do(site, sites_[site]->Start());
  Settle();
  for (int deadline = 0; deadline < 8 && !server_->ended(); ++deadline) {
    Do(server_->OnPhaseDeadline());
    Settle();
  }
}

void DirectAttempt::Settle() {
  while (!queue_.empty()) {
    const std::vector<std::function<void()>> due = std::exchange(queue_, {});
    for (const auto& event : due) event();
  }
}

void DirectAttempt::Do(ServerActions actions) {
  for (ServerAction& action : actions) {
    if (auto* send = std::get_if<SendToSite>(&action)) {
      const SiteIndex to = send->site;
      std::optional<CoordinatorMessage> message = *send->message;
      if (to_site) message = to_site(to, std::move(*message));
      if (message) queue_.push_back([this, to, m = *message] { Do(to, sites_[to]->OnMessage(m)); });
    } else if (auto* blamed = std::get_if<Blamed>(&action)) {
      blames_.push_back(blamed->blame);
    } else if (std::holds_alternative<ReadyToOpen>(action)) {
      queue_.push_back([this] { Do(server_->Open(2)); });
    } else if (auto* opened = std::get_if<Opened>(&action)) {
      sum_ = std::move(opened->sum);
      survivors_ = opened->survivors;
    } else if (auto* failure = std::get_if<Failure>(&action)) {
      failure_ = *failure;
    }
  }
}

void DirectAttempt::Deliver(SiteIndex from, const SiteMessage& message) {
  std::optional<SiteMessage> arriving = message;
  if (from_site) arriving = from_site(from, std::move(*arriving));
  if (!arriving) return;
  const Result<SiteMessage> decoded = DecodeSiteMessage(Encode(*arriving));
  if (decoded.ok()) queue_.push_back([this, from, m = *decoded] { Do(server_->OnMessage(from, m)); });
}

void DirectAttempt::Upload(SiteIndex site, std::uint32_t first) {
  for (std::uint32_t i = first; i < sites_[site]->chunks(); ++i) {
    const MaskedChunk piece = sites_[site]->Chunk(i);
    std::optional<Bytes> words = Bytes(piece.words.begin(), piece.words.end());
    if (chunk) words = chunk(site, i, std::move(*words));
    if (!words) return;
    queue_.push_back([this, site, i, w = *words] { Do(server_->OnChunk(site, {setup_->name(), i, w})); });
  }
  Deliver(site, sites_[site]->EndOfUpload());
}

void DirectAttempt::Do(SiteIndex site, SiteActions actions) {
  for (SiteAction& action : actions) {
    if (auto* send = std::get_if<SendToCoordinator>(&action)) {
      Deliver(site, send->message);
    } else if (std::holds_alternative<JudgePeers>(action)) {
      Do(site, sites_[site]->AcceptPeers());
    } else if (std::holds_alternative<NeedInput>(action)) {
      std::optional<SpendPermit> permit = world_.Charge(site, setup_->name());
      Do(site, permit ? sites_[site]->OnInput(world_.Unmasked(site, setup_->name()), std::move(*permit))
                      : sites_[site]->RefuseInput());
    } else if (auto* upload = std::get_if<SendUpload>(&action)) {
      Upload(site, upload->first_chunk);
    }
  }
}

}  // namespace synod::secure_agg::testing
