// Turns the text of a cell into a value of its column, or names the rule that it breaks.
//
// Blanks around a cell do not count; an empty cell is a missing one, and nothing else is. Numbers: decimal digits with
// an optional sign, fraction (a point, no comma) and exponent, never grouped. An integer may be written "12.0". A
// category is matched as it is written; a cell that is a number also matches the one category of the same numeric value
// ("1.0" and "01" match "1"). Dates: date_time.h.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>

#include "common/data/load_report.h"
#include "common/data/schema.h"

namespace synod {

class CellReader {
 public:
  struct Cell {
    double number = 0.0;     // numeric columns; NaN = missing. Also set (unclamped) for kOutOfRange
    std::uint16_t code = 0;  // the others; values.size() = missing
    bool ok = true;
    CellRule rule = CellRule::kMissing;  // where not ok
  };

  // `column` must be modelled and outlive the reader.
  explicit CellReader(const Column& column);
  Cell Read(std::string_view text) const;

 private:
  Cell ReadNumber(std::string_view text) const;
  Cell ReadDate(std::string_view text) const;
  Cell ReadCategory(std::string_view text) const;
  Cell InRange(double number) const;

  const Column* column_;
  bool whole_days_ = false;
  std::unordered_map<std::string_view, std::uint16_t> by_text_;
  std::map<double, std::uint16_t> by_number_;  // categories that are numbers, where the number is unique
};

// Without blanks and tabs at both ends.
std::string_view Trimmed(std::string_view text);

}  // namespace synod
