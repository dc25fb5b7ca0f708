#include "common/data/load_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <unordered_map>

#include "common/data/cell_reader.h"
#include "common/data/subject_id.h"

namespace synod {
namespace {

constexpr std::size_t kMaxListedNames = 40;

class TableLoader final : public CsvHandler {
 public:
  TableLoader(std::string path, std::shared_ptr<const Schema> schema, RowPolicy policy)
      : path_(std::move(path)), schema_(std::move(schema)), policy_(policy) {
    const std::vector<Column>& columns = schema_->columns();
    for (const Column& column : columns) {
      readers_.push_back(column.is_modelled() ? std::make_optional<CellReader>(column) : std::nullopt);
    }
    cells_.resize(columns.size());
    pending_.resize(columns.size());
    counts_.resize(columns.size());
  }

  void Cell(std::string_view text) override {
    if (!header_done_) {
      header_.emplace_back(Trimmed(text));
      return;
    }
    const std::size_t position = position_++;
    if (position >= targets_.size()) return;  // a ragged row
    const int target = targets_[position];
    if (target == kNotRead) return;
    if (target == schema_->subject()) {
      TakeSubject(text);
    } else {
      TakeCell(static_cast<std::size_t>(target), text);
    }
  }

  Status EndRow(std::uint64_t row) override {
    if (!header_done_) return MatchHeader();
    FinishRow(row);
    position_ = 0;
    issues_.clear();
    clamped_ = 0;
    return {};
  }

  Result<LoadedTable> Finish() {
    if (!header_done_) {
      return BadInput(fmt::format("{} is empty", path_), "the first row must name the columns");
    }
    report_.rows_dropped = report_.rows_read - report_.rows_kept;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      for (std::size_t rule = 0; rule < kCellRules; ++rule) {
        if (counts_[i][rule] == 0) continue;
        report_.counts[{schema_->columns()[i].name, static_cast<CellRule>(rule)}] = counts_[i][rule];
      }
    }
    if (ragged_ > 0) report_.counts[{"", CellRule::kRagged}] = ragged_;
    SYNOD_ASSIGN_OR_RETURN(Table table,
                           Table::Create(schema_, std::move(cells_), report_.rows_kept, std::move(subjects_)));
    return LoadedTable{std::move(table), std::move(report_)};
  }

 private:
  static constexpr int kNotRead = -1;
  struct Issue {
    std::size_t column;
    CellRule rule;
  };

  void TakeSubject(std::string_view text) {
    text = Trimmed(text);
    if (text.empty()) {
      issues_.push_back({static_cast<std::size_t>(schema_->subject()), CellRule::kNoSubject});
      return;
    }
    subject_ = SubjectId(text);
  }

  void TakeCell(std::size_t column, std::string_view text) {
    CellReader::Cell cell = readers_[column]->Read(text);
    if (!cell.ok) {
      issues_.push_back({column, cell.rule});
      if (cell.rule == CellRule::kOutOfRange && policy_ == RowPolicy::kClamp) {
        const Column& bounds = schema_->columns()[column];
        cell.number = std::clamp(cell.number, bounds.minimum, bounds.maximum);
        ++clamped_;
      }
    }
    pending_[column] = cell;
  }

  void FinishRow(std::uint64_t row) {
    ++report_.rows_read;
    if (position_ != targets_.size()) {  // its cells may stand under the wrong columns: nothing else is said about it
      ++ragged_;
      List(row, "", CellRule::kRagged);
      return;
    }
    for (const Issue& issue : issues_) {
      ++counts_[issue.column][static_cast<std::size_t>(issue.rule)];
      List(row, schema_->columns()[issue.column].name, issue.rule);
    }
    if (issues_.size() > clamped_) return;
    report_.cells_clamped += clamped_;
    ++report_.rows_kept;
    Append();
  }

  void Append() {
    const std::vector<Column>& columns = schema_->columns();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!readers_[i]) continue;
      if (columns[i].is_numeric()) {
        cells_[i].numbers.push_back(pending_[i].number);
      } else {
        cells_[i].codes.push_back(pending_[i].code);
      }
    }
    if (schema_->subject() >= 0) subjects_.push_back(subject_);
  }

  void List(std::uint64_t row, const std::string& column, CellRule rule) {
    if (report_.issues.size() < LoadReport::kMaxListedIssues) report_.issues.push_back({row, column, rule});
  }

  Status MatchHeader() {
    const std::vector<Column>& columns = schema_->columns();
    std::unordered_map<std::string_view, int> wanted;
    for (std::size_t i = 0; i < columns.size(); ++i) wanted.emplace(columns[i].name, static_cast<int>(i));
    std::vector<bool> found(columns.size(), false);
    for (const std::string& name : header_) {
      const auto match = wanted.find(name);
      if (match == wanted.end()) {
        targets_.push_back(kNotRead);
        report_.extra_columns.push_back(name);
        continue;
      }
      const auto index = static_cast<std::size_t>(match->second);
      if (found[index]) {
        return BadInput(fmt::format("{}: the header names column \"{}\" twice", path_, name), "rename one of the two");
      }
      found[index] = true;
      targets_.push_back(columns[index].role == ColumnRole::kIgnored ? kNotRead : match->second);
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!found[i] && columns[i].role != ColumnRole::kIgnored) return MissingColumn(columns[i].name, found);
    }
    header_done_ = true;
    return {};
  }

  // Lists the header only where it is one: the first row of a file without a header is a record.
  Error MissingColumn(const std::string& name, const std::vector<bool>& found) const {
    const std::string what = fmt::format("{}: the file has no column \"{}\"", path_, name);
    if (std::find(found.begin(), found.end(), true) == found.end()) {
      return BadInput(what + "; its first row names no column of the schema",
                      "the first row must name the columns, separated by commas");
    }
    std::vector<std::string> names(
        header_.begin(), header_.begin() + static_cast<std::ptrdiff_t>(std::min(header_.size(), kMaxListedNames)));
    if (header_.size() > names.size()) names.push_back("...");
    return BadInput(what, fmt::format("the file has: {}", fmt::join(names, ", ")));
  }

  std::string path_;
  std::shared_ptr<const Schema> schema_;
  RowPolicy policy_;

  bool header_done_ = false;
  std::vector<std::string> header_;
  std::vector<int> targets_;                        // column of the file -> column of the schema, or kNotRead
  std::vector<std::optional<CellReader>> readers_;  // by column of the schema

  std::size_t position_ = 0;  // the row that is being read
  std::vector<CellReader::Cell> pending_;
  std::vector<Issue> issues_;
  std::size_t clamped_ = 0;
  std::uint64_t subject_ = 0;

  std::vector<ColumnCells> cells_;
  std::vector<std::uint64_t> subjects_;
  LoadReport report_;
  std::vector<std::array<std::uint64_t, kCellRules>> counts_;
  std::uint64_t ragged_ = 0;
};

}  // namespace

Result<LoadedTable> LoadTable(const std::string& path, std::shared_ptr<const Schema> schema, RowPolicy policy,
                              const CsvProgress& progress) {
  SYNOD_CHECK(schema != nullptr, "a table is loaded with a schema");
  try {
    TableLoader loader(path, std::move(schema), policy);
    SYNOD_RETURN_IF_ERROR(ReadCsv(path, loader, progress));
    return loader.Finish();
  } catch (const std::bad_alloc&) {
    return Failed(fmt::format("{}: out of memory", path), "use a machine with more memory");
  }
}

}  // namespace synod
