#include "common/data/csv_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "common/core/file.h"
#include "common/data/load_table.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

std::shared_ptr<const Schema> Shared(Result<Schema> schema) {
  EXPECT_TRUE(schema.ok()) << schema.error().message;
  return std::make_shared<const Schema>(std::move(*schema));
}

Column Numeric(const char* name, ColumnType type, double minimum, double maximum, int decimals = -1) {
  return {name, type, ColumnRole::kFeature, minimum, maximum, {}, true, decimals, {}};
}

std::string Written(const Table& table) {
  const std::string path = testing::TemporaryFolder() + "/out.csv";
  EXPECT_TRUE(WriteTable(path, table).ok());
  const Result<std::string> text = ReadFile(path, 1 << 24);
  EXPECT_TRUE(text.ok());
  return *text;
}

std::string WrittenNumbers(const Column& column, std::vector<double> numbers) {
  const std::size_t rows = numbers.size();
  const Result<Table> table = Table::Create(Shared(Schema::Create("t", {column})), {{std::move(numbers), {}}}, rows);
  EXPECT_TRUE(table.ok()) << table.error().message;
  return Written(*table);
}

TEST(CsvWriter, WritesEachTypeInItsForm) {
  EXPECT_EQ(WrittenNumbers(Numeric("n", ColumnType::kInteger, -9e15, 9e15), {-3, 0, 9e15}),
            "n\n-3\n0\n9000000000000000\n");
  EXPECT_EQ(WrittenNumbers(Numeric("n", ColumnType::kContinuous, -9, 9), {0.1, -2.5, 1.0 / 3, -0.0, 4}),
            "n\n0.1\n-2.5\n0.33333334\n0\n4\n");
  EXPECT_EQ(WrittenNumbers(Numeric("n", ColumnType::kContinuous, -9, 9, 2), {0.1, -2.555, -0.001, -0.005, 9}),
            "n\n0.10\n-2.56\n0.00\n0.00\n9.00\n");
  Column filled = Numeric("n", ColumnType::kContinuous, 0, 9, 1);
  filled.special_values = {1.01, 2};
  EXPECT_EQ(WrittenNumbers(filled, {1.01, 2, 1.0, 1.1, 1.0100001}), "n\n1.01\n2.0\n1.0\n1.1\n1.0\n");
  EXPECT_EQ(WrittenNumbers(Numeric("n", ColumnType::kDatetime, 0, 86400.0 * 9), {86400}), "n\n1970-01-02\n");
  EXPECT_EQ(WrittenNumbers(Numeric("n", ColumnType::kDatetime, 0, 86401), {86399}), "n\n1970-01-01T23:59:59Z\n");
}

TEST(CsvWriter, QuotesWhatNeedsIt) {
  Column column{"a,b", ColumnType::kCategorical, ColumnRole::kFeature, 0, 0, {"x,y", "say \"z\"", "plain"}, true, -1,
                {}};
  Column number = Numeric("n", ColumnType::kInteger, 0, 9);
  const double missing = std::numeric_limits<double>::quiet_NaN();
  const Result<Table> table = Table::Create(Shared(Schema::Create("t", {column, number})),
                                            {{{}, {0, 1, 2, 3}}, {{1, missing, 3, missing}, {}}}, 4);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(Written(*table), "\"a,b\",n\n\"x,y\",1\n\"say \"\"z\"\"\",\nplain,3\n,\n");
}

TEST(CsvWriter, WritesAMissingCellOfTheOnlyColumnSoThatTheRowStays) {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(WrittenNumbers(Numeric("n", ColumnType::kInteger, 0, 9), {1, missing, 3}), "n\n1\n\"\"\n3\n");
}

TEST(CsvWriter, LeavesOutSubjectAndIgnoredColumns) {
  Column who{"who", ColumnType::kCategorical, ColumnRole::kSubject, 0, 0, {}, false, -1, {}};
  const Result<Table> table = Table::Create(
      Shared(Schema::Create("t", {who, Numeric("n", ColumnType::kInteger, 0, 9)})), {{}, {{1}, {}}}, 1, {77});
  EXPECT_EQ(Written(*table), "n\n1\n");
}

// Every number that is written must load again: bounds that are no 32-bit floats are where rounding could leave them.
TEST(CsvWriter, NeverWritesANumberThatDoesNotLoadAgain) {
  std::mt19937_64 random(7);
  const std::vector<Column> columns = {
      Numeric("a", ColumnType::kContinuous, 0.1, 0.3),
      Numeric("b", ColumnType::kContinuous, 16777217, 16777217),
      Numeric("c", ColumnType::kContinuous, static_cast<double>(0.1f), static_cast<double>(0.1f)),
      Numeric("d", ColumnType::kContinuous, -1e300, 1e300),
      Numeric("e", ColumnType::kContinuous, -1e-300, 1e-300),
      Numeric("f", ColumnType::kContinuous, 0.95, 1.05, 2),
      Numeric("g", ColumnType::kInteger, -9007199254740992.0, 0),
      Numeric("h", ColumnType::kDatetime, -86400, 86400),
      Numeric("i", ColumnType::kDatetime, -62135596800.0, 253402300799.0)};
  const std::size_t rows = 500;
  std::vector<ColumnCells> cells(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t row = 0; row < rows; ++row) {
      const double share = row == 0 ? 0.0 : row == 1 ? 1.0 : std::uniform_real_distribution<double>(0, 1)(random);
      double number = columns[i].minimum * (1 - share) + columns[i].maximum * share;
      if (columns[i].type != ColumnType::kContinuous) number = std::floor(number);
      cells[i].numbers.push_back(std::clamp(number, columns[i].minimum, columns[i].maximum));
    }
  }
  const auto schema = Shared(Schema::Create("t", columns));
  const Result<Table> table = Table::Create(schema, cells, rows);
  ASSERT_TRUE(table.ok()) << table.error().message;
  const std::string path = testing::TemporaryFolder() + "/out.csv";
  ASSERT_TRUE(WriteTable(path, *table).ok());
  const Result<LoadedTable> again = LoadTable(path, schema);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(again->report.clean()) << again->report.Lines()[1];
  EXPECT_EQ(again->table.rows(), rows);
  EXPECT_EQ(again->table.column(6).numbers, cells[6].numbers);
  EXPECT_EQ(again->table.column(8).numbers, cells[8].numbers);
}

TEST(CsvWriter, RepeatsTheDemoDataInValue) {
  const std::string configs = std::string(SYNOD_SOURCE_DIR) + "/configs/";
  const auto schema = Shared(Schema::FromFile(configs + "schemas/randhie.toml"));
  const Result<LoadedTable> loaded = LoadTable(configs + "demo/randhie.csv", schema);
  ASSERT_TRUE(loaded.ok());
  const std::string path = testing::TemporaryFolder() + "/out.csv";
  ASSERT_TRUE(WriteTable(path, loaded->table).ok());
  const Result<LoadedTable> again = LoadTable(path, schema);
  ASSERT_TRUE(again.ok());
  for (std::size_t i = 0; i < schema->columns().size(); ++i) {
    EXPECT_EQ(again->table.column(i).numbers, loaded->table.column(i).numbers) << i;
    EXPECT_EQ(again->table.column(i).codes, loaded->table.column(i).codes) << i;
  }
}

TEST(CsvWriter, ReportsAFullDiskAndAFolderThatIsNotThere) {
  const Result<Table> table =
      Table::Create(Shared(Schema::Create("t", {Numeric("n", ColumnType::kInteger, 0, 9)})), {{{1}, {}}}, 1);
  const Status absent = WriteTable("/nonexistent/out.csv", *table);
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kFailed);
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  const Status full = WriteTable("/dev/full", *table);
  ASSERT_FALSE(full.ok());
  EXPECT_NE(full.error().hint.find("disk is full"), std::string::npos);
}

TEST(CsvWriter, LeavesNoFileBehindThatIsNotWhole) {
  const std::string folder = testing::TemporaryFolder();
  const Result<Table> table =
      Table::Create(Shared(Schema::Create("t", {Numeric("n", ColumnType::kInteger, 0, 9)})), {{{1}, {}}}, 1);
  std::filesystem::create_directory(folder + "/out.csv");  // cannot be replaced by a file
  EXPECT_FALSE(WriteTable(folder + "/out.csv", *table).ok());
  EXPECT_FALSE(std::filesystem::exists(folder + "/out.csv.tmp"));
}

}  // namespace
}  // namespace synod
