// Spend before send: the only way to a SpendPermit is a row that is durable in the ledger, and whoever gives an answer
// takes one.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/ledger_chain.h"
#include "common/privacy/ledger_store.h"

namespace synod {

// Proof that one answer is charged. Move-only: it is used up by the answer that it pays for.
class SpendPermit {
 public:
  SpendPermit(SpendPermit&&) = default;
  SpendPermit& operator=(SpendPermit&&) = default;
  SpendPermit(const SpendPermit&) = delete;
  SpendPermit& operator=(const SpendPermit&) = delete;

  const LedgerRow& row() const { return row_; }
  const QueryName& name() const { return row_.charge.name; }

 private:
  friend class Ledger;
  explicit SpendPermit(LedgerRow row) : row_(std::move(row)) {}
  LedgerRow row_;
};

// One owner at a time; not thread-safe. The store must outlive it.
class Ledger {
 public:
  // Loads and verifies the chain; `witnessed_head` is what the ledger must end at, if somebody remembers.
  static Result<Ledger> Open(LedgerStore& store, const std::optional<Digest>& witnessed_head = {});

  // Appends durably, then permits. Refused for an answer that was charged before under the same name, and while the
  // ledger is frozen. When the store fails there is no permit, and the next call first loads the ledger again, since
  // the row may be there.
  Result<SpendPermit> Spend(const LedgerCharge& charge);

  // No charge is made until a restoration, for `why`: the ledger lost rows.
  void Freeze(Error why) { frozen_ = std::move(why); }
  const std::optional<Error>& frozen() const { return frozen_; }
  // Appends the row durably and thaws. An error leaves the ledger frozen; the row may be there after all, which the
  // next start finds out.
  Status Restore(const LedgerRestoration& restoration);

  const Digest& head() const { return chain_.head(); }
  std::uint64_t rows() const { return chain_.rows(); }
  const LedgerChain& chain() const { return chain_; }
  // What the ledger is called now.
  LedgerId id() const { return restorations_.empty() ? store_->FirstId() : restorations_.back().restoration.ledger; }
  struct Restored {
    std::uint64_t row = 0;
    LedgerRestoration restoration;
  };
  const std::vector<Restored>& restorations() const { return restorations_; }

 private:
  using ChargedName = std::pair<DatasetId, QueryName>;

  explicit Ledger(LedgerStore& store) : store_(&store) {}
  Status Reload(const std::optional<Digest>& expected_head);
  Status AppendDurably(const LedgerRow& row);

  LedgerStore* store_;
  LedgerChain chain_;
  std::set<ChargedName> charged_;
  std::vector<Restored> restorations_;
  std::optional<Error> frozen_;
  bool must_reload_ = false;
};

}  // namespace synod
