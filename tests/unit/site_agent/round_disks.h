// Where the coordinator and the sites of a tested federation keep what must survive: in memory, with writes that fail
// now and then, or in SQLite.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "coordinator/sqlite_round_store.h"
#include "site_agent/sqlite_answer_store.h"
#include "tests/support/shared_data.h"

namespace synod::testing {

// A site's disk, or the coordinator's. Reopen is what a restart of the process does.
class SiteDisk {
 public:
  virtual ~SiteDisk() = default;
  virtual LedgerStore& rows() = 0;
  virtual AnswerStore& answers() = 0;
  virtual void Reopen() = 0;
};
class CoordinatorDisk {
 public:
  virtual ~CoordinatorDisk() = default;
  virtual LedgerStore& rows() = 0;
  virtual RoundStore& rounds() = 0;
  virtual std::vector<AttemptRecord> attempts() = 0;
  virtual void Reopen() = 0;
};

// Whether a write fails, and whether it was done all the same: a few in a hundred, by a seed.
class FlakyWrites {
 public:
  FlakyWrites(std::uint64_t seed, unsigned percent) : random_(seed), percent_(percent) {}
  enum class Outcome { kDone, kFailed, kDoneButFailed };
  Outcome Next() {
    if (random_() % 100 >= percent_) return Outcome::kDone;
    return random_() % 2 == 0 ? Outcome::kFailed : Outcome::kDoneButFailed;
  }
  // No write fails from here on.
  void Heal() { percent_ = 0; }

 private:
  std::mt19937_64 random_;
  unsigned percent_;
};

class MemorySiteDisk final : public SiteDisk, private LedgerStore, private AnswerStore {
 public:
  explicit MemorySiteDisk(FlakyWrites& writes) : writes_(writes) {}
  LedgerStore& rows() override { return *this; }
  AnswerStore& answers() override { return *this; }
  void Reopen() override { staged_.clear(); }

 private:
  Status AppendDurably(const LedgerRow& row) override {
    const FlakyWrites::Outcome outcome = writes_.Next();
    if (outcome == FlakyWrites::Outcome::kFailed) return Failed("the disk is full");
    rows_.push_back(row);
    const auto staged = staged_.find(row.charge.name);
    // Under one name there is one answer for ever: a second one would be a new entry here, and is not made.
    if (staged != staged_.end()) stored_.emplace(staged->first, std::move(staged->second));
    staged_.clear();
    if (outcome == FlakyWrites::Outcome::kDoneButFailed) return Failed("the disk is gone");
    return {};
  }
  Result<std::vector<LedgerRow>> Load() const override { return rows_; }
  void Stage(const QueryName& name, Bytes answer) override { staged_.insert_or_assign(name, std::move(answer)); }
  Result<std::optional<Bytes>> StoredAnswer(const QueryName& name) const override {
    const auto found = stored_.find(name);
    return found == stored_.end() ? std::optional<Bytes>() : std::optional<Bytes>(found->second);
  }
  Status Forget(std::uint32_t query) override {
    std::erase_if(stored_, [&](const auto& answer) { return answer.first.query <= query; });
    return {};
  }

  FlakyWrites& writes_;
  std::vector<LedgerRow> rows_;
  std::map<QueryName, Bytes> staged_;
  std::map<QueryName, Bytes> stored_;
};

class MemoryCoordinatorDisk final : public CoordinatorDisk, private LedgerStore, private RoundStore {
 public:
  explicit MemoryCoordinatorDisk(FlakyWrites& writes) : writes_(writes) {}
  LedgerStore& rows() override { return *this; }
  RoundStore& rounds() override { return *this; }
  std::vector<AttemptRecord> attempts() override { return attempts_; }
  void Reopen() override {}

 private:
  Status AppendDurably(const LedgerRow& row) override {
    const FlakyWrites::Outcome outcome = writes_.Next();
    if (outcome != FlakyWrites::Outcome::kFailed) rows_.push_back(row);
    return outcome == FlakyWrites::Outcome::kDone ? Status() : Failed("the disk is full");
  }
  Result<std::vector<LedgerRow>> Load() const override { return rows_; }
  Status AppendAttempt(const AttemptRecord& attempt, const NoisySum* sum) override {
    const FlakyWrites::Outcome outcome = writes_.Next();
    if (outcome == FlakyWrites::Outcome::kFailed) return Failed("the disk is full");
    attempts_.push_back(attempt);
    if (sum != nullptr) words_[attempt.name.query] = sum->words();
    return outcome == FlakyWrites::Outcome::kDone ? Status() : Failed("the disk is gone");
  }
  Result<Bytes> LoadWords(std::uint32_t query) const override {
    const auto found = words_.find(query);
    if (found == words_.end()) return VerificationFailed("there is no sum of this query");
    return found->second;
  }

  FlakyWrites& writes_;
  std::vector<LedgerRow> rows_;
  std::vector<AttemptRecord> attempts_;
  std::map<std::uint32_t, Bytes> words_;
};

class SqliteSiteDisk final : public SiteDisk {
 public:
  SqliteSiteDisk(DatasetId dataset, RunId run) : dataset_(dataset), run_(run) { Reopen(); }
  LedgerStore& rows() override { return *store_; }
  AnswerStore& answers() override { return *answers_; }
  void Reopen() override {
    answers_.reset();
    store_.reset();
    database_.reset();
    database_ = Database::Open(path_).value();
    store_.emplace(
        SqliteLedgerStore::Open(*database_, points_, FailPoint::kSiteBeforeCharge, FailPoint::kSiteAfterCharge)
            .value());
    answers_.emplace(*store_, dataset_, run_);
  }

 private:
  DatasetId dataset_;
  RunId run_;
  std::string path_ = TemporaryFolder() + "/site.db";
  NoFailPoints points_;
  std::unique_ptr<Database> database_;
  std::optional<SqliteLedgerStore> store_;
  std::optional<SqliteAnswerStore> answers_;
};

class SqliteCoordinatorDisk final : public CoordinatorDisk {
 public:
  explicit SqliteCoordinatorDisk(RunId run) : run_(run) { Reopen(); }
  LedgerStore& rows() override { return *ledger_; }
  RoundStore& rounds() override { return *rounds_; }
  std::vector<AttemptRecord> attempts() override { return rounds_->LoadAttempts().value(); }
  void Reopen() override {
    rounds_.reset();
    ledger_.reset();
    database_.reset();
    database_ = Database::Open(path_).value();
    ledger_.emplace(SqliteLedgerStore::Open(*database_, points_, FailPoint::kCoordinatorBeforeCharge,
                                            FailPoint::kCoordinatorAfterCharge)
                        .value());
    rounds_.emplace(SqliteRoundStore::Open(*database_, run_, points_).value());
  }

 private:
  RunId run_;
  std::string path_ = TemporaryFolder() + "/coordinator.db";
  NoFailPoints points_;
  std::unique_ptr<Database> database_;
  std::optional<SqliteLedgerStore> ledger_;
  std::optional<SqliteRoundStore> rounds_;
};

}  // namespace synod::testing
