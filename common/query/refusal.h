// Why a site gives no answer: a closed list, so that no reason can say anything about rows.
#pragma once

#include <cstdint>
#include <string_view>

namespace synod {

// The numbers are on the wire; they never change.
enum class RefusalReason : std::uint8_t {
  kOutsidePlan = 1,        // no such entry, wrong kind, or more answers than the plan allows
  kReplayed = 2,           // this query or attempt was answered or is closed
  kMalformed = 3,          // wrong number of parameters or context values
  kLedgerUnavailable = 4,  // the charge could not be made durable
};

constexpr std::string_view RefusalReasonName(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kOutsidePlan: return "outside_plan";
    case RefusalReason::kReplayed: return "replayed";
    case RefusalReason::kMalformed: return "malformed";
    case RefusalReason::kLedgerUnavailable: return "ledger_unavailable";
  }
  return "unknown";
}

}  // namespace synod
