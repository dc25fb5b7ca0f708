#include "common/data/load_table.h"

#include <gtest/gtest.h>

#include <fstream>

#include "common/data/csv_limits.h"
#include "common/data/csv_writer.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

std::shared_ptr<const Schema> SchemaOf(const std::string& columns) {
  const Result<Schema> schema = Schema::FromToml("name = \"t\"\n" + columns, "t.toml");
  EXPECT_TRUE(schema.ok()) << schema.error().message;
  return std::make_shared<const Schema>(*schema);
}

const std::string kAge = "[[column]]\nname = \"age\"\ntype = \"integer\"\nmin = 0\nmax = 120\n";
const std::string kDose = "[[column]]\nname = \"dose\"\ntype = \"continuous\"\nmin = -1\nmax = 1\nmissing = true\n";
const std::string kSex = "[[column]]\nname = \"sex\"\ntype = \"binary\"\nvalues = [\"0\", \"1\"]\n";
const std::string kDay = "[[column]]\nname = \"day\"\ntype = \"datetime\"\nmin = 2020-01-01\nmax = 2020-12-31\n";
const std::string kWho = "[[column]]\nname = \"who\"\nrole = \"subject\"\n";

std::string WriteCsv(const std::string& text) {
  const std::string path = testing::TemporaryFolder() + "/t.csv";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Result<LoadedTable> Load(const std::string& text, const std::string& columns, RowPolicy policy = RowPolicy::kDrop) {
  return LoadTable(WriteCsv(text), SchemaOf(columns), policy);
}

std::uint64_t Count(const LoadReport& report, const std::string& column, CellRule rule) {
  const auto found = report.counts.find({column, rule});
  return found == report.counts.end() ? 0 : found->second;
}

void ExpectRefused(const std::string& text, const std::string& columns, const std::string& what) {
  const Result<LoadedTable> loaded = Load(text, columns);
  ASSERT_FALSE(loaded.ok()) << text;
  EXPECT_EQ(loaded.error().code, ErrorCode::kBadInput);
  EXPECT_NE(loaded.error().message.find(what), std::string::npos) << loaded.error().message;
}

TEST(LoadTable, FindsColumnsByNameInAnyOrderAndReportsExtraOnes) {
  const Result<LoadedTable> loaded = Load("note,sex,age\nhello,1,30\n\"a, \"\"b\"\"\nc\",0,31\n", kAge + kSex);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->table.rows(), 2u);
  EXPECT_EQ(loaded->table.column(0).numbers, (std::vector<double>{30, 31}));
  EXPECT_EQ(loaded->table.column(1).codes, (std::vector<std::uint16_t>{1, 0}));
  EXPECT_EQ(loaded->report.extra_columns, std::vector<std::string>{"note"});
  EXPECT_TRUE(loaded->report.clean());
}

TEST(LoadTable, AcceptsByteOrderMarkAndEveryKindOfNewline) {
  for (const char* text :
       {"\xEF\xBB\xBF"
        "age,sex\r\n1,0\r\n2,1\r\n",
        "age,sex\n1,0\n2,1", "age,sex\r1,0\r2,1\r", "\n\nage,sex\n\n1,0\n\n2,1\n\n",
        "\"age\",\"sex\"\n\"1\",\"0\"\n\"2\",\"1\"\n", " age ,sex\n 1 , 0\n+2,\t1 \n", "age,sex\n1.0,0.0\n2e0,01\n"}) {
    const Result<LoadedTable> loaded = Load(text, kAge + kSex);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(loaded->table.column(0).numbers, (std::vector<double>{1, 2})) << text;
    EXPECT_EQ(loaded->table.column(1).codes, (std::vector<std::uint16_t>{0, 1})) << text;
  }
}

TEST(LoadTable, KeepsMissingCellsOnlyWhereTheSchemaAllowsThem) {
  const Result<LoadedTable> loaded = Load("age,dose\n1,\n2,\"\"\n3,  \n,0.5\n", kAge + kDose);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->table.rows(), 3u);
  for (std::size_t row = 0; row < 3; ++row) EXPECT_TRUE(loaded->table.IsMissing(1, row));
  EXPECT_EQ(Count(loaded->report, "age", CellRule::kMissing), 1u);
  ASSERT_EQ(loaded->report.issues.size(), 1u);
  EXPECT_EQ(loaded->report.issues[0].row, 4u);
}

TEST(LoadTable, NamesTheRuleThatACellBreaks) {
  const std::string columns = kAge + kDose + kSex + kDay;
  const auto rule_of = [&](const std::string& row) {
    const Result<LoadedTable> loaded = Load("age,dose,sex,day\n" + row + "\n", columns);
    EXPECT_TRUE(loaded.ok()) << row;
    EXPECT_EQ(loaded->table.rows(), 0u) << row;
    EXPECT_EQ(loaded->report.issues.size(), 1u) << row;
    return loaded->report.issues.empty()
               ? ""
               : loaded->report.issues[0].column + " " + std::string(CellRuleText(loaded->report.issues[0].rule));
  };
  EXPECT_EQ(rule_of("x,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("nan,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("inf,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("1e999,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("0x10,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("1 2,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("+-1,0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("\"1,5\",0,0,2020-05-05"), "age is not a number");
  EXPECT_EQ(rule_of("1.5,0,0,2020-05-05"), "age is not a whole number");
  EXPECT_EQ(rule_of("121,0,0,2020-05-05"), "age is out of range");
  EXPECT_EQ(rule_of("-1,0,0,2020-05-05"), "age is out of range");
  EXPECT_EQ(rule_of("1,1.0001,0,2020-05-05"), "dose is out of range");
  EXPECT_EQ(rule_of("1,0,2,2020-05-05"), "sex is not a category of the schema");
  EXPECT_EQ(rule_of("1,0,F,2020-05-05"), "sex is not a category of the schema");
  EXPECT_EQ(rule_of("1,0,,2020-05-05"), "sex is missing");
  EXPECT_EQ(rule_of("1,0,0,2020-02-30"), "day is not a date");
  EXPECT_EQ(rule_of("1,0,0,05/05/2020"), "day is not a date");
  EXPECT_EQ(rule_of("1,0,0,2021-01-01"), "day is out of range");
  EXPECT_EQ(rule_of("1,0,0"), " has not as many cells as the header");
  EXPECT_EQ(rule_of("1,0,0,2020-05-05,7"), " has not as many cells as the header");
}

TEST(LoadTable, ClampsNumbersButDropsRowsWithOtherFaults) {
  const std::string text = "age,sex,day\n500,0,2020-05-05\n-3,1,1990-01-01\n500,2,2020-05-05\nx,1,2020-05-05\n";
  const Result<LoadedTable> loaded = Load(text, kAge + kSex + kDay, RowPolicy::kClamp);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->table.column(0).numbers, (std::vector<double>{120, 0}));
  EXPECT_EQ(loaded->table.column(2).numbers[1], loaded->table.schema().columns()[2].minimum);
  EXPECT_EQ(loaded->report.cells_clamped, 3u);
  EXPECT_EQ(loaded->report.rows_dropped, 2u);
  EXPECT_EQ(Count(loaded->report, "age", CellRule::kOutOfRange), 3u);
  EXPECT_FALSE(loaded->report.clean());
}

TEST(LoadTable, CountsExactlyAndListsOnlyTheFirstIssues) {
  std::string text = "age,sex\n";
  for (int i = 0; i < 500; ++i) text += i % 2 == 0 ? "999,9\n" : "5,1\n";
  const Result<LoadedTable> loaded = Load(text, kAge + kSex);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->report.rows_read, 500u);
  EXPECT_EQ(loaded->report.rows_kept, 250u);
  EXPECT_EQ(loaded->report.rows_dropped, 250u);
  EXPECT_EQ(Count(loaded->report, "age", CellRule::kOutOfRange), 250u);
  EXPECT_EQ(Count(loaded->report, "sex", CellRule::kUnknownCategory), 250u);
  EXPECT_EQ(loaded->report.issues.size(), LoadReport::kMaxListedIssues);
}

TEST(LoadTable, NeverRepeatsWhatACellSays) {
  const Result<LoadedTable> loaded = Load("age,sex\nSecretA,SecretB\n777777,1\n1,SecretC\n", kAge + kSex);
  ASSERT_TRUE(loaded.ok());
  std::string said = loaded->report.ToJson().dump();
  for (const std::string& line : loaded->report.Lines()) said += line;
  EXPECT_EQ(said.find("Secret"), std::string::npos);
  EXPECT_EQ(said.find("777777"), std::string::npos);
}

TEST(LoadTable, DropsRowsWithoutASubject) {
  const Result<LoadedTable> loaded = Load("who,age\nann,1\n,2\nbob,3\nann,4\n", kAge + kWho);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->table.column(0).numbers, (std::vector<double>{1, 3, 4}));
  ASSERT_EQ(loaded->table.subjects().size(), 3u);
  EXPECT_EQ(loaded->table.subjects()[0], loaded->table.subjects()[2]);
  EXPECT_NE(loaded->table.subjects()[0], loaded->table.subjects()[1]);
  EXPECT_EQ(Count(loaded->report, "who", CellRule::kNoSubject), 1u);
}

TEST(LoadTable, LoadsNoRowsOneRowAndConstantColumns) {
  const Result<LoadedTable> none = Load("age,sex\n", kAge + kSex);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->table.rows(), 0u);
  EXPECT_EQ(none->report.Lines()[1], "the table has no rows");
  const Result<LoadedTable> one = Load("age,sex\n1,1", kAge + kSex);
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->table.rows(), 1u);
  const Result<LoadedTable> constant =
      Load("k\n5\n5\n", "[[column]]\nname = \"k\"\ntype = \"continuous\"\nmin = 5\nmax = 5\n");
  ASSERT_TRUE(constant.ok());
  EXPECT_EQ(constant->table.rows(), 2u);
}

TEST(LoadTable, RefusesFilesThatAreNotTheTable) {
  ExpectRefused("", kAge + kSex, "is empty");
  ExpectRefused("\n\n", kAge + kSex, "is empty");
  ExpectRefused("age,sex,age\n1,0,1\n", kAge + kSex, "\"age\" twice");
  ExpectRefused("age,sex\n1,\"0\n2,1\n", kAge + kSex, "row 1: a quoted cell is never closed");
  ExpectRefused("age,sex\n1,0\n2,1\"x\n", kAge + kSex, "row 2: a quote");
  ExpectRefused("age,sex\n1,0\n2,\"1\"x\n", kAge + kSex, "row 2: a quote");
  ExpectRefused(std::string("age,sex\n1,0\n2,\0\n", 16), kAge + kSex, "row 2 contains a NUL byte");
  ExpectRefused("age,sex\n1,0\n2,\xC3(\n", kAge + kSex, "row 2 is not valid UTF-8");
  ExpectRefused("age,sex\n1,0\n2,\xC3", kAge + kSex, "row 2 is not valid UTF-8");
  ExpectRefused(
      "\xFF\xFE"
      "a\0g\0",
      kAge + kSex, "UTF-16");
  EXPECT_FALSE(LoadTable("/nonexistent/t.csv", SchemaOf(kAge)).ok());
  EXPECT_FALSE(LoadTable(testing::TemporaryFolder(), SchemaOf(kAge)).ok());
}

TEST(LoadTable, NamesAMissingColumnAndListsTheHeader) {
  const Result<LoadedTable> loaded = Load("age,gender\n1,0\n", kAge + kSex);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find("no column \"sex\""), std::string::npos);
  EXPECT_NE(loaded.error().hint.find("age, gender"), std::string::npos);
}

TEST(LoadTable, DoesNotTakeARecordForAHeader) {
  const Result<LoadedTable> loaded = Load("41,SecretTown\n30,1\n", kAge + kSex);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ((loaded.error().message + loaded.error().hint).find("Secret"), std::string::npos);
}

TEST(LoadTable, RefusesCellsAndRowsBeyondTheLimits) {
  const std::string cell(kCsvMaxCellBytes + 1, 'a');
  ExpectRefused("age,note\n1,x\n2," + cell + "\n", kAge, "row 2: a cell is longer");
  ExpectRefused("age,note\n1,\"" + cell + cell + cell, kAge, "row 1: a cell is longer");
  std::string row = "1";
  for (int i = 0; i < 5; ++i) row += "," + std::string(kCsvMaxCellBytes - 1, 'b');
  ExpectRefused("age,note\n" + row + "\n", kAge, "row 1 is longer");
  ExpectRefused("age,note\n" + std::string(kCsvMaxFileColumns, ',') + "\n", kAge, "row 1 has more than");
}

TEST(LoadTable, ReadsAcrossTheEndOfAChunk) {
  // Quotes, newlines and two-byte characters fall on every position around the chunk border as the first cell grows.
  for (std::size_t shift = 0; shift < 24; ++shift) {
    std::string text = "note,age\n\"" + std::string(kCsvChunkBytes - 40 + shift, 'x') + "\",1\n";
    text += "\"\xC3\xA9\"\"\r\n\",2\n\"\",3\n";
    const Result<LoadedTable> loaded = Load(text, kAge);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(loaded->table.column(0).numbers, (std::vector<double>{1, 2, 3})) << shift;
  }
}

TEST(LoadTable, ReportsProgressToTheLastByte) {
  std::uint64_t last = 0;
  std::uint64_t total = 1;
  const auto progress = [&](std::uint64_t done_bytes, std::uint64_t total_bytes) {
    last = done_bytes;
    total = total_bytes;
  };
  ASSERT_TRUE(LoadTable(WriteCsv("age\n1\n"), SchemaOf(kAge), RowPolicy::kDrop, progress).ok());
  EXPECT_EQ(last, 6u);
  EXPECT_EQ(total, 6u);
}

TEST(LoadTable, LeavesNumbersAmbiguousBetweenCategoriesAlone) {
  const Result<LoadedTable> loaded =
      Load("k\n1\n1.0\n1.00\n", "[[column]]\nname = \"k\"\ntype = \"categorical\"\nvalues = [\"1\", \"1.0\"]\n");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->table.column(0).codes, (std::vector<std::uint16_t>{0, 1}));
  EXPECT_EQ(loaded->report.rows_dropped, 1u);
}

TEST(LoadTable, LoadsTheDemoDataClean) {
  const std::string configs = std::string(SYNOD_SOURCE_DIR) + "/configs/";
  const Result<Schema> schema = Schema::FromFile(configs + "schemas/randhie.toml");
  ASSERT_TRUE(schema.ok());
  const Result<LoadedTable> loaded = LoadTable(configs + "demo/randhie.csv", std::make_shared<const Schema>(*schema));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->table.rows(), 20190u);
  EXPECT_TRUE(loaded->report.clean());
  EXPECT_TRUE(loaded->report.extra_columns.empty());
}

TEST(LoadTable, LoadsRealMissingValues) {
  SYNOD_SHARED_OR_SKIP(path, "data/heart4/all_with_missing.csv");
  const Result<Schema> schema =
      Schema::FromFile(std::string(SYNOD_SOURCE_DIR) + "/configs/schemas/heart4_missing.toml");
  ASSERT_TRUE(schema.ok());
  const Result<LoadedTable> loaded = LoadTable(path, std::make_shared<const Schema>(*schema));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->table.rows(), 920u);
  EXPECT_TRUE(loaded->report.clean());
  std::size_t missing = 0;  // of chol, which the source counts as 202
  for (std::size_t row = 0; row < loaded->table.rows(); ++row) missing += loaded->table.IsMissing(5, row) ? 1 : 0;
  EXPECT_EQ(missing, 202u);
}

TEST(LoadTable, LoadsTheReferenceDataClean) {
  for (const char* name : {"adult", "heart4", "support2"}) {
    SYNOD_SHARED_OR_SKIP(schema_path, std::string("data/") + name + "/schema.toml");
    SYNOD_SHARED_OR_SKIP(train_path, std::string("data/") + name + "/train.csv");
    const Result<Schema> schema = Schema::FromFile(schema_path);
    ASSERT_TRUE(schema.ok());
    const Result<LoadedTable> loaded = LoadTable(train_path, std::make_shared<const Schema>(*schema));
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_TRUE(loaded->report.clean()) << name << ": " << loaded->report.Lines()[1];
  }
}

}  // namespace
}  // namespace synod
