#include "common/core/error.h"

#include <utility>

namespace synod {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFailed:
      return "failed";
    case ErrorCode::kConnection:
      return "connection";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kBadInput:
      return "bad_input";
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kBudgetExhausted:
      return "budget_exhausted";
    case ErrorCode::kVerificationFailed:
      return "verification_failed";
  }
  return "unknown";
}

Error Error::Within(std::string_view context) const {
  return Error{code, std::string(context) + ": " + message, hint};
}

Error BadInput(std::string message, std::string hint) {
  return Error{ErrorCode::kBadInput, std::move(message), std::move(hint)};
}
Error Failed(std::string message, std::string hint) {
  return Error{ErrorCode::kFailed, std::move(message), std::move(hint)};
}
Error Refused(std::string message, std::string hint) {
  return Error{ErrorCode::kRefused, std::move(message), std::move(hint)};
}
Error VerificationFailed(std::string message, std::string hint) {
  return Error{ErrorCode::kVerificationFailed, std::move(message), std::move(hint)};
}
Error BudgetExhausted(std::string message, std::string hint) {
  return Error{ErrorCode::kBudgetExhausted, std::move(message), std::move(hint)};
}

}  // namespace synod
