#include "common/data/unit_table.h"

#include <fmt/format.h>

#include <numeric>
#include <unordered_map>

#include "common/data/csv_limits.h"

namespace synod {

UnitTable UnitTable::Records(std::shared_ptr<const Table> table) {
  SYNOD_CHECK(table != nullptr && table->rows() <= kCsvMaxRows, "row numbers fit 32 bits");
  UnitTable units;
  units.ids_.resize(table->rows());
  units.rows_.resize(table->rows());
  units.offsets_.resize(table->rows() + 1);
  std::iota(units.ids_.begin(), units.ids_.end(), 0u);
  std::iota(units.rows_.begin(), units.rows_.end(), 0u);
  std::iota(units.offsets_.begin(), units.offsets_.end(), 0u);
  units.table_ = std::move(table);
  return units;
}

Result<UnitTable> UnitTable::Subjects(std::shared_ptr<const Table> table, std::uint32_t max_rows_per_subject) {
  SYNOD_CHECK(table != nullptr && table->rows() <= kCsvMaxRows, "row numbers fit 32 bits");
  if (max_rows_per_subject < 1 || max_rows_per_subject > kMaxRowsPerSubject) {
    return BadInput(fmt::format("the cap on rows per subject must be between 1 and {}", kMaxRowsPerSubject));
  }
  const std::vector<std::uint64_t>& subjects = table->subjects();
  if (table->schema().subject() < 0 || subjects.size() != table->rows()) {
    return BadInput("the table has no subject column, so that its units cannot be subjects",
                    "give the column that names the subject role = \"subject\" in the schema");
  }
  UnitTable units;
  std::unordered_map<std::uint64_t, std::uint32_t> unit_of;
  std::vector<std::uint32_t> sizes;
  for (const std::uint64_t subject : subjects) {
    const auto [entry, is_new] = unit_of.emplace(subject, static_cast<std::uint32_t>(sizes.size()));
    if (is_new) {
      units.ids_.push_back(subject);
      sizes.push_back(0);
    }
    std::uint32_t& size = sizes[entry->second];
    if (size < max_rows_per_subject) ++size;
  }
  units.offsets_.assign(1, 0);
  for (const std::uint32_t size : sizes) units.offsets_.push_back(units.offsets_.back() + size);
  units.rows_.resize(units.offsets_.back());
  std::vector<std::uint32_t> filled(sizes.size(), 0);
  for (std::size_t row = 0; row < subjects.size(); ++row) {
    const std::uint32_t unit = unit_of.find(subjects[row])->second;
    if (filled[unit] == sizes[unit]) continue;
    units.rows_[units.offsets_[unit] + filled[unit]++] = static_cast<std::uint32_t>(row);
  }
  units.max_rows_per_unit_ = max_rows_per_subject;
  units.table_ = std::move(table);
  return units;
}

}  // namespace synod
