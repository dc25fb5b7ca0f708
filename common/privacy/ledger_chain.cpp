#include "common/privacy/ledger_chain.h"

#include <fmt/format.h>

#include <utility>

namespace synod {
namespace {

constexpr char kHint[] = "the ledger was changed or rolled back: restore it from a backup and have it reviewed";

}  // namespace

LedgerChain::LedgerChain() : digests_{LedgerGenesis()} {}

LedgerRow LedgerChain::Linked(LedgerRow row) const {
  row.index = rows();
  row.previous = head();
  row.hash = HashOfRow(row);
  return row;
}

LedgerRow LedgerChain::Next(const LedgerCharge& charge) const {
  LedgerRow row;
  row.charge = charge;
  return Linked(std::move(row));
}

LedgerRow LedgerChain::Next(const LedgerRestoration& restoration) const {
  LedgerRow row;
  row.restored = restoration;
  return Linked(std::move(row));
}

Status LedgerChain::Extend(const LedgerRow& row) {
  const auto broken = [&](std::string_view what) {
    return VerificationFailed(fmt::format("ledger row {}: {}", rows(), what), kHint);
  };
  if (row.index != rows()) return broken(fmt::format("row {} stands here: rows are missing or reordered", row.index));
  if (row.hash != HashOfRow(row)) return broken("its content does not match its hash");
  if (row.previous != head()) return broken("it is not linked to the row before it");
  digests_.push_back(row.hash);
  return {};
}

Result<LedgerChain> VerifyChain(std::span<const LedgerRow> rows, const std::optional<Digest>& expected_head) {
  LedgerChain chain;
  for (const LedgerRow& row : rows) SYNOD_RETURN_IF_ERROR(chain.Extend(row));
  if (expected_head && *expected_head != chain.head()) {
    return VerificationFailed(
        fmt::format("the ledger of {} rows does not end at the expected head: rows are missing at the end or were "
                    "added",
                    chain.rows()),
        kHint);
  }
  return chain;
}

}  // namespace synod
