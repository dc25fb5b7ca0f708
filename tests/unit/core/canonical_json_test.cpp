#include "common/core/canonical_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace synod {
namespace {

std::string Canonical(const Json& value) {
  const Result<std::string> text = CanonicalJson("test", 1, value);
  return text.ok() ? *text : "error: " + text.error().message;
}

TEST(CanonicalJson, SortsKeysBytewiseAndWritesNoBlanks) {
  EXPECT_EQ(Canonical({{"b", 1}, {"a", {{"z", true}, {"B", "x"}}}, {"B", Json::array({1, 2})}}),
            "test/1\n{\"B\":[1,2],\"a\":{\"B\":\"x\",\"z\":true},\"b\":1}");
}

TEST(CanonicalJson, WritesRealsInTheirShortestRoundTripForm) {
  EXPECT_EQ(Canonical({0.1, 1e300, 1.0, -0.0, 1.0 / 3.0, 5e-324}),
            "test/1\n[0.1,1e+300,1,0,0.3333333333333333,5e-324]");
}

TEST(CanonicalJson, KeepsTheWholeRangeOfIntegers) {
  EXPECT_EQ(Canonical({std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max()}),
            "test/1\n[-9223372036854775808,18446744073709551615]");
}

TEST(CanonicalJson, KeepsUtf8AndEscapesOnlyWhatJsonMust) {
  EXPECT_EQ(Canonical("Zürich \"\\\n\x01"), "test/1\n\"Zürich \\\"\\\\\\n\\u0001\"");
}

TEST(CanonicalJson, RefusesNullNonFiniteNumbersAndInvalidUtf8) {
  EXPECT_FALSE(CanonicalJson("test", 1, nullptr).ok());
  EXPECT_FALSE(CanonicalJson("test", 1, {{"a", nullptr}}).ok());
  EXPECT_FALSE(CanonicalJson("test", 1, std::numeric_limits<double>::quiet_NaN()).ok());
  EXPECT_FALSE(CanonicalJson("test", 1, std::numeric_limits<double>::infinity()).ok());
  EXPECT_FALSE(CanonicalJson("test", 1, "\xff\xfe").ok());
}

TEST(ParseJson, ReadsBackWhatWasWritten) {
  const Json value = {{"a", 0.1}, {"b", Json::array({1, "x", false})}};
  const Result<Json> parsed = ParseJson(*CanonicalJsonText(value), 1000);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, value);
}

TEST(ParseJson, RefusesADuplicateKeyAndNamesIt) {
  const Result<Json> parsed = ParseJson(R"({"a":1,"b":{"c":1,"c":2}})", 1000);
  ASSERT_FALSE(parsed.ok());
  EXPECT_NE(parsed.error().message.find("\"c\""), std::string::npos);
}

TEST(ParseJson, RefusesTooMuchTooDeepAndBroken) {
  EXPECT_FALSE(ParseJson("[1,2,3]", 3).ok());
  EXPECT_FALSE(ParseJson(std::string(100000, '['), 1000000).ok());
  EXPECT_FALSE(ParseJson("{\"a\":", 1000).ok());
  EXPECT_FALSE(ParseJson("", 1000).ok());
}

}  // namespace
}  // namespace synod
