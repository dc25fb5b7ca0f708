#include "common/data/utf8.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

TEST(Utf8, AcceptsEveryCharacterAndNothingElse) {
  for (const char* text :
       {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEE\x80\x80"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
                           "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "12345678\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

TEST(Utf8, GivesTheSameAnswerWhereverTheStreamIsCut) {
  const std::string text = "abcdefgh\xE2\x82\xACijklmnopq\xF0\x9F\x98\x80\xC3\xA9";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Validator validator;
    EXPECT_EQ(validator.Feed(std::string_view(text).substr(0, cut)), Utf8Validator::kValid);
    EXPECT_EQ(validator.Feed(std::string_view(text).substr(cut)), Utf8Validator::kValid);
    EXPECT_TRUE(validator.AtBoundary());
  }
}

TEST(Utf8, SaysWhereTheFirstWrongByteIs) {
  Utf8Validator validator;
  EXPECT_EQ(validator.Feed("0123456789abc\xFFz"), 13u);
}

}  // namespace
}  // namespace synod
