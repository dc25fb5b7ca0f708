#include "common/data/table.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/data/subject_id.h"
#include "common/data/unit_table.h"

namespace synod {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::shared_ptr<const Schema> SmallSchema(bool missing, bool subject) {
  Column number{"n", ColumnType::kInteger, ColumnRole::kFeature, 0, 9, {}, missing, -1, {}};
  Column category{"c", ColumnType::kCategorical, ColumnRole::kFeature, 0, 0, {"a", "b"}, missing, -1, {}};
  Column who{"w", ColumnType::kCategorical, subject ? ColumnRole::kSubject : ColumnRole::kIgnored, 0, 0, {}, false, -1,
             {}};
  return std::make_shared<const Schema>(*Schema::Create("t", {number, category, who}));
}

Result<Table> Make(std::vector<double> numbers, std::vector<std::uint16_t> codes, bool missing = false) {
  const std::size_t rows = numbers.size();
  return Table::Create(SmallSchema(missing, false), {{std::move(numbers), {}}, {{}, std::move(codes)}, {}}, rows);
}

TEST(Table, AcceptsOnlyCellsThatTheSchemaAllows) {
  EXPECT_TRUE(Make({0, 9}, {0, 1}).ok());
  EXPECT_TRUE(Make({}, {}).ok());
  EXPECT_TRUE(Make({kNaN, 9}, {0, 2}, true).ok());
  for (const Result<Table>& bad :
       {Make({0, 10}, {0, 1}), Make({-1, 0}, {0, 1}), Make({0.5, 0}, {0, 1}), Make({kNaN, 0}, {0, 1}),
        Make({0, 0}, {0, 2}), Make({0, 0}, {0, 3}, true), Make({0, 0}, {0}), Make({0}, {0, 1})}) {
    ASSERT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().code, ErrorCode::kBadInput);
  }
  EXPECT_FALSE(Table::Create(SmallSchema(false, false), {}, 0).ok());
}

TEST(Table, RefusesSubjectIdsThatDoNotFit) {
  const std::vector<ColumnCells> cells = {{{1, 2}, {}}, {{}, {0, 1}}, {}};
  EXPECT_TRUE(Table::Create(SmallSchema(false, true), cells, 2, {7, 7}).ok());
  EXPECT_TRUE(Table::Create(SmallSchema(false, true), cells, 2).ok());
  EXPECT_FALSE(Table::Create(SmallSchema(false, true), cells, 2, {7}).ok());
  EXPECT_FALSE(Table::Create(SmallSchema(false, false), cells, 2, {7, 7}).ok());
}

TEST(Table, SelectsRowsInTheOrderGiven) {
  const std::vector<ColumnCells> cells = {{{1, 2, 3}, {}}, {{}, {0, 1, 0}}, {}};
  const Result<Table> table = Table::Create(SmallSchema(false, true), cells, 3, {7, 8, 9});
  const Table selected = table->Select({2, 0, 2});
  EXPECT_EQ(selected.rows(), 3u);
  EXPECT_EQ(selected.column(0).numbers, (std::vector<double>{3, 1, 3}));
  EXPECT_EQ(selected.column(1).codes, (std::vector<std::uint16_t>{0, 0, 0}));
  EXPECT_EQ(selected.subjects(), (std::vector<std::uint64_t>{9, 7, 9}));
  EXPECT_EQ(table->Select({}).rows(), 0u);
}

std::shared_ptr<const Table> WithSubjects(std::vector<std::uint64_t> subjects) {
  const std::size_t rows = subjects.size();
  std::vector<ColumnCells> cells = {{std::vector<double>(rows, 1), {}}, {{}, std::vector<std::uint16_t>(rows, 0)}, {}};
  return std::make_shared<const Table>(
      *Table::Create(SmallSchema(false, true), std::move(cells), rows, std::move(subjects)));
}

std::vector<std::uint32_t> RowsOf(const UnitTable& units, std::size_t unit) {
  return {units.rows(unit).begin(), units.rows(unit).end()};
}

TEST(UnitTable, MakesEveryRowAUnitAtRecordLevel) {
  const UnitTable units = UnitTable::Records(std::make_shared<const Table>(*Make({1, 2, 3}, {0, 0, 0})));
  ASSERT_EQ(units.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(units.id(i), i);
    EXPECT_EQ(RowsOf(units, i), (std::vector<std::uint32_t>{static_cast<std::uint32_t>(i)}));
  }
  EXPECT_EQ(UnitTable::Records(std::make_shared<const Table>(*Make({}, {}))).size(), 0u);
}

TEST(UnitTable, GathersTheRowsOfASubjectUpToTheCap) {
  const Result<UnitTable> units = UnitTable::Subjects(WithSubjects({5, 9, 5, 5, 9, 4}), 2);
  ASSERT_TRUE(units.ok());
  ASSERT_EQ(units->size(), 3u);
  EXPECT_EQ(units->id(0), 5u);
  EXPECT_EQ(RowsOf(*units, 0), (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(RowsOf(*units, 1), (std::vector<std::uint32_t>{1, 4}));
  EXPECT_EQ(RowsOf(*units, 2), (std::vector<std::uint32_t>{5}));
}

TEST(UnitTable, ChangesNoOtherUnitWhenASubjectLeaves) {
  const std::vector<std::uint64_t> all = {5, 9, 5, 5, 9, 4, 9, 5, 4};
  std::vector<std::uint64_t> left;
  std::vector<std::uint32_t> old_row;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == 9) continue;
    left.push_back(all[i]);
    old_row.push_back(static_cast<std::uint32_t>(i));
  }
  const Result<UnitTable> before = UnitTable::Subjects(WithSubjects(all), 2);
  const Result<UnitTable> after = UnitTable::Subjects(WithSubjects(left), 2);
  ASSERT_EQ(after->size() + 1, before->size());
  for (std::size_t unit = 0; unit < after->size(); ++unit) {
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t row : after->rows(unit)) rows.push_back(old_row[row]);
    std::size_t same = 0;
    while (before->id(same) != after->id(unit)) ++same;
    EXPECT_EQ(rows, RowsOf(*before, same));
  }
}

TEST(UnitTable, RefusesSubjectsWhereThereAreNone) {
  EXPECT_FALSE(UnitTable::Subjects(std::make_shared<const Table>(*Make({1}, {0})), 2).ok());
  EXPECT_FALSE(UnitTable::Subjects(WithSubjects({1}), 0).ok());
  EXPECT_FALSE(UnitTable::Subjects(WithSubjects({1}), UnitTable::kMaxRowsPerSubject + 1).ok());
}

TEST(SubjectId, IsTheBeginningOfALabelledSha256) {
  // printf 'synod.subject/1\nann' | sha256sum, first eight bytes reversed
  EXPECT_EQ(SubjectId("ann"), 0x57097aae0063f33cull);
}

}  // namespace
}  // namespace synod
