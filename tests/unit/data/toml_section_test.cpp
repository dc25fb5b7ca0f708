#include "common/data/toml_section.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

TomlSection Parsed(const std::string& text) {
  Result<TomlSection> section = TomlSection::Parse(text, "f.toml");
  EXPECT_TRUE(section.ok()) << section.error().message;
  return *section;
}

TEST(TomlSection, GivesWhatIsThereAndTheDefaultWhereNot) {
  const TomlSection root = Parsed("a = 1\nb = 2.5\nc = true\nd = \"x\"\ne = [\"p\", \"q\"]\nf = [1, 2.5]\n");
  EXPECT_EQ(*root.Integer("a", 7, 0, 9), 1);
  EXPECT_EQ(*root.Real("a", 7, 0, 9), 1.0);
  EXPECT_EQ(*root.Real("b", 7, 0, 9), 2.5);
  EXPECT_EQ(*root.Bool("c", false), true);
  EXPECT_EQ(*root.Text("d", "y"), "x");
  EXPECT_EQ(*root.Strings("e", {}), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(*root.Reals("f", {}, 0, 9), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(*root.Integer("none", 7, 0, 9), 7);
  EXPECT_EQ(*root.Text("none", "y"), "y");
  EXPECT_TRUE(root.Finish().ok());
}

TEST(TomlSection, RefusesNumbersThatAreNone) {
  const TomlSection root = Parsed("a = nan\nb = inf\nc = -inf\nd = -nan\ne = \"1\"\nf = 1.0\ng = [1, nan]\n");
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    const Result<double> value = root.RequiredReal(key, -1e300, 1e300);
    ASSERT_FALSE(value.ok()) << key;
    EXPECT_EQ(value.error().code, ErrorCode::kBadInput);
    EXPECT_NE(value.error().message.find(std::string(": ") + key + ": must be"), std::string::npos);
  }
  EXPECT_FALSE(root.RequiredInteger("f", 0, 9).ok());
  EXPECT_FALSE(root.Reals("g", {}, 0, 9).ok());
}

TEST(TomlSection, HoldsNumbersToTheirRange) {
  const TomlSection root = Parsed("a = 10\nb = -0.1\n");
  EXPECT_EQ(root.Integer("a", 0, 0, 9).error().message, "f.toml:1: a: is 10; must be between 0 and 9");
  EXPECT_FALSE(root.Real("a", 0, 0, 9.999).ok());
  EXPECT_FALSE(root.Real("b", 0, 0, 1).ok());
  EXPECT_TRUE(root.Integer("a", 0, 10, 10).ok());
}

TEST(TomlSection, NamesFileLineAndKeyOfWhatIsMissing) {
  const TomlSection root = Parsed("\n[run]\nname = \"\"\n");
  const Result<TomlSection> run = root.Section("run");
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->RequiredText("name").error().message, "f.toml:3: run.name: must not be empty");
  EXPECT_EQ(run->RequiredReal("speed", 0, 1).error().message, "f.toml:2: run.speed: is required and not given");
  EXPECT_EQ(root.RequiredSection("model").error().hint, "add [model]");
}

TEST(TomlSection, FailsOnTheFirstKeyThatNobodyAskedFor) {
  const TomlSection root = Parsed("[privacy]\nepsilon = 1\nzeta = 2\ndelto = 3\n");
  const Result<TomlSection> privacy = root.Section("privacy");
  ASSERT_TRUE(privacy->RequiredReal("epsilon", 0, 9).ok());
  ASSERT_TRUE(privacy->Real("delta", 0, 0, 9).ok());
  const Status status = privacy->Finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "f.toml:3: privacy.zeta: is not a known key");
  ASSERT_TRUE(privacy->Real("zeta", 0, 0, 9).ok());
  EXPECT_EQ(privacy->Finish().error().hint, "did you mean \"delta\"?");
  EXPECT_TRUE(root.Finish().ok());  // the table itself was asked for
}

TEST(TomlSection, CopiesShareWhatWasAskedFor) {
  const TomlSection root = Parsed("[model]\nwidth = 3\n");
  const TomlSection model = *root.Section("model");
  const TomlSection copy = model;
  EXPECT_FALSE(model.Finish().ok());
  EXPECT_TRUE(copy.RequiredInteger("width", 1, 9).ok());
  EXPECT_TRUE(model.Finish().ok());
}

TEST(TomlSection, OutlivesTheRootThatItCameFrom) {
  Result<TomlSection> model = Parsed("[model]\nwidth = 3\n").Section("model");
  EXPECT_EQ(*model->RequiredInteger("width", 1, 9), 3);
}

TEST(TomlSection, ReadsAbsentTablesAsEmptyOnes) {
  const TomlSection root = Parsed("budget = 3\n");
  const Result<TomlSection> none = root.Section("data");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none->Text("train", "train.csv"), "train.csv");
  EXPECT_TRUE(none->Finish().ok());
  EXPECT_EQ(none->ErrorAt("train", "is wrong").message, "f.toml: data.train: is wrong");
  EXPECT_FALSE(root.Section("budget").ok());
}

TEST(TomlSection, RefusesKeysAndTablesGivenTwice) {
  for (const char* text :
       {"a = 1\na = 2\n", "[a]\n[a]\n", "[a]\nb = 1\nb = 1\n", "a.b = 1\na.b = 2\n", "a = 1\n[a]\n"}) {
    const Result<TomlSection> root = TomlSection::Parse(text, "f.toml");
    ASSERT_FALSE(root.ok()) << text;
    EXPECT_NE(root.error().message.find("given twice"), std::string::npos) << root.error().message;
  }
}

// The parser takes it for granted that a key begins here; it must be told apart in builds without assertions too.
TEST(TomlSection, RefusesTableHeadersWithoutAKeyAndLettersWhereNoneBelong) {
  for (const char* text : {"[+", "[.", "[\n", "[=]", "[,]", "[#", "[{", "[}", "[[[", "[\xc3\x80]", "a = 1\n[\\]\n",
                           "\xc3\xa4 = 1", "a \xc3\xa4 = 1", "a = 1 \xc3\xa4", "[a\xc3\xa4]", "a = [1,\xd2\x99]"}) {
    const Result<TomlSection> section = TomlSection::Parse(text, "f.toml");
    ASSERT_FALSE(section.ok()) << text;
    EXPECT_NE(section.error().message.find("f.toml"), std::string::npos) << text;
  }
}

TEST(TomlSection, RefusesTextThatIsNotToml) {
  EXPECT_FALSE(TomlSection::Parse("a = ", "f.toml").ok());
  EXPECT_FALSE(TomlSection::Parse("a = 99999999999999999999", "f.toml").ok());
  EXPECT_FALSE(TomlSection::Parse("a = \"\xFF\"", "f.toml").ok());
  EXPECT_FALSE(TomlSection::Parse("\x80", "f.toml").ok());
  EXPECT_FALSE(TomlSection::Parse(std::string("a = 1\0", 6), "f.toml").ok());
  EXPECT_FALSE(TomlSection::Parse("a = " + std::string(100'000, '['), "f.toml").ok());
  EXPECT_FALSE(TomlSection::Parse(std::string(TomlSection::kMaxFileBytes + 1, '\n'), "f.toml").ok());
  EXPECT_FALSE(TomlSection::FromFile("/nonexistent/f.toml").ok());
}

}  // namespace
}  // namespace synod
