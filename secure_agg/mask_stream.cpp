#include "secure_agg/mask_stream.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/core/check.h"

namespace synod::secure_agg {
namespace {

static_assert(std::endian::native == std::endian::little, "key streams are little-endian words");

// Stays in a near cache together with the piece of the vector that it is added to.
constexpr std::size_t kBlockBytes = 8u << 10;

template <typename Word, bool kSubtract>
void Combine(std::uint8_t* __restrict target, const std::uint8_t* __restrict source, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += sizeof(Word)) {
    Word a = 0;
    Word b = 0;
    std::memcpy(&a, target + i, sizeof(Word));
    std::memcpy(&b, source + i, sizeof(Word));
    a = kSubtract ? static_cast<Word>(a - b) : static_cast<Word>(a + b);
    std::memcpy(target + i, &a, sizeof(Word));
  }
}

void CombineWords(std::span<std::uint8_t> target, ByteView source, WordBits bits, MaskSign sign) {
  SYNOD_CHECK(target.size() == source.size() && target.size() % (static_cast<std::size_t>(bits) / 8) == 0,
              "words of different lengths");
  std::uint8_t* const to = target.data();
  const std::size_t size = target.size();
  if (bits == WordBits::k32) {
    sign == MaskSign::kAdd ? Combine<std::uint32_t, false>(to, source.data(), size)
                           : Combine<std::uint32_t, true>(to, source.data(), size);
  } else {
    sign == MaskSign::kAdd ? Combine<std::uint64_t, false>(to, source.data(), size)
                           : Combine<std::uint64_t, true>(to, source.data(), size);
  }
}

}  // namespace

MaskStreams::MaskStreams(const std::vector<Mask>& masks, WordBits bits, std::uint64_t first_byte)
    : block_(kBlockBytes), bits_(bits) {
  streams_.reserve(masks.size());
  for (const Mask& mask : masks) {
    streams_.push_back({AesCtrStream(mask.seed.view()), mask.sign});
    if (first_byte > 0) streams_.back().stream.Seek(first_byte);
  }
}

void MaskStreams::AddTo(std::span<std::uint8_t> words) {
  while (!words.empty()) {
    const std::size_t size = std::min(words.size(), kBlockBytes);
    const std::span<std::uint8_t> keystream = block_.bytes().first(size);
    for (Stream& stream : streams_) {
      stream.stream.Keystream(keystream);
      CombineWords(words.first(size), keystream, bits_, stream.sign);
    }
    words = words.subspan(size);
  }
}

void AddWordsInPlace(std::span<std::uint8_t> target, ByteView source, WordBits bits) {
  CombineWords(target, source, bits, MaskSign::kAdd);
}

}  // namespace synod::secure_agg
