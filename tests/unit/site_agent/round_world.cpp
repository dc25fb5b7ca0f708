#include "tests/unit/site_agent/round_world.h"

#include "common/crypto/sha256.h"

namespace synod::testing {
namespace {

DatasetId DatasetOf(std::size_t site) {
  DatasetId dataset;
  dataset.bytes.fill(static_cast<std::uint8_t>(site + 1));
  return dataset;
}

}  // namespace

RoundWorld::RoundWorld(std::shared_ptr<const Plan> plan, std::uint64_t seed, WorldOptions options)
    : plan_(std::move(plan)),
      options_(options),
      random_(seed),
      writes_(seed, options.disk_percent),
      trainer_(plan_, log_),
      spares_(seed % 3 == 0) {
  run_.bytes.fill(7);
  sites_.reserve(plan_->sites());  // rounds point to the ledgers beside them
  for (std::size_t i = 0; i < plan_->sites(); ++i) {
    Site site;
    site.name = plan_->facts().roster[i].id;
    if (options_.sqlite) {
      site.disk = std::make_unique<SqliteSiteDisk>(DatasetOf(i), run_);
    } else {
      site.disk = std::make_unique<MemorySiteDisk>(writes_);
    }
    sites_.push_back(std::move(site));
    StartSite(sites_.back());
  }
  if (options_.sqlite) {
    disk_ = std::make_unique<SqliteCoordinatorDisk>(run_);
  } else {
    disk_ = std::make_unique<MemoryCoordinatorDisk>(writes_);
  }
}

// ---- Processes.

void RoundWorld::StartSite(Site& site) {
  const auto index = static_cast<std::size_t>(site.name.back() - 'a');
  site.round.reset();
  site.computing.reset();
  site.disk->Reopen();
  site.ledger.emplace(Ledger::Open(site.disk->rows()).value());
  Result<SiteRound> round = SiteRound::Begin({plan_, run_, DatasetOf(index)}, *site.ledger, site.disk->answers(),
                                             site.disk->rows().Load().value());
  ASSERT_TRUE(round.ok()) << round.error().message;
  site.round.emplace(std::move(*round));
}

void RoundWorld::StartCoordinator() {
  round_.reset();
  disk_->Reopen();
  ledger_.emplace(Ledger::Open(disk_->rows()).value());
  RoundHistory history{disk_->rows().Load().value(), disk_->attempts(), 0};
  trainer_ = TestTrainer(plan_, log_);
  trainer_.uses_spares = spares_;
  if (!checkpoints_.empty() && random_() % 2 == 0) {
    const auto& [trained_queries, trainer] = checkpoints_[random_() % checkpoints_.size()];
    history.trained_queries = trained_queries;
    trainer_ = trainer;
  }
  Result<CoordinatorRound> restored =
      CoordinatorRound::Restore(plan_, run_, {*ledger_, disk_->rounds()}, std::move(history));
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  round_.emplace(std::move(*restored));
  Take(round_->Start());
}

void RoundWorld::Restart() {
  ++restarts_;
  const std::size_t who = random_() % (sites_.size() + 1);
  if (who == sites_.size()) return StartCoordinator();
  StartSite(sites_[who]);
}

// ---- The coordinator's driver.

CoordinatorRound::Action RoundWorld::Train(const CoordinatorRound::Train& train) {
  if (train.sum != nullptr) {
    CheckSum(train);
    EXPECT_TRUE(trainer_.Absorb(*train.answered, *train.sum).ok());
    for (std::size_t site = 0; site < sites_.size(); ++site) {
      network_.push_back(ToSite{site, nullptr, {run_, train.answered->index, 0}});
    }
  }
  if (random_() % 4 == 0) checkpoints_.emplace_back(train.trained_queries, trainer_);
  return round_->OnTrained(trainer_.Next(train.left));
}

void RoundWorld::Take(std::optional<CoordinatorRound::Action> action) {
  while (action && std::holds_alternative<CoordinatorRound::Train>(*action)) {
    const auto train = std::get<CoordinatorRound::Train>(*action);
    action = Train(train);
  }
  if (!action) return;
  if (std::holds_alternative<CoordinatorRound::Ask>(*action)) return AskMissing();
  if (const auto* gave_up = std::get_if<CoordinatorRound::GaveUp>(&*action)) {
    // Checkpoints were made in memory: only a disk that fails is a reason to go on.
    if (gave_up->resumable) return StartCoordinator();
    EXPECT_NE(gave_up->error.message.find("no further attempt"), std::string::npos) << gave_up->error.message;
  } else {
    finished_ = true;
  }
  ended_ = true;
}

void RoundWorld::AskMissing() {
  const CoordinatorRound::Ask* open = round_->open();
  if (open == nullptr) return;
  const std::vector<std::string> missing = round_->missing();
  for (std::size_t site = 0; site < sites_.size(); ++site) {
    const bool asked = std::find(missing.begin(), missing.end(), sites_[site].name) != missing.end();
    if (asked) network_.push_back(ToSite{site, open->query, open->name});
  }
}

// ---- The sites' driver.

Bytes RoundWorld::ComputedAnswer(std::size_t site, const QueryName& name) {
  const std::string fresh = options_.fresh_answers ? std::to_string(++computations_) : "";
  const Digest digest = Sha256(AsBytes(std::to_string(site) + "/" + NameText(name) + "/" + fresh));
  return {digest.begin(), digest.begin() + 16};  // four words of 32 bits
}

void RoundWorld::FinishComputation(std::size_t site) {
  if (!sites_[site].computing) return;
  const QueryName name = std::exchange(sites_[site].computing, std::nullopt)->name;
  OnSiteAction(site, sites_[site].round->OnComputed(name, ComputedAnswer(site, name)));
}

void RoundWorld::OnSiteAction(std::size_t site, const SiteRound::Action& action) {
  if (const auto* compute = std::get_if<SiteRound::Compute>(&action)) sites_[site].computing = *compute;
  if (const auto* send = std::get_if<SiteRound::Send>(&action)) {
    CheckSent(site, *send);
    network_.push_back(ToCoordinator{site, send->name, send->answer});
  }
  if (const auto* refuse = std::get_if<SiteRound::Refuse>(&action)) {
    // A charge that could not be written: the site looks at its disk again, or says so.
    if (refuse->reason == RefusalReason::kLedgerUnavailable && random_() % 2 == 0) return StartSite(sites_[site]);
    network_.push_back(ToCoordinator{site, refuse->name, nullptr});
  }
}

// ---- The network.

void RoundWorld::Deliver(const Message& message) {
  if (const auto* to_site = std::get_if<ToSite>(&message)) {
    SiteRound& round = *sites_[to_site->site].round;
    if (to_site->query == nullptr) {
      EXPECT_TRUE(round.OnQueryClosed(to_site->name.query).ok());
      return;
    }
    return OnSiteAction(to_site->site, round.OnQuery(to_site->query, to_site->name));
  }
  const auto& answer = std::get<ToCoordinator>(message);
  const std::string& name = sites_[answer.site].name;
  Take(answer.answer != nullptr ? round_->OnAnswer(name, answer.name, ByteView(*answer.answer))
                                : round_->OnRefusal(name, answer.name, RefusalReason::kReplayed));
}

void RoundWorld::DeliverOne(bool trouble) {
  if (network_.empty()) return;
  const std::size_t at = trouble ? random_() % network_.size() : 0;
  const Message message = network_[at];
  const bool stays = trouble && random_() % 100 < options_.repeat_percent;
  if (!stays) network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(at));
  if (trouble && random_() % 100 < options_.loss_percent) return;
  Deliver(message);
}

void RoundWorld::TroubledStep() {
  if (random_() % 100 < options_.restart_percent) return Restart();
  if (random_() % 100 < options_.deadline_percent) return Take(round_->OnDeadline());
  switch (random_() % 8) {
    case 0:
      return AskMissing();
    case 1: {
      Site& site = sites_[random_() % sites_.size()];
      if (options_.restart_percent == 0) return;
      site.round->Abandon();
      return site.computing.reset();
    }
    case 2:
    case 3:
      return FinishComputation(random_() % sites_.size());
    default:
      return DeliverOne(/*trouble=*/true);
  }
}

void RoundWorld::CalmStep() {
  if (!network_.empty()) return DeliverOne(/*trouble=*/false);
  bool computed = false;
  for (std::size_t site = 0; site < sites_.size(); ++site) {
    computed |= sites_[site].computing.has_value();
    FinishComputation(site);
  }
  if (computed) return;
  AskMissing();
  const std::size_t asked = network_.size();
  while (!network_.empty() && !ended_) DeliverOne(/*trouble=*/false);
  bool works = false;
  for (const Site& site : sites_) works |= site.computing.has_value();
  // Whoever is still missing has nothing to say.
  if (!works && !ended_ && asked > 0) Take(round_->OnDeadline());
}

void RoundWorld::Run() {
  StartCoordinator();
  for (int step = 0; step < options_.steps && !ended_; ++step) TroubledStep();
  writes_.Heal();
  for (int step = 0; step < 5'000 && !ended_; ++step) CalmStep();
  EXPECT_TRUE(ended_) << "the run hangs";
  CheckEnd();
}

bool RoundWorld::lost_an_attempt() const {
  for (const ParticipationRow& row : round_->participation().rows()) {
    if (!row.completed || row.attempt > 0 || row.answered.size() < sites_.size()) return true;
  }
  return false;
}

// ---- The promises.

bool RoundWorld::Charged(std::size_t site, const QueryName& name, std::optional<std::uint32_t> entry) {
  const std::vector<LedgerRow> rows = sites_[site].disk->rows().Load().value();
  return std::any_of(rows.begin(), rows.end(), [&](const LedgerRow& row) {
    return row.charge.name == name && (!entry || row.charge.entry == *entry);
  });
}

void RoundWorld::CheckSent(std::size_t site, const SiteRound::Send& send) {
  EXPECT_TRUE(Charged(site, send.name)) << "an answer left before its charge";
  const auto [first, fresh] = left_.emplace(std::make_pair(site, send.name), *send.answer);
  EXPECT_EQ(first->second, *send.answer) << "two answers under one name";
  if (!fresh) ++stored_answers_sent_;
}

void RoundWorld::CheckSum(const CoordinatorRound::Train& train) {
  const PlanEntry& entry = plan_->entries()[train.answered->entry];
  SumAccumulator total(GridOfEntry(entry), WordBits::k32);
  const std::vector<AttemptRecord> attempts = disk_->attempts();
  for (const AttemptRecord& attempt : attempts) {
    if (!attempt.completed || attempt.name.query != train.answered->index) continue;
    for (const std::uint32_t site : attempt.answered) {
      EXPECT_TRUE(total.AddEncoded(left_.at({site, attempt.name})).ok());
    }
  }
  EXPECT_EQ(train.sum->answers(), total.answers());
  EXPECT_EQ(train.sum->words(), std::move(total).Finish().words()) << "the sum is not that of the answers that left";
}

void RoundWorld::CheckEnd() {
  const Participation& participation = round_->participation();
  EXPECT_TRUE(participation.CheckAgainst(*plan_).ok());
  EXPECT_EQ(participation.UsedOfEntries(plan_->entries().size()), round_->used());
  const std::vector<LedgerRow> charged = disk_->rows().Load().value();
  const std::vector<AttemptRecord> attempts = disk_->attempts();
  EXPECT_EQ(charged.size(), attempts.size());
  for (const AttemptRecord& attempt : attempts) {
    for (const std::uint32_t site : attempt.answered) {
      EXPECT_TRUE(Charged(site, attempt.name, attempt.entry)) << "an answer counts that no ledger of a site knows";
    }
  }
  for (std::uint32_t site = 0; site < sites_.size(); ++site) {
    EXPECT_TRUE(VerifyChain(sites_[site].disk->rows().Load().value()).ok());
    const std::vector<std::uint64_t> answered = participation.AnsweredBy(site, plan_->entries().size());
    std::vector<std::uint64_t> rows(plan_->entries().size(), 0);
    const std::vector<LedgerRow> own = sites_[site].disk->rows().Load().value();
    for (const LedgerRow& row : own) ++rows[row.charge.entry];
    for (std::size_t e = 0; e < plan_->entries().size(); ++e) {
      EXPECT_LE(rows[e], plan_->entries()[e].allowed()) << "charged more than the plan allows";
      EXPECT_LE(answered[e], rows[e]);
    }
  }
}

}  // namespace synod::testing
