// What went wrong, as a value: a code that decides the exit status, a message that names what and where, and a hint
// that says what to do about it.
//
// Invariant: no text of an Error contains anything derived from a record (THREAT_MODEL.md: nothing derived from a
// record is logged, put in an error text or sent).
#pragma once

#include <string>
#include <string_view>

namespace synod {

// The numbers are the exit codes of the programs; they are part of the interface and never change.
enum class ErrorCode : int {
  kFailed = 1,
  kConnection = 2,
  kTimeout = 3,
  kBadInput = 4,
  kInternal = 5,
  kRefused = 6,
  kBudgetExhausted = 7,
  kVerificationFailed = 8,
};

std::string_view ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kFailed;
  std::string message;
  std::string hint;  // may be empty

  // The same error with `context` and a colon before its message: the outer name of where it happened.
  [[nodiscard]] Error Within(std::string_view context) const;
};

Error BadInput(std::string message, std::string hint = "");
Error Failed(std::string message, std::string hint = "");
Error Refused(std::string message, std::string hint = "");
Error VerificationFailed(std::string message, std::string hint = "");
Error BudgetExhausted(std::string message, std::string hint = "");

}  // namespace synod
