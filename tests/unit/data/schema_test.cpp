#include "common/data/schema.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "common/core/hex.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

std::string WithColumn(const std::string& column) {
  return "name = \"t\"\n[[column]]\nname = \"x\"\ntype = \"integer\"\nmin = 0\nmax = 9\n[[column]]\n" + column;
}

Error ErrorOf(const std::string& toml) {
  const Result<Schema> schema = Schema::FromToml(toml, "t.toml");
  EXPECT_FALSE(schema.ok()) << toml;
  return schema.ok() ? Error{} : schema.error();
}

// The message must say file, line and key.
void ExpectSchemaRefused(const std::string& column, const std::string& where, const std::string& what) {
  const Error error = ErrorOf(WithColumn(column));
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_EQ(error.message.rfind("t.toml:" + where, 0), 0u) << error.message;
  EXPECT_NE(error.message.find(what), std::string::npos) << error.message;
}

TEST(Schema, ReadsEveryKindOfColumn) {
  const Result<Schema> schema = Schema::FromToml(R"(
name = "all"
[[column]]
name = "c"
type = "continuous"
min = -1.5
max = 2
decimals = 1
special_values = [0, 0.5]
missing = true
[[column]]
name = "k"
type = "categorical"
values = ["a", "b", "c"]
[[column]]
name = "y"
type = "binary"
values = ["no", "yes"]
role = "label"
[[column]]
name = "d"
type = "datetime"
min = 2020-01-01
max = "2020-12-31"
[[column]]
name = "t"
type = "datetime"
min = 2020-01-01T01:00:00+01:00
max = "2020-01-01T12:00:00Z"
[[column]]
name = "who"
role = "subject"
[[column]]
name = "note"
role = "ignored"
)",
                                                 "all.toml");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  const std::vector<Column>& columns = schema->columns();
  ASSERT_EQ(columns.size(), 7u);
  EXPECT_EQ(columns[0].minimum, -1.5);
  EXPECT_EQ(columns[0].decimals, 1);
  EXPECT_EQ(columns[0].special_values, (std::vector<double>{0, 0.5}));
  EXPECT_TRUE(columns[0].missing_allowed);
  EXPECT_EQ(columns[3].minimum, 1577836800.0);
  EXPECT_TRUE(columns[3].is_whole_days());
  EXPECT_EQ(columns[4].minimum, 1577836800.0);
  EXPECT_FALSE(columns[4].is_whole_days());
  EXPECT_EQ(schema->label(), 2);
  EXPECT_EQ(schema->subject(), 5);
}

TEST(Schema, SurvivesJsonWithTheSameHash) {
  const Result<Schema> schema = Schema::FromFile(std::string(SYNOD_SOURCE_DIR) + "/configs/schemas/randhie.toml");
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  const Result<std::string> text = CanonicalJsonText(schema->ToJson());
  ASSERT_TRUE(text.ok());
  const Result<Json> parsed = ParseJson(*text, 1 << 20);
  ASSERT_TRUE(parsed.ok());
  const Result<Schema> again = Schema::FromJson(*parsed);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(ToHex(again->Hash()), ToHex(schema->Hash()));
}

TEST(Schema, HashIsTheSha256OfItsCanonicalBytes) {
  Column column;
  column.name = "x";
  column.type = ColumnType::kInteger;
  column.maximum = 9;
  const Result<Schema> schema = Schema::Create("t", {column});
  ASSERT_TRUE(schema.ok());
  // printf
  // 'synod.schema/1\n{"columns":[{"max":9,"min":0,"missing":false,"name":"x","role":"feature","type":"integer"}],
  // "name":"t"}' | sha256sum
  EXPECT_EQ(ToHex(schema->Hash()), "002591cd6e3990fc13ace1eadf160b7f65b0714ffb656edf5d962a51d7865c51");
}

TEST(Schema, HashChangesWithEveryPart) {
  const auto hash = [](const std::string& column) {
    const Result<Schema> schema = Schema::FromToml("name = \"t\"\n[[column]]\nname = \"x\"\n" + column, "t.toml");
    EXPECT_TRUE(schema.ok()) << schema.error().message;
    return schema->Hash();
  };
  const Digest base = hash("type = \"continuous\"\nmin = 0\nmax = 9");
  for (const char* other :
       {"type = \"integer\"\nmin = 0\nmax = 9", "type = \"continuous\"\nmin = 1\nmax = 9",
        "type = \"continuous\"\nmin = 0\nmax = 8", "type = \"continuous\"\nmin = 0\nmax = 9\nmissing = true",
        "type = \"continuous\"\nmin = 0\nmax = 9\ndecimals = 2",
        "type = \"continuous\"\nmin = 0\nmax = 9\nspecial_values = [0]",
        "type = \"continuous\"\nmin = 0\nmax = 9\nscale = \"log\"",
        "type = \"continuous\"\nmin = 0\nmax = 9\nscale = \"linear\""}) {
    EXPECT_NE(hash(other), base) << other;
  }
}

TEST(Schema, RefusesEachFaultWithFileLineAndKey) {
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\nmaximum = 2\n", "12: column[2].maximum",
                      "known key");
  ExpectSchemaRefused("name = \"y\"\ntype = 5\n", "9: column[2].type", "must be a text");
  ExpectSchemaRefused("name = \"y\"\ntype = \"real\"\n", "9: column[2].type", "one of: continuous");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\n", "7: column[2].max", "required");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = nan\nmax = 1\n", "10: column[2].min", "NaN");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = inf\n", "11: column[2].max", "infinite");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = \"0\"\nmax = 1\n", "10: column[2].min",
                      "must be a number");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 2\nmax = 1\n", "10: column[2].min", "greater than max");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0.5\nmax = 1\n", "10: column[2].min", "whole number");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1e300\n", "11: column[2].max", "2^53");
  ExpectSchemaRefused("name = \"x\"\ntype = \"integer\"\nmin = 0\nmax = 1\n", "8: column[2].name", "two columns");
  ExpectSchemaRefused("name = \"\"\ntype = \"integer\"\nmin = 0\nmax = 1\n", "8: column[2].name", "empty");
  ExpectSchemaRefused("name = \"a\\nb\"\ntype = \"integer\"\nmin = 0\nmax = 1\n", "8: column[2].name", "control");
  ExpectSchemaRefused("type = \"integer\"\nmin = 0\nmax = 1\n", "7: column[2].name", "required");
  ExpectSchemaRefused("name = \"y\"\ntype = \"categorical\"\n", "7: column[2].values", "required");
  ExpectSchemaRefused("name = \"y\"\ntype = \"categorical\"\nvalues = []\n", "10: column[2].values", "empty");
  ExpectSchemaRefused("name = \"y\"\ntype = \"categorical\"\nvalues = [\"a\", \"\"]\n", "10: column[2].values",
                      "empty");
  ExpectSchemaRefused("name = \"y\"\ntype = \"categorical\"\nvalues = [\"a\", 1]\n", "10: column[2].values", "texts");
  ExpectSchemaRefused("name = \"y\"\ntype = \"categorical\"\nvalues = [\"a\", \"a\"]\n", "10: column[2].values",
                      "twice");
  ExpectSchemaRefused("name = \"y\"\ntype = \"categorical\"\nvalues = [\"a \"]\n", "10: column[2].values", "blank");
  ExpectSchemaRefused("name = \"y\"\ntype = \"binary\"\nvalues = [\"a\"]\n", "10: column[2].values", "two");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\nvalues = [\"a\"]\n", "12: column[2].values",
                      "known key");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\ndecimals = 1\n", "12: column[2].decimals",
                      "known key");
  ExpectSchemaRefused("name = \"y\"\ntype = \"continuous\"\nmin = 0\nmax = 1\ndecimals = -2\n",
                      "12: column[2].decimals", "between");
  ExpectSchemaRefused("name = \"y\"\ntype = \"continuous\"\nmin = 0.05\nmax = 1\ndecimals = 1\n", "10: column[2].min",
                      "digits");
  ExpectSchemaRefused("name = \"y\"\ntype = \"continuous\"\nmin = 0\nmax = 1\nspecial_values = [2]\n",
                      "12: column[2].special_values", "outside");
  ExpectSchemaRefused("name = \"y\"\ntype = \"continuous\"\nmin = 0\nmax = 1\nspecial_values = [1, 1.0]\n",
                      "12: column[2].special_values", "twice");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\nscale = \"cubic\"\n", "12: column[2].scale",
                      "one of: linear, log");
  ExpectSchemaRefused("name = \"y\"\ntype = \"continuous\"\nmin = -1\nmax = 1\nscale = \"log\"\n",
                      "12: column[2].scale", "below 0");
  ExpectSchemaRefused("name = \"y\"\ntype = \"binary\"\nvalues = [\"a\", \"b\"]\nscale = \"log\"\n",
                      "11: column[2].scale", "known key");
  ExpectSchemaRefused("name = \"y\"\ntype = \"datetime\"\nmin = 2020-01-01\nmax = 2021-01-01\nscale = \"log\"\n",
                      "12: column[2].scale", "known key");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\natoms = [0]\n", "12: column[2].atoms",
                      "known key");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\nmissing = 1\n", "12: column[2].missing",
                      "true or false");
  ExpectSchemaRefused("name = \"y\"\ntype = \"integer\"\nmin = 0\nmax = 1\nrole = \"key\"\n", "12: column[2].role",
                      "one of");
  ExpectSchemaRefused("name = \"y\"\ntype = \"datetime\"\nmin = 5\nmax = 2020-01-01\n", "10: column[2].min", "a date");
  ExpectSchemaRefused("name = \"y\"\ntype = \"datetime\"\nmin = \"2020-02-30\"\nmax = 2020-03-01\n",
                      "10: column[2].min", "date");
}

TEST(Schema, RefusesFaultsOfTheWholeFile) {
  EXPECT_NE(ErrorOf("name = \"t\"\nname = \"u\"\n").message.find("t.toml:2: a key or table is given twice"),
            std::string::npos);
  EXPECT_NE(ErrorOf("name = \"t\"\n[[column]\n").message.find("t.toml:2: not valid TOML"), std::string::npos);
  EXPECT_NE(ErrorOf("name = \"t\"\n").message.find("feature"), std::string::npos);
  EXPECT_NE(ErrorOf("[[column]]\nname = \"x\"\n").message.find("name: is required"), std::string::npos);
  EXPECT_NE(ErrorOf("name = \"t\"\ncolumns = 3\n").hint.find("did you mean \"column\""), std::string::npos);
  EXPECT_NE(ErrorOf("name = \"t\"\ncolumn = 3\n").message.find("list of tables"), std::string::npos);
  EXPECT_NE(ErrorOf(WithColumn("name = \"y\"\nrole = \"subject\"\n[[column]]\nname = \"z\"\nrole = \"subject\"\n"))
                .message.find("column[3].role"),
            std::string::npos);
}

TEST(Schema, DoesNotQuoteAFileThatIsNoSchemaAtAll) {
  const Error error = ErrorOf("39,Secretville,truX\n'SecretName,50");
  EXPECT_EQ(error.message.find("Secret"), std::string::npos) << error.message;
}

TEST(Schema, RefusesJsonThatIsNotOne) {
  const Json good =
      Schema::FromToml(WithColumn("name = \"y\"\ntype = \"binary\"\nvalues = [\"0\", \"1\"]\n"), "t")->ToJson();
  const auto refused = [&](const std::function<void(Json&)>& spoil) {
    Json json = good;
    spoil(json);
    EXPECT_FALSE(Schema::FromJson(json).ok()) << json.dump();
  };
  ASSERT_TRUE(Schema::FromJson(good).ok());
  refused([](Json& json) { json = Json::array(); });
  refused([](Json& json) { json["columns"] = 3; });
  refused([](Json& json) { json["extra"] = 3; });
  refused([](Json& json) { json.erase("name"); });
  refused([](Json& json) { json["columns"][0]["min"] = "0"; });
  refused([](Json& json) { json["columns"][0]["min"] = 10; });
  refused([](Json& json) { json["columns"][0]["min"] = std::numeric_limits<double>::quiet_NaN(); });
  refused([](Json& json) { json["columns"][0]["type"] = "text"; });
  refused([](Json& json) { json["columns"][0]["decimals"] = 1e9; });
  refused([](Json& json) { json["columns"][0]["scale"] = "cubic"; });
  refused([](Json& json) { json["columns"][0]["scale"] = 1; });
  refused([](Json& json) { json["columns"][0]["surprise"] = 1; });
  refused([](Json& json) { json["columns"][0].erase("missing"); });
  refused([](Json& json) { json["columns"][1]["values"] = {"0", 1}; });
  refused([](Json& json) { json["columns"][1]["values"] = {"0", "\xFF"}; });
  refused([](Json& json) { json["columns"][1]["name"] = "x"; });
  refused([](Json& json) { json["columns"][1] = "y"; });
}

TEST(Schema, RefusesTooMuchOfAnything) {
  const Column column{"x", ColumnType::kInteger, ColumnRole::kFeature, 0, 1, {}, false, -1, {}};
  std::vector<Column> many(Schema::kMaxColumns + 1, column);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].name = std::to_string(i);
  EXPECT_FALSE(Schema::Create("t", many).ok());
  many.pop_back();
  EXPECT_TRUE(Schema::Create("t", many).ok());

  Column categories{"x", ColumnType::kCategorical, ColumnRole::kFeature, 0, 0, {}, false, -1, {}};
  for (std::size_t i = 0; i <= Schema::kMaxCategories; ++i) categories.values.push_back(std::to_string(i));
  EXPECT_FALSE(Schema::Create("t", {categories}).ok());
  categories.values.pop_back();
  EXPECT_TRUE(Schema::Create("t", {categories}).ok());

  Column long_name = column;
  long_name.name = std::string(Schema::kMaxNameBytes + 1, 'a');
  EXPECT_FALSE(Schema::Create("t", {long_name}).ok());
}

TEST(Schema, LoadsTheSchemasOfTheProject) {
  for (const char* name : {"adult", "heart4_missing", "randhie", "support2"}) {
    const Result<Schema> schema =
        Schema::FromFile(std::string(SYNOD_SOURCE_DIR) + "/configs/schemas/" + name + ".toml");
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    EXPECT_GE(schema->label(), 0);
  }
}

TEST(Schema, LoadsTheSchemasOfTheReferenceData) {
  for (const char* name : {"adult", "heart4", "support2"}) {
    SYNOD_SHARED_OR_SKIP(path, std::string("data/") + name + "/schema.toml");
    const Result<Schema> schema = Schema::FromFile(path);
    EXPECT_TRUE(schema.ok()) << schema.error().message;
  }
}

}  // namespace
}  // namespace synod
