#include "common/query/unmasked_words.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/query/words.h"

namespace synod {
namespace {

static_assert(std::endian::native == std::endian::little, "words travel little-endian");

template <typename Word>
void Write(std::span<const std::int64_t> values, std::span<std::uint8_t> words) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto word = static_cast<Word>(values[i]);
    std::memcpy(words.data() + i * sizeof(Word), &word, sizeof(Word));
  }
}

}  // namespace

UnmaskedWords::UnmaskedWords(NoisedSum&& sum, WordBits bits)
    : words_(sum.values_.size() * WordBytes(bits)), bits_(bits) {
  const std::vector<std::int64_t> values = std::move(sum.values_);
  bits == WordBits::k32 ? Write<std::uint32_t>(values, words_.bytes()) : Write<std::uint64_t>(values, words_.bytes());
}

Bytes UnmaskedWords::EncodeForLocalPair(NoisedSum&& sum, WordBits bits) {
  return EncodeWords(sum.values_, bits);
}

Result<UnmaskedWords> UnmaskedWords::FromLocalPair(Bytes&& words, WordBits bits, std::uint64_t dimension) {
  const Bytes taken = std::move(words);
  if (taken.size() != dimension * WordBytes(bits)) return BadInput("a noised sum has the wrong length");
  return UnmaskedWords(SecretBytes::CopyOf(taken), bits);
}

}  // namespace synod
