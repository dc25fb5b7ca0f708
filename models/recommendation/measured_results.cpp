#include "models/recommendation/measured_results.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "common/core/check.h"
#include "models/recommendation/measured_text.h"

namespace synod {
namespace {

constexpr std::string_view kColumns[] = {
    "data",          "rows", "columns", "numeric_columns", "family",        "variant",       "epsilon",
    "seed",          "tvd1", "tvd2",    "auroc",           "discriminator", "train_seconds", "sample_rows_per_second",
    "peak_mebibytes"};

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The cells of one line, read in order; the first that is no number is remembered.
class Cells {
 public:
  Cells(std::vector<std::string_view> cells, std::size_t line) : cells_(std::move(cells)), line_(line) {}

  std::string Text() { return std::string(cells_[next_++]); }

  template <typename Number>
  Number Value() {
    const std::string_view cell = cells_[next_++];
    Number value{};
    const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    bool good = read.ec == std::errc() && read.ptr == cell.data() + cell.size();
    if constexpr (std::is_floating_point_v<Number>) good = good && std::isfinite(value) && value >= 0.0;
    if (!good && problem_.empty()) {
      problem_ = fmt::format("line {} of the measured results: {} is no number", line_, kColumns[next_ - 1]);
    }
    return value;
  }

  const std::string& problem() const { return problem_; }

 private:
  std::vector<std::string_view> cells_;
  std::size_t line_;
  std::size_t next_ = 0;
  std::string problem_;
};

Result<MeasuredResult> ReadLine(std::string_view line, std::size_t number) {
  std::vector<std::string_view> parts = Split(line, ',');
  if (parts.size() != std::size(kColumns)) {
    return BadInput(fmt::format("line {} of the measured results has {} cells; {} belong there", number, parts.size(),
                                std::size(kColumns)));
  }
  Cells cells(std::move(parts), number);
  MeasuredResult result;
  result.data = cells.Text();
  result.rows = cells.Value<std::uint64_t>();
  result.columns = cells.Value<std::uint32_t>();
  result.numeric_columns = cells.Value<std::uint32_t>();
  result.family = cells.Text();
  result.variant = cells.Text();
  result.epsilon = cells.Value<double>();
  result.seed = cells.Value<std::uint64_t>();
  result.tvd1 = cells.Value<double>();
  result.tvd2 = cells.Value<double>();
  result.auroc = cells.Value<double>();
  result.discriminator = cells.Value<double>();
  result.train_seconds = cells.Value<double>();
  result.sample_rows_per_second = cells.Value<double>();
  result.peak_mebibytes = cells.Value<double>();
  if (!cells.problem().empty()) return BadInput(cells.problem());
  if (result.rows == 0 || result.columns == 0 || !(result.epsilon > 0.0)) {
    return BadInput(fmt::format("line {} of the measured results is of no rows, columns or epsilon", number));
  }
  return result;
}

}  // namespace

Result<std::vector<MeasuredResult>> ParseMeasuredResults(std::string_view text) {
  std::vector<MeasuredResult> results;
  std::size_t number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (number == 1) {
      if (line != fmt::format("{}", fmt::join(kColumns, ","))) {
        return BadInput("the measured results do not begin with the names of their columns");
      }
      continue;
    }
    SYNOD_ASSIGN_OR_RETURN(MeasuredResult result, ReadLine(line, number));
    results.push_back(std::move(result));
  }
  return results;
}

const std::vector<MeasuredResult>& MeasuredResults() {
  static const std::vector<MeasuredResult> results = [] {
    Result<std::vector<MeasuredResult>> parsed = ParseMeasuredResults(kMeasuredText);
    SYNOD_CHECK(parsed.ok(), "the built-in measured results can be read");
    return std::move(parsed).value();
  }();
  return results;
}

}  // namespace synod
