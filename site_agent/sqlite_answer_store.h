// The answers of one run on one data set, in the ledger's database.
#pragma once

#include <utility>

#include "common/store/sqlite_ledger_store.h"
#include "site_agent/site_round.h"

namespace synod {

class SqliteAnswerStore final : public AnswerStore {
 public:
  // `ledger` is the store of the ledger that pays for the answers; it must outlive this.
  SqliteAnswerStore(SqliteLedgerStore& ledger, const DatasetId& dataset, const RunId& run)
      : ledger_(ledger), dataset_(dataset), run_(run) {}

  void Stage(const QueryName& name, Bytes answer) override { ledger_.Stage(dataset_, name, std::move(answer)); }
  Result<std::optional<Bytes>> StoredAnswer(const QueryName& name) const override {
    return ledger_.StoredAnswer(dataset_, name);
  }
  Status Forget(std::uint32_t query) override {
    ledger_.ForgetAnswersLater(dataset_, run_, query);
    return {};
  }

 private:
  SqliteLedgerStore& ledger_;
  DatasetId dataset_;
  RunId run_;
};

}  // namespace synod
