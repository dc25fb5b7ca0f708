#include "common/data/csv_reader.h"

#include <csv.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "common/data/csv_limits.h"
#include "common/data/utf8.h"

namespace synod {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int NeverBlank(unsigned char) {
  return 0;
}

// libcsv with our handler behind its C callbacks; no exception passes through them.
class Parser {
 public:
  Parser(const std::string& path, CsvHandler& handler) : path_(path), handler_(handler) {
    // Without CSV_STRICT a stray quote would silently glue rows together.
    ready_ = csv_init(&csv_, CSV_STRICT | CSV_STRICT_FINI) == 0;
    if (!ready_) return;
    csv_set_space_func(&csv_, NeverBlank);
    csv_set_blk_size(&csv_, 4096);
  }
  ~Parser() {
    if (ready_) csv_free(&csv_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  Status Feed(std::string_view piece) {
    if (!ready_) return Failed("the CSV parser could not be set up");
    const std::size_t done = csv_parse(&csv_, piece.data(), piece.size(), OnCell, OnRow, this);
    if (error_) return *error_;
    if (done != piece.size()) return SyntaxError();
    if (csv_.entry_pos > kCsvMaxCellBytes) return CellTooLong();
    return {};
  }

  Status Finish() {
    const bool inside_quotes = csv_fini(&csv_, OnCell, OnRow, this) != 0;
    if (error_) return *error_;
    if (inside_quotes) {
      return BadInput(fmt::format("{}: row {}: a quoted cell is never closed", path_, row_),
                      "close the quote; a quote inside a cell is written twice");
    }
    return {};
  }

  std::uint64_t row() const { return row_; }
  const std::string& path() const { return path_; }

 private:
  static void OnCell(void* text, std::size_t size, void* self) {
    auto* parser = static_cast<Parser*>(self);
    if (parser->error_) return;
    parser->Guarded([&] { parser->TakeCell({static_cast<const char*>(text), size}); });
  }
  static void OnRow(int, void* self) {
    auto* parser = static_cast<Parser*>(self);
    if (parser->error_) return;
    parser->Guarded([&] { parser->TakeRow(); });
  }

  template <typename Action>
  void Guarded(Action action) {
    try {
      action();
    } catch (const std::exception&) {
      error_ = Failed(fmt::format("{}: row {}: out of memory", path_, row_), "use a machine with more memory");
    }
  }

  void TakeCell(std::string_view text) {
    row_bytes_ += text.size() + 1;
    if (text.size() > kCsvMaxCellBytes) {
      error_ = CellTooLong();
    } else if (row_bytes_ > kCsvMaxRowBytes) {
      error_ = BadInput(fmt::format("{}: row {} is longer than {} bytes", path_, row_, kCsvMaxRowBytes),
                        "check that rows end with a newline");
    } else if (++cells_ > kCsvMaxFileColumns) {
      error_ = BadInput(fmt::format("{}: row {} has more than {} cells", path_, row_, kCsvMaxFileColumns),
                        "check that rows end with a newline");
    } else {
      handler_.Cell(text);
    }
  }

  void TakeRow() {
    if (row_ > kCsvMaxRows) {
      error_ = BadInput(fmt::format("{} has more than {} rows", path_, kCsvMaxRows), "split the file");
      return;
    }
    const Status status = handler_.EndRow(row_);
    if (!status.ok()) error_ = status.error();
    ++row_;
    row_bytes_ = 0;
    cells_ = 0;
  }

  Error CellTooLong() const {
    return BadInput(fmt::format("{}: row {}: a cell is longer than {} bytes", path_, row_, kCsvMaxCellBytes),
                    "check for a quote that is never closed");
  }
  Error SyntaxError() {
    if (csv_error(&csv_) == CSV_EPARSE) {
      return BadInput(fmt::format("{}: row {}: a quote stands where RFC 4180 does not allow one", path_, row_),
                      "a cell with a quote is written in quotes, and the quote twice");
    }
    return Failed(fmt::format("{}: row {}: out of memory", path_, row_), "use a machine with more memory");
  }

  std::string path_;
  CsvHandler& handler_;
  csv_parser csv_{};
  bool ready_ = false;
  std::optional<Error> error_;
  std::uint64_t row_ = 0;
  std::size_t row_bytes_ = 0;
  std::size_t cells_ = 0;
};

// Checks bytes before the parser sees them. What precedes a bad byte is still parsed, so that the row number is right.
class ByteGate {
 public:
  Status Pass(std::string_view piece, Parser& parser) {
    const std::size_t nul = piece.find('\0');
    const std::size_t wrong = utf8_.Feed(piece.substr(0, nul));
    if (wrong == Utf8Validator::kValid && nul == std::string_view::npos) return parser.Feed(piece);
    SYNOD_RETURN_IF_ERROR(parser.Feed(piece.substr(0, wrong == Utf8Validator::kValid ? nul : wrong)));
    if (wrong == Utf8Validator::kValid) {
      return BadInput(fmt::format("{}: row {} contains a NUL byte", parser.path(), parser.row()),
                      "save the table as a CSV file in UTF-8");
    }
    return NotUtf8(parser);
  }
  Status Finish(Parser& parser) const {
    if (!utf8_.AtBoundary()) return NotUtf8(parser);
    return {};
  }

 private:
  static Error NotUtf8(const Parser& parser) {
    return BadInput(fmt::format("{}: row {} is not valid UTF-8", parser.path(), parser.row()),
                    "convert the file, for example: iconv -f LATIN1 -t UTF-8");
  }
  Utf8Validator utf8_;
};

Error ReadError(const std::string& path) {
  return Failed(fmt::format("cannot read {}: {}", path, std::strerror(errno)), "check the path and its permissions");
}

Status Drain(std::FILE* file, std::uint64_t total_bytes, Parser& parser, const CsvProgress& progress) {
  std::vector<char> buffer(total_bytes == 0 ? kCsvChunkBytes
                                            : std::clamp<std::size_t>(total_bytes, 16, kCsvChunkBytes));
  ByteGate gate;
  std::uint64_t done_bytes = 0;
  for (;;) {
    const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file);
    if (size == 0) break;
    std::string_view piece(buffer.data(), size);
    if (done_bytes == 0 && piece.substr(0, 2) == "\xFF\xFE") {
      return BadInput(fmt::format("{} is UTF-16", parser.path()), "save the table as a CSV file in UTF-8");
    }
    if (done_bytes == 0 && piece.substr(0, 3) == kByteOrderMark) piece.remove_prefix(kByteOrderMark.size());
    SYNOD_RETURN_IF_ERROR(gate.Pass(piece, parser));
    done_bytes += size;
    if (progress) progress(done_bytes, total_bytes);
  }
  if (std::ferror(file) != 0) return ReadError(parser.path());
  SYNOD_RETURN_IF_ERROR(gate.Finish(parser));
  return parser.Finish();
}

}  // namespace

Status ReadCsv(const std::string& path, CsvHandler& handler, const CsvProgress& progress) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return ReadError(path);
  struct stat info {};
  if (fstat(fileno(file.get()), &info) != 0) return ReadError(path);
  if (S_ISDIR(info.st_mode)) return BadInput(fmt::format("{} is a folder, not a CSV file", path));
  const std::uint64_t total_bytes = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
  Parser parser(path, handler);
  return Drain(file.get(), total_bytes, parser, progress);
}

}  // namespace synod
