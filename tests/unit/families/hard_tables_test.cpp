// Every family on the tables that break generators: one column, hundreds, one value, nothing but missing values, a
// thousand categories, a class that a site has never seen, nobody at all. Whatever comes out satisfies the schema.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/families/settings.h"
#include "tests/unit/families/small_federation.h"

namespace synod::testing {
namespace {

class HardTable : public ::testing::TestWithParam<FamilySetting> {
 protected:
  std::unique_ptr<Generator> TrainOn(const std::shared_ptr<const Schema>& schema, const Table& table,
                                     const std::string& more = "steps = 3\nbatch = 50\n", std::uint32_t sites = 1) {
    return Train({schema, 300, std::string(GetParam().model) + more, 20.0, sites, GetParam().family}, table);
  }
};

std::vector<FamilySetting> WithRecordsAsUnits() {
  std::vector<FamilySetting> settings;
  for (const FamilySetting& setting : kFamilySettings) {
    // How gradients are clipped is nothing to these tables.
    const bool another_clip = std::string_view(setting.model).find("clipping") != std::string_view::npos;
    if (!setting.subjects && !another_clip) settings.push_back(setting);
  }
  return settings;
}

INSTANTIATE_TEST_SUITE_P(Families, HardTable, ::testing::ValuesIn(WithRecordsAsUnits()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(HardTable, OfOneColumnOfAnyKind) {
  for (const Column& column : {Number("x", ColumnType::kContinuous, -2, 3), Number("n", ColumnType::kInteger, 0, 9),
                               Categories("c", 3), Categories("b", 2)}) {
    const auto schema = SchemaOf({column});
    if (std::string_view(GetParam().model).find("coupling") != std::string_view::npos) {
      const Result<FamilyPlan> plan =
          TryPlan({schema, 300, std::string(GetParam().model) + "steps = 3\nbatch = 50\n", 20.0, 1, GetParam().family});
      EXPECT_FALSE(plan.ok()) << "there is nothing to couple";
      continue;
    }
    EXPECT_EQ(Draw(*TrainOn(schema, RandomTable(schema, 300, 8)), 64).rows(), 64U) << column.name;
  }
}

TEST_P(HardTable, OfColumnsWithOneValueEach) {
  const auto schema = SchemaOf(
      {Number("x", ColumnType::kContinuous, 2, 2), Number("n", ColumnType::kInteger, -1, -1), Categories("c", 1)});
  const Table drawn = Draw(*TrainOn(schema, RandomTable(schema, 300, 9)), 64);
  for (std::size_t row = 0; row < 64; ++row) {
    EXPECT_EQ(drawn.column(0).numbers[row], 2.0);
    EXPECT_EQ(drawn.column(1).numbers[row], -1.0);
    EXPECT_EQ(drawn.column(2).codes[row], 0);
  }
}

TEST_P(HardTable, WithColumnsThatAreMissingInEveryRow) {
  Column number = Number("x", ColumnType::kContinuous, 0, 1);
  Column kind = Categories("c", 3);
  number.missing_allowed = kind.missing_allowed = true;
  const auto schema = SchemaOf({number, kind, Categories("flag", 2)});
  std::vector<ColumnCells> cells(3);
  for (std::size_t row = 0; row < 300; ++row) {
    cells[0].numbers.push_back(std::nan(""));
    cells[1].codes.push_back(3);  // one past the last: missing
    cells[2].codes.push_back(static_cast<std::uint16_t>(row % 2));
  }
  const Result<Table> table = Table::Create(schema, std::move(cells), 300);
  ASSERT_TRUE(table.ok()) << table.error().message;
  const Table drawn = Draw(*TrainOn(schema, *table), 200);
  std::size_t missing = 0;
  for (std::size_t row = 0; row < 200; ++row) missing += drawn.IsMissing(0, row) ? 1 : 0;
  EXPECT_GT(missing, 40U) << "of 200: at epsilon 20 the noisy histogram says so; a network hardly trained says half";
}

TEST_P(HardTable, OfTwoHundredColumns) {
  std::vector<Column> columns;
  for (std::size_t j = 0; j < 200; ++j) {
    const std::string name = fmt::format("c{}", j);
    if (j % 4 == 0) columns.push_back(Number(name, ColumnType::kContinuous, -1, 1));
    if (j % 4 == 1) columns.push_back(Number(name, ColumnType::kInteger, 0, 1000));
    if (j % 4 >= 2) columns.push_back(Categories(name, 2 + j % 5));
  }
  const auto schema = SchemaOf(std::move(columns));
  EXPECT_EQ(Draw(*TrainOn(schema, RandomTable(schema, 60, 10), "steps = 2\nbatch = 20\n"), 16).rows(), 16U);
}

TEST_P(HardTable, WithAThousandCategories) {
  const auto schema = SchemaOf({Categories("postcode", 1000), Categories("flag", 2)});
  EXPECT_EQ(Draw(*TrainOn(schema, RandomTable(schema, 300, 11)), 64).rows(), 64U);
}

TEST_P(HardTable, WhoseSitesEachSeeOneClassOfTheLabel) {
  Column label = Categories("died", 2);
  label.role = ColumnRole::kLabel;
  const auto schema = SchemaOf({Number("age", ColumnType::kInteger, 0, 110), label});
  std::vector<ColumnCells> cells(2);
  for (std::size_t row = 0; row < 300; ++row) {
    cells[0].numbers.push_back(static_cast<double>(row % 100));
    cells[1].codes.push_back(row < 100 ? 1 : 0);
  }
  const Table table = Table::Create(schema, std::move(cells), 300).value();
  EXPECT_EQ(Draw(*TrainOn(schema, table, "steps = 3\nbatch = 50\n", 3), 64).rows(), 64U);
}

// Batches of one expected unit are empty every third time; a site without rows always answers with noise alone.
TEST_P(HardTable, OfNobodyAndBatchesThatAreOftenEmpty) {
  const auto schema = MixedSchema();
  EXPECT_EQ(Draw(*TrainOn(schema, RandomTable(schema, 0, 12)), 64).rows(), 64U);
  EXPECT_EQ(Draw(*TrainOn(schema, RandomTable(schema, 300, 12), "steps = 12\nbatch = 1\n"), 64).rows(), 64U);
}

TEST_P(HardTable, GivesRowsThatDependOnSeedAndBlockAlone) {
  const auto schema = MixedSchema();
  const auto generator = TrainOn(schema, RandomTable(schema, 300, 13));
  const Table longer = Draw(*generator, 300);
  const Table shorter = Draw(*generator, 100);
  bool differs = false;
  const Table other = generator->Block(3, 1, 100, {}).value();
  for (std::size_t row = 0; row < 100; ++row) {
    EXPECT_EQ(longer.column(3).numbers[row], shorter.column(3).numbers[row]) << "a longer block begins alike";
    EXPECT_EQ(longer.column(1).codes[row], shorter.column(1).codes[row]);
    differs = differs || longer.column(3).numbers[row] != other.column(3).numbers[row];
  }
  EXPECT_TRUE(differs) << "another block is another stream";
}

// A condition is met exactly, or refused with a reason: never ignored.
TEST_P(HardTable, KeepsAConditionOrRefusesIt) {
  const auto schema = MixedSchema();
  const auto generator = TrainOn(schema, RandomTable(schema, 300, 14));
  const GivenValue given[] = {{2, 0.0, 1}};
  const Result<Table> drawn = generator->Block(3, 0, 40, given);
  if (!drawn.ok()) {
    EXPECT_EQ(drawn.error().code, ErrorCode::kBadInput);
    EXPECT_FALSE(drawn.error().message.empty());
    return;
  }
  for (std::size_t row = 0; row < 40; ++row) EXPECT_EQ(drawn->column(2).codes[row], 1);
  const GivenValue impossible[] = {{2, 0.0, 7}};
  EXPECT_FALSE(generator->Block(3, 0, 40, impossible).ok());
}

}  // namespace
}  // namespace synod::testing
