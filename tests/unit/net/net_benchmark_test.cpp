#include "tools/bench/net_benchmark.h"

#include <gtest/gtest.h>

namespace synod {
namespace {

TEST(NetBenchmark, GivesFiguresThatArePossible) {
  const Result<NetTiming> timing = TimeNet({3u << 20, 3, 2, 5});
  ASSERT_TRUE(timing.ok()) << timing.error().message;
  EXPECT_GT(timing->mb_per_s, 0.0);
  EXPECT_GT(timing->round_trip_ms, 0.0);
  EXPECT_GT(timing->wire_bytes_per_byte, 1.0);
  EXPECT_LT(timing->wire_bytes_per_byte, 1.01);
}

}  // namespace
}  // namespace synod
