// Puts the units of a batch into blocks by a keyed hash of their ids, so that one unit more or less changes the rows of
// its own block alone (and of the pieces that a too large block is split into): the bound on the float32 rounding of a
// sum (Grid) is the bound of one block.
//
// A block holds the units whose hashes lie in one of equal intervals, whose number is public (BaseBlocks). A block
// above the bound is split in the middle of its interval, and again. Inside a block the order is that of the hashes.
// The key is secret, drawn once per opened data set: ids only need to be distinct, because the hashes of units are
// independent and uniform. Const and thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/crypto/secret_bytes.h"
#include "common/crypto/secret_random.h"

namespace synod {

// The drawn units in block order, and where each block ends. Secret: it says who was drawn.
struct BlockedBatch {
  std::vector<std::uint32_t> units;
  std::vector<std::uint32_t> block_ends;

  std::size_t block_count() const { return block_ends.size(); }
  std::span<const std::uint32_t> block(std::size_t i) const {
    const std::uint32_t begin = i == 0 ? 0 : block_ends[i - 1];
    return std::span(units).subspan(begin, block_ends[i] - begin);
  }
};

class KeyedBlocks {
 public:
  // `unit_ids`: the distinct id of each unit, by unit number. Draws the key from `random`.
  KeyedBlocks(std::span<const std::uint64_t> unit_ids, SecretRandom& random);

  // The least number of intervals for which a block's mean, and two standard deviations of a Poisson number more, are
  // at most `units_per_block`: few blocks are split, and few are nearly empty. A public number, at least 1.
  static std::uint64_t BaseBlocks(double expected_batch, std::uint32_t units_per_block);

  // `drawn`: distinct unit numbers. `base_blocks` and `units_per_block` >= 1.
  BlockedBatch Group(std::span<const std::uint32_t> drawn, std::uint64_t base_blocks,
                     std::uint32_t units_per_block) const;

 private:
  std::vector<std::uint64_t> hashes_;  // by unit number
};

}  // namespace synod
