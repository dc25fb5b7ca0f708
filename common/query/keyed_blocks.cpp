#include "common/query/keyed_blocks.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/crypto/keyed_hash.h"

namespace synod {
namespace {

__extension__ using Wide = unsigned __int128;

SecretBytes FreshKey(SecretRandom& random) {
  SecretBytes key(32);
  random.Fill(key.bytes());
  return key;
}

struct HashedUnit {
  std::uint64_t hash;
  std::uint32_t unit;
};

// Which of `count` equal intervals of 64-bit numbers a hash lies in: floor(hash count / 2^64).
std::uint64_t IntervalOf(std::uint64_t hash, std::uint64_t count) {
  return static_cast<std::uint64_t>((static_cast<Wide>(hash) * count) >> 64);
}

// The least hash of an interval: ceil(interval 2^64 / count).
std::uint64_t FirstOf(std::uint64_t interval, std::uint64_t count) {
  return static_cast<std::uint64_t>(((static_cast<Wide>(interval) << 64) + count - 1) / count);
}

// Walks sorted units block by block.
class Splitter {
 public:
  Splitter(std::span<const HashedUnit> sorted, std::uint32_t units_per_block, BlockedBatch& batch)
      : sorted_(sorted), units_per_block_(units_per_block), batch_(batch) {}

  // Ends the blocks of sorted_[begin, end), whose hashes lie from `first` to `last`.
  void Split(std::size_t begin, std::size_t end, std::uint64_t first, std::uint64_t last) {
    if (begin == end) return;
    if (end - begin <= units_per_block_) {
      batch_.block_ends.push_back(static_cast<std::uint32_t>(end));
      return;
    }
    SYNOD_CHECK(first < last, "units with equal hashes: their ids are not distinct");
    const std::uint64_t middle = first + (last - first) / 2;
    const auto later = std::partition_point(sorted_.begin() + static_cast<std::ptrdiff_t>(begin),
                                            sorted_.begin() + static_cast<std::ptrdiff_t>(end),
                                            [middle](const HashedUnit& unit) { return unit.hash <= middle; });
    const auto split = static_cast<std::size_t>(later - sorted_.begin());
    Split(begin, split, first, middle);
    Split(split, end, middle + 1, last);
  }

 private:
  std::span<const HashedUnit> sorted_;
  std::uint32_t units_per_block_;
  BlockedBatch& batch_;
};

}  // namespace

KeyedBlocks::KeyedBlocks(std::span<const std::uint64_t> unit_ids, SecretRandom& random)
    : hashes_(KeyedHashes(FreshKey(random), unit_ids)) {}

std::uint64_t KeyedBlocks::BaseBlocks(double expected_batch, std::uint32_t units_per_block) {
  SYNOD_CHECK(expected_batch >= 0.0 && expected_batch < 0x1p40 && units_per_block >= 1, "an impossible block size");
  // The mean m with m + 2 sqrt(m) = units_per_block.
  const double root = std::sqrt(1.0 + units_per_block) - 1.0;
  return static_cast<std::uint64_t>(std::max(1.0, std::ceil(expected_batch / (root * root))));
}

BlockedBatch KeyedBlocks::Group(std::span<const std::uint32_t> drawn, std::uint64_t base_blocks,
                                std::uint32_t units_per_block) const {
  SYNOD_CHECK(base_blocks >= 1 && units_per_block >= 1, "an impossible block size");
  std::vector<HashedUnit> sorted;
  sorted.reserve(drawn.size());
  for (const std::uint32_t unit : drawn) {
    SYNOD_CHECK(unit < hashes_.size(), "a drawn unit that does not exist");
    sorted.push_back({hashes_[unit], unit});
  }
  std::sort(sorted.begin(), sorted.end(), [](const HashedUnit& a, const HashedUnit& b) { return a.hash < b.hash; });

  BlockedBatch batch;
  batch.units.reserve(sorted.size());
  for (const HashedUnit& unit : sorted) batch.units.push_back(unit.unit);
  Splitter splitter(sorted, units_per_block, batch);
  for (std::size_t begin = 0; begin < sorted.size();) {
    const std::uint64_t interval = IntervalOf(sorted[begin].hash, base_blocks);
    std::size_t end = begin + 1;
    while (end < sorted.size() && IntervalOf(sorted[end].hash, base_blocks) == interval) ++end;
    splitter.Split(begin, end, FirstOf(interval, base_blocks),
                   interval + 1 == base_blocks ? ~std::uint64_t{0} : FirstOf(interval + 1, base_blocks) - 1);
    begin = end;
  }
  return batch;
}

}  // namespace synod
