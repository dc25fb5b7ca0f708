// Files with random damage: nothing may crash, and nothing that is said may repeat what a cell holds.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <random>

#include "common/data/load_table.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

constexpr const char* kMutatedSchema = R"(name = "m"
[[column]]
name = "age"
type = "integer"
min = 0
max = 120
[[column]]
name = "dose"
type = "continuous"
min = 0
max = 1000
decimals = 1
missing = true
special_values = [0, 5.5]
[[column]]
name = "town"
type = "categorical"
values = ["north", "south"]
[[column]]
name = "seen"
type = "datetime"
min = 2020-01-01
max = "2020-12-31T23:59:59Z"
[[column]]
name = "who"
role = "subject"
)";

// Cells with marks that no column, rule, path or number of ours contains.
constexpr const char* kMutatedCsv =
    "age,dose,town,seen,who,note\n"
    "41,5.5,north,2020-02-01,QQZKA,\"JJXQ,VVK\"\n"
    "QQZK,,south,2020-02-01T10:00:00Z,QQZKB,\"JJXQ\"\"VVK\"\n"
    "43,987.5,QQZKTOWN,2020-02-30,QQZKA,\"JJXQ\nVVK\"\n"
    "44,0,north,2020-12-31,,JJXQ\xC3\xA9\n";

std::string Mutated(std::string text, std::mt19937_64& random) {
  const std::size_t changes = 1 + random() % 4;
  for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ static_cast<char>(1u << random() % 8));
        break;
      case 1:
        text[at] = "\",\n\r\0 =[]'"[random() % 10];
        break;
      case 2:
        text.erase(at, 1 + random() % 6);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), 1 + random() % 12));
        break;
    }
  }
  return text;
}

// Any three letters of a mark would be a leak, whatever bits were flipped in the others.
void ExpectNothingRepeated(const std::string& said, const std::string& path) {
  std::string own = said;
  for (std::size_t at = own.find(path); at != std::string::npos; at = own.find(path)) own.erase(at, path.size());
  for (const char* mark : {"QQZ", "QZK", "JJX", "JXQ", "VVK", "987"}) {
    EXPECT_EQ(own.find(mark), std::string::npos) << own;
  }
}

TEST(Mutation, OfATableNeverCrashesAndNeverLeaks) {
  const Result<Schema> schema = Schema::FromToml(kMutatedSchema, "m.toml");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  const auto shared = std::make_shared<const Schema>(*schema);
  const std::string path = testing::TemporaryFolder() + "/m.csv";
  const std::string header(kMutatedCsv, std::string_view(kMutatedCsv).find('\n') + 1);
  const std::string body = std::string(kMutatedCsv).substr(header.size());
  std::mt19937_64 random(11);
  std::size_t loads = 0;
  for (int round = 0; round < 4000; ++round) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << header << Mutated(body, random);
    const RowPolicy policy = round % 2 == 0 ? RowPolicy::kDrop : RowPolicy::kClamp;
    const Result<LoadedTable> loaded = LoadTable(path, shared, policy);
    if (!loaded.ok()) {
      ExpectNothingRepeated(loaded.error().message + loaded.error().hint, path);
      continue;
    }
    ++loads;
    std::string said = loaded->report.ToJson().dump();
    for (const std::string& line : loaded->report.Lines()) said += line;
    ExpectNothingRepeated(said, path);
    EXPECT_EQ(loaded->report.rows_read, loaded->report.rows_kept + loaded->report.rows_dropped);
    EXPECT_EQ(loaded->table.rows(), loaded->report.rows_kept);
  }
  EXPECT_GT(loads, 1000u);  // the damage is small enough to reach behind the parser
}

TEST(Mutation, OfAWholeTableNeverCrashes) {
  const auto shared = std::make_shared<const Schema>(*Schema::FromToml(kMutatedSchema, "m.toml"));
  const std::string path = testing::TemporaryFolder() + "/m.csv";
  std::mt19937_64 random(12);
  for (int round = 0; round < 2000; ++round) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << Mutated(kMutatedCsv, random);
    const Result<LoadedTable> loaded = LoadTable(path, shared);
    EXPECT_TRUE(loaded.ok() || !loaded.error().message.empty());
  }
}

TEST(Mutation, OfASchemaNeverCrashesAndAlwaysNamesTheFile) {
  std::mt19937_64 random(13);
  std::size_t refused = 0;
  for (int round = 0; round < 10'000; ++round) {
    const Result<Schema> schema = Schema::FromToml(Mutated(kMutatedSchema, random), "m.toml");
    if (schema.ok()) continue;
    ++refused;
    EXPECT_EQ(schema.error().code, ErrorCode::kBadInput);
    EXPECT_EQ(schema.error().message.rfind("m.toml", 0), 0u) << schema.error().message;
  }
  EXPECT_GT(refused, 1000u);
}

TEST(Mutation, OfATableGivenAsASchemaRepeatsNoCell) {
  std::mt19937_64 random(14);
  for (int round = 0; round < 4000; ++round) {
    const Result<Schema> schema = Schema::FromToml(Mutated(kMutatedCsv, random), "m.toml");
    ASSERT_FALSE(schema.ok());
    ExpectNothingRepeated(schema.error().message + schema.error().hint, "m.toml");
  }
}

}  // namespace
}  // namespace synod
