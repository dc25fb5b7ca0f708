// The values of a row, one after the other, with one check at the end: a database that was changed by hand is an
// error, never a wrong value.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "common/core/result.h"
#include "common/store/database.h"

namespace synod {

class SqlRowReader {
 public:
  explicit SqlRowReader(const SqlRow& row) : row_(row) {}

  std::int64_t Integer() { return Next<std::int64_t>(); }
  double Real() { return Next<double>(); }
  std::string Text() { return Next<std::string>(); }
  Bytes Blob() { return Next<Bytes>(); }
  // A blob of exactly the size of an id or digest.
  template <typename Array>
  Array Fixed() {
    Array array{};
    const Bytes bytes = Blob();
    if (bytes.size() == array.size()) {
      std::copy(bytes.begin(), bytes.end(), array.begin());
    } else {
      good_ = false;
    }
    return array;
  }
  template <typename Identifier>
  Identifier Id() {
    return {Fixed<decltype(Identifier::bytes)>()};
  }

  // VerificationFailed unless every value was there and had its type.
  Status Finish(const std::string& what) const {
    if (good_ && next_ == row_.size()) return {};
    return VerificationFailed("the database holds " + what + " that does not follow the rules");
  }
  void Reject() { good_ = false; }

 private:
  template <typename Value>
  Value Next() {
    if (next_ < row_.size()) {
      if (const auto* value = std::get_if<Value>(&row_[next_++])) return *value;
    }
    good_ = false;
    return {};
  }

  const SqlRow& row_;
  std::size_t next_ = 0;
  bool good_ = true;
};

}  // namespace synod
