#include "common/query/keyed_blocks.h"

#include <algorithm>

#include "common/core/check.h"
#include "common/crypto/keyed_hash.h"

namespace synod {
namespace {

constexpr unsigned kHashBits = 64;

SecretBytes FreshKey(SecretRandom& random) {
  SecretBytes key(32);
  random.Fill(key.bytes());
  return key;
}

struct HashedUnit {
  std::uint64_t hash;
  std::uint32_t unit;
};

// Walks sorted units block by block.
class Splitter {
 public:
  Splitter(std::span<const HashedUnit> sorted, std::uint32_t units_per_block, BlockedBatch& batch)
      : sorted_(sorted), units_per_block_(units_per_block), batch_(batch) {}

  // Ends the blocks of sorted_[begin, end), whose hashes agree in their first `bits` bits.
  void Split(std::size_t begin, std::size_t end, unsigned bits) {
    if (begin == end) return;
    if (end - begin <= units_per_block_) {
      batch_.block_ends.push_back(static_cast<std::uint32_t>(end));
      return;
    }
    SYNOD_CHECK(bits < kHashBits, "units with equal hashes: their ids are not distinct");
    const std::uint64_t bit = std::uint64_t{1} << (kHashBits - 1 - bits);
    const auto middle = std::partition_point(sorted_.begin() + static_cast<std::ptrdiff_t>(begin),
                                             sorted_.begin() + static_cast<std::ptrdiff_t>(end),
                                             [bit](const HashedUnit& unit) { return (unit.hash & bit) == 0; });
    const auto split = static_cast<std::size_t>(middle - sorted_.begin());
    Split(begin, split, bits + 1);
    Split(split, end, bits + 1);
  }

 private:
  std::span<const HashedUnit> sorted_;
  std::uint32_t units_per_block_;
  BlockedBatch& batch_;
};

}  // namespace

KeyedBlocks::KeyedBlocks(std::span<const std::uint64_t> unit_ids, SecretRandom& random)
    : hashes_(KeyedHashes(FreshKey(random), unit_ids)) {}

unsigned KeyedBlocks::LeadingBits(double expected_batch, std::uint32_t units_per_block) {
  SYNOD_CHECK(expected_batch >= 0.0 && expected_batch < 0x1p40 && units_per_block >= 1, "an impossible block size");
  unsigned bits = 0;
  while (expected_batch > 0.5 * units_per_block) {
    expected_batch *= 0.5;
    ++bits;
  }
  return bits;
}

BlockedBatch KeyedBlocks::Group(std::span<const std::uint32_t> drawn, unsigned leading_bits,
                                std::uint32_t units_per_block) const {
  SYNOD_CHECK(leading_bits <= kHashBits && units_per_block >= 1, "an impossible block size");
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
  const auto prefix = [leading_bits](std::uint64_t hash) {
    return leading_bits == 0 ? 0 : hash >> (kHashBits - leading_bits);
  };
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin + 1;
    while (end < sorted.size() && prefix(sorted[end].hash) == prefix(sorted[begin].hash)) ++end;
    splitter.Split(begin, end, leading_bits);
    begin = end;
  }
  return batch;
}

}  // namespace synod
