#include "common/data/date_time.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

TEST(DateTime, ReadsBothForms) {
  EXPECT_EQ(ParseDateTime("1970-01-01"), 0);
  EXPECT_EQ(ParseDateTime("2000-02-29"), 951782400);
  EXPECT_EQ(ParseDateTime("2024-01-31T12:00:01"), 1706702401);
  EXPECT_EQ(ParseDateTime("2024-01-31T12:00:01Z"), 1706702401);
  EXPECT_EQ(ParseDateTime("0001-01-01"), -62135596800);
  EXPECT_EQ(ParseDateTime("9999-12-31T23:59:59Z"), 253402300799);
}

TEST(DateTime, RefusesWhatIsNoDate) {
  for (const char* text : {"",
                           "2024",
                           "2024-1-1",
                           "2024-13-01",
                           "2024-00-01",
                           "2023-02-29",
                           "2024-01-32",
                           "2024-01-00",
                           "0000-01-01",
                           "24-01-01",
                           "2024/01/01",
                           "2024-01-01T",
                           "2024-01-01T24:00:00",
                           "2024-01-01T12:60:00",
                           "2024-01-01T12:00:60",
                           "2024-01-01T12:00",
                           "2024-01-01T12:00:00z",
                           "2024-01-01T12:00:00+01:00",
                           "2024-01-01 12:00:00",
                           "2024-01-01T12:00:00Z ",
                           "-024-01-01",
                           "+2024-01-01",
                           "2024-01-01Z"}) {
    EXPECT_FALSE(ParseDateTime(text).has_value()) << text;
  }
}

TEST(DateTime, WritesWhatItReads) {
  for (const char* text :
       {"1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2024-02-29T12:34:56Z"}) {
    std::string out;
    AppendDateTime(*ParseDateTime(text), false, out);
    EXPECT_EQ(out, text);
    out.clear();
    AppendDateTime(*ParseDateTime(text), true, out);
    EXPECT_EQ(out, std::string(text).substr(0, 10));
  }
}

}  // namespace
}  // namespace synod
