// Integers modulo 2^32 or 2^64 as little-endian words.
#pragma once

#include <cstdint>
#include <span>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/query/sums.h"

namespace synod {

// 32 or 64, as plans write it; anything else is BadInput.
Result<WordBits> WordBitsFromNumber(std::uint32_t number);

constexpr std::size_t WordBytes(WordBits bits) {
  return static_cast<std::size_t>(bits) / 8;
}

Bytes EncodeWords(std::span<const std::int64_t> values, WordBits bits);

// Adds `words` to `total`; words.size() == total.size() * WordBytes(bits) (our own duty). The upper half of a total of
// 32-bit words means nothing.
void AddWords(ByteView words, WordBits bits, std::span<std::uint64_t> total);

// The representative of `total` modulo 2^bits in [-2^(bits-1), 2^(bits-1)).
constexpr std::int64_t Centred(std::uint64_t total, WordBits bits) {
  return bits == WordBits::k32 ? static_cast<std::int64_t>(static_cast<std::int32_t>(total))
                               : static_cast<std::int64_t>(total);
}

// values[i] = the centred representative of word i, divided by gamma; words.size() == values.size() * WordBytes(bits).
void DecodeWords(ByteView words, WordBits bits, double gamma, std::span<double> values);

}  // namespace synod
