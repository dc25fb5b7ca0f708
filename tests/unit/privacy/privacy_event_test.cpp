#include "common/privacy/privacy_event.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/privacy/epsilon.h"

namespace synod {
namespace {

TEST(PrivacyEvents, AreRefusedOutsideTheirRange) {
  const double nan = std::nan("");
  for (const PrivacyEvent& bad : PrivacyEvents{{-0.1, 1.0, 1},
                                               {1.0000001, 1.0, 1},
                                               {nan, 1.0, 1},
                                               {0.5, 0.0, 1},
                                               {0.5, -1.0, 1},
                                               {0.5, nan, 1},
                                               {0.5, HUGE_VAL, 1},
                                               {0.5, 1e-3, 1},
                                               {0.5, 1.0, kMaxComposedEvents + 1}}) {
    const Status status = CheckEvents({{0.5, 1.0, 1}, bad});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kBadInput);
    EXPECT_NE(status.error().message.find("event 1"), std::string::npos) << status.error().message;
    EXPECT_FALSE(ComputeEpsilon({bad}, 1e-5).ok());
  }
  EXPECT_FALSE(CheckEvents({{0.5, 1.0, kMaxComposedEvents}, {0.4, 1.0, 1}}).ok());
  EXPECT_TRUE(CheckEvents({{0.0, 1.0, 1}, {1.0, 1.0, kMaxComposedEvents - 1}}).ok());
}

TEST(PrivacyEvents, MergeAddsEqualOnesAndForgetsThoseThatLookAtNobody) {
  const PrivacyEvents merged = MergeEvents({{0.1, 1.0, 2}, {0.0, 1.0, 9}, {0.1, 2.0, 1}, {0.1, 1.0, 3}, {0.3, 1.0, 0}});
  EXPECT_EQ(merged, (PrivacyEvents{{0.1, 1.0, 5}, {0.1, 2.0, 1}}));
}

TEST(PrivacyEvents, AdjacenciesHaveTheNamesOfTheCommandLine) {
  EXPECT_EQ(AdjacencyName(Adjacency::kAddRemove), "add-remove");
  EXPECT_EQ(AdjacencyName(Adjacency::kZeroOut), "zero-out");
  EXPECT_EQ(AdjacencyName(Adjacency::kReplaceOne), "replace-one");
}

}  // namespace
}  // namespace synod
