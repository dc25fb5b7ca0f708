#include "common/core/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace synod {
namespace {

Result<std::unique_ptr<int>> Half(int value) {
  if (value % 2 != 0) return BadInput("odd", "use an even number");
  return std::make_unique<int>(value / 2);
}

Result<int> Quarter(int value) {
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<int> half, Half(value));
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<int> quarter, Half(*half));
  return *quarter;
}

TEST(Result, CarriesMoveOnlyValuesThroughTheMacros) {
  ASSERT_TRUE(Quarter(8).ok());
  EXPECT_EQ(*Quarter(8), 2);
}

TEST(Result, ReturnsTheFirstErrorWithCodeAndHint) {
  const Result<int> result = Quarter(6);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
  EXPECT_EQ(result.error().hint, "use an even number");
  EXPECT_EQ(result.error().Within("file.toml").message, "file.toml: odd");
}

TEST(ResultDeathTest, ReadingAValueThatIsNotThereEndsTheProgram) {
  const Result<int> result = BadInput("no");
  EXPECT_DEATH(static_cast<void>(result.value()), "internal error");
}

}  // namespace
}  // namespace synod
