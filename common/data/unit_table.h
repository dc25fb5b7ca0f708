// The privacy units over a table: who is added or removed between neighbouring data sets, and which rows are theirs.
//
// Record level: every row is a unit, its id is its row number. Subject level: the rows with the same subject id are one
// unit (in the order of their first rows); of a subject with more rows than the public cap the first ones count. Taking
// a subject away takes away its unit and changes no other one.
//
// Threads: immutable, safe to read from many. Ids and numbers of rows are secret.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/core/result.h"
#include "common/data/table.h"

namespace synod {

class UnitTable {
 public:
  static constexpr std::uint32_t kMaxRowsPerSubject = 1u << 20;

  static UnitTable Records(std::shared_ptr<const Table> table);
  // Fails where the table has no subject ids or the cap is not in [1, kMaxRowsPerSubject].
  static Result<UnitTable> Subjects(std::shared_ptr<const Table> table, std::uint32_t max_rows_per_subject);

  std::size_t size() const { return ids_.size(); }
  std::uint64_t id(std::size_t unit) const { return ids_[unit]; }
  // Row numbers in table(), at least one, ascending.
  std::span<const std::uint32_t> rows(std::size_t unit) const {
    return std::span(rows_).subspan(offsets_[unit], offsets_[unit + 1] - offsets_[unit]);
  }
  const Table& table() const { return *table_; }
  std::uint32_t max_rows_per_unit() const { return max_rows_per_unit_; }  // the public cap; 1 for records

 private:
  UnitTable() = default;
  std::shared_ptr<const Table> table_;
  std::vector<std::uint64_t> ids_;
  std::vector<std::uint32_t> offsets_;  // into rows_, one more than units
  std::vector<std::uint32_t> rows_;
  std::uint32_t max_rows_per_unit_ = 1;
};

}  // namespace synod
