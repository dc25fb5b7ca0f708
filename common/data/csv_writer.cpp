#include "common/data/csv_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

#include "common/data/date_time.h"

namespace synod {
namespace {

constexpr std::size_t kFlushBytes = 1u << 20;

Error WriteError(const std::string& name) {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT;
  return Failed(
      fmt::format("cannot write {}: {}", name, std::strerror(code)),
      full ? "the disk is full: free some space or write to another folder" : "check the path and its permissions");
}

void AppendText(const std::string& text, std::string& out) {
  const bool blank_end = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (!blank_end && text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

// The shortest text of the nearest 32-bit float; where that text would leave the bounds, the text of the double.
void AppendShortest(const Column& column, double number, std::string& out) {
  char text[64];
  auto end = std::to_chars(text, text + sizeof text, static_cast<float>(number)).ptr;
  double read_back = 0.0;
  const auto parsed = std::from_chars(text, end, read_back);
  if (parsed.ec != std::errc() || read_back < column.minimum || read_back > column.maximum) {
    end = std::to_chars(text, text + sizeof text, number).ptr;
  }
  out.append(text, end);
}

// A special value with more digits than the column's decimals: a fill-in constant is written as it is stated.
bool HasDigitsOfItsOwn(const Column& column, double number) {
  const auto& special = column.special_values;
  if (special.empty() || std::find(special.begin(), special.end(), number) == special.end()) return false;
  const double scaled = number * std::pow(10.0, column.decimals);
  return std::abs(scaled - std::round(scaled)) > std::min(1e-3, 1e-9 * std::max(1.0, std::abs(scaled)));
}

void AppendNumber(const Column& column, double number, std::string& out) {
  number += 0.0;  // no "-0"
  if (column.type == ColumnType::kDatetime) {
    AppendDateTime(static_cast<std::int64_t>(number), column.is_whole_days(), out);
  } else if (column.type == ColumnType::kInteger) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(number));
  } else if (column.decimals >= 0 && HasDigitsOfItsOwn(column, number)) {
    char text[32];
    out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
  } else if (column.decimals >= 0) {
    // Half a unit of the last digit may round to "-0.0", which is 0.
    const double unit = std::pow(10.0, -column.decimals);
    if (std::abs(number) <= 0.5 * unit) number = 0.0;
    fmt::format_to(std::back_inserter(out), "{:.{}f}", number, column.decimals);
  } else {
    AppendShortest(column, number, out);
  }
}

void AppendCell(const Table& table, std::size_t column, std::size_t row, std::string& out) {
  if (table.IsMissing(column, row)) return;
  const Column& described = table.schema().columns()[column];
  const ColumnCells& cells = table.column(column);
  if (described.is_numeric()) {
    AppendNumber(described, cells.numbers[row], out);
  } else {
    AppendText(described.values[cells.codes[row]], out);
  }
}

std::vector<std::size_t> ModelledColumns(const Schema& schema) {
  std::vector<std::size_t> modelled;
  for (std::size_t i = 0; i < schema.columns().size(); ++i) {
    if (schema.columns()[i].is_modelled()) modelled.push_back(i);
  }
  return modelled;
}

bool IsDevice(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Status WriteAndClose(const std::string& path, const std::string& name, const Table& table, bool sync) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return WriteError(name);
  Status status = WriteTable(file, name, table);
  if (status.ok() && sync && fsync(fileno(file)) != 0) status = WriteError(name);
  if (std::fclose(file) != 0 && status.ok()) status = WriteError(name);
  return status;
}

}  // namespace

Status CsvWriter::Flush() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), out_) != buffer_.size()) return WriteError(name_);
  buffer_.clear();
  return {};
}

Status CsvWriter::Header(const Schema& schema) {
  bool first = true;
  for (const std::size_t column : ModelledColumns(schema)) {
    if (!first) buffer_.push_back(',');
    first = false;
    AppendText(schema.columns()[column].name, buffer_);
  }
  buffer_.push_back('\n');
  return {};
}

Status CsvWriter::Rows(const Table& table) {
  const std::vector<std::size_t> columns = ModelledColumns(table.schema());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::size_t begin = buffer_.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) buffer_.push_back(',');
      AppendCell(table, columns[i], row, buffer_);
    }
    if (buffer_.size() == begin) buffer_ += "\"\"";  // a blank line would be no row
    buffer_.push_back('\n');
    if (buffer_.size() >= kFlushBytes) SYNOD_RETURN_IF_ERROR(Flush());
  }
  return {};
}

Status CsvWriter::Finish() {
  SYNOD_RETURN_IF_ERROR(Flush());
  if (std::fflush(out_) != 0) return WriteError(name_);
  return {};
}

Status WriteTable(std::FILE* out, const std::string& name, const Table& table) {
  CsvWriter writer(out, name);
  SYNOD_RETURN_IF_ERROR(writer.Header(table.schema()));
  SYNOD_RETURN_IF_ERROR(writer.Rows(table));
  return writer.Finish();
}

Status WriteTable(const std::string& path, const Table& table) {
  if (IsDevice(path)) return WriteAndClose(path, path, table, /*sync=*/false);
  const std::string temporary = path + ".tmp";
  Status status = WriteAndClose(temporary, path, table, /*sync=*/true);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) status = WriteError(path);
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

}  // namespace synod
