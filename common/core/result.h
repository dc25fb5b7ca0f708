// Result<T>: a value or an Error, which the caller must look at. Status is a Result without a value.
//
//   Result<Schema> schema = Schema::FromToml(text, "a.toml");
//   if (!schema.ok()) return schema.error();
//   Use(*schema);
//
// or, in a function that itself returns a Result:  SYNOD_ASSIGN_OR_RETURN(const Schema schema, Schema::FromToml(...));
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "common/core/check.h"
#include "common/core/error.h"

namespace synod {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const Error& error() const {
    SYNOD_CHECK(!ok(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }
  const T& value() const& {
    SYNOD_CHECK(ok(), "value() of a Result that holds an error");
    return std::get<0>(state_);
  }
  T& value() & {
    SYNOD_CHECK(ok(), "value() of a Result that holds an error");
    return std::get<0>(state_);
  }
  T&& value() && {
    SYNOD_CHECK(ok(), "value() of a Result that holds an error");
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    SYNOD_CHECK(error_.has_value(), "error() of a Status that is ok");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace synod

#define SYNOD_CONCAT_INNER(a, b) a##b
#define SYNOD_CONCAT(a, b) SYNOD_CONCAT_INNER(a, b)

// Evaluates a Result or Status and returns its error from the enclosing function, if it has one.
#define SYNOD_RETURN_IF_ERROR(expression)                \
  do {                                                   \
    auto synod_status = (expression);                    \
    if (!synod_status.ok()) return synod_status.error(); \
  } while (false)

#define SYNOD_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) return result.error();                            \
  declaration = std::move(result).value()

// Declares or assigns `declaration` from the value of a Result, or returns its error.
#define SYNOD_ASSIGN_OR_RETURN(declaration, expression) \
  SYNOD_ASSIGN_OR_RETURN_INNER(SYNOD_CONCAT(synod_result_, __LINE__), declaration, expression)
