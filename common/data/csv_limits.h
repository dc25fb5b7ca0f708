// The bounds of what is accepted from a CSV file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace synod {

inline constexpr std::size_t kCsvMaxCellBytes = 1u << 20;
inline constexpr std::size_t kCsvMaxRowBytes = 4u << 20;
inline constexpr std::size_t kCsvMaxFileColumns = 16'384;
inline constexpr std::size_t kCsvChunkBytes = 1u << 20;       // read and parsed at once
inline constexpr std::uint64_t kCsvMaxRows = 1'073'741'824u;  // 2^30: sums over more units are not proven exact enough

}  // namespace synod
