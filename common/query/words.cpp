#include "common/query/words.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "common/core/check.h"

namespace synod {
namespace {

static_assert(std::endian::native == std::endian::little, "words travel little-endian");

template <typename Word>
Bytes Encode(std::span<const std::int64_t> values) {
  Bytes bytes(values.size() * sizeof(Word));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto word = static_cast<Word>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(Word), &word, sizeof(Word));
  }
  return bytes;
}

template <typename Word>
void Add(ByteView words, std::span<std::uint64_t> total) {
  for (std::size_t i = 0; i < total.size(); ++i) {
    Word word = 0;
    std::memcpy(&word, words.data() + i * sizeof(Word), sizeof(Word));
    total[i] += word;
  }
}

template <typename Word>
void Decode(ByteView words, double gamma, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Word word = 0;
    std::memcpy(&word, words.data() + i * sizeof(Word), sizeof(Word));
    values[i] = static_cast<double>(static_cast<std::make_signed_t<Word>>(word)) / gamma;
  }
}

}  // namespace

Result<WordBits> WordBitsFromNumber(std::uint32_t number) {
  if (number == 32) return WordBits::k32;
  if (number == 64) return WordBits::k64;
  return BadInput("the words of an answer have 32 or 64 bits");
}

Bytes EncodeWords(std::span<const std::int64_t> values, WordBits bits) {
  return bits == WordBits::k32 ? Encode<std::uint32_t>(values) : Encode<std::uint64_t>(values);
}

void AddWords(ByteView words, WordBits bits, std::span<std::uint64_t> total) {
  SYNOD_CHECK(words.size() == total.size() * WordBytes(bits), "words of another length than the accumulator");
  bits == WordBits::k32 ? Add<std::uint32_t>(words, total) : Add<std::uint64_t>(words, total);
}

void DecodeWords(ByteView words, WordBits bits, double gamma, std::span<double> values) {
  SYNOD_CHECK(words.size() == values.size() * WordBytes(bits), "words of another length than the values");
  bits == WordBits::k32 ? Decode<std::uint32_t>(words, gamma, values) : Decode<std::uint64_t>(words, gamma, values);
}

}  // namespace synod
