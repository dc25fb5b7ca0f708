#include "common/core/hex.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

TEST(Hex, GoesThereAndBack) {
  const Bytes bytes = {0x00, 0x7f, 0xff, 0xa5};
  EXPECT_EQ(ToHex(bytes), "007fffa5");
  const Result<Bytes> back = FromHex("007fFFA5");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, bytes);
}

TEST(Hex, RefusesOddLengthsOtherLettersAndWrongSizes) {
  EXPECT_FALSE(FromHex("abc").ok());
  EXPECT_FALSE(FromHex("zz").ok());
  EXPECT_FALSE(FixedFromHex<4>("aabb").ok());
  EXPECT_TRUE(FixedFromHex<2>("aabb").ok());
}

}  // namespace
}  // namespace synod
