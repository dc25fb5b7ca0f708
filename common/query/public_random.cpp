#include "common/query/public_random.h"

#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/core/check.h"
#include "common/crypto/sha256.h"

// A fused multiply-add would round differently from machine to machine: the build turns contraction off for this file.
namespace synod {
namespace {

static_assert(std::endian::native == std::endian::little, "words of random streams are little-endian");

Digest StreamKey(std::uint64_t seed, std::string_view label, std::uint64_t index) {
  Sha256Hasher hasher;  // seed and index have a fixed size, so that no two inputs are equal
  hasher.Update("synod.public_random");
  hasher.UpdateLittleEndian64(seed);
  hasher.Update(label);
  hasher.UpdateLittleEndian64(index);
  return hasher.Finish();
}

// The natural logarithm of x in (0, 1], by the series 2 artanh((m - 1) / (m + 1)) for m in [1/sqrt(2), sqrt(2)).
// The library's log differs in the last place between versions and processors.
double PortableLog(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2.0;
    --exponent;
  }
  const double ratio = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = ratio * ratio;
  double series = 0.0;
  for (int odd = 23; odd >= 1; odd -= 2) series = series * square + 1.0 / odd;
  return 2.0 * ratio * series + exponent * 0.69314718055994531;
}

}  // namespace

PublicRandom::PublicRandom(std::uint64_t seed, std::string_view label, std::uint64_t index)
    : stream_(StreamKey(seed, label, index)), words_(kBufferWords) {}

void PublicRandom::Refill() {
  stream_.Keystream({reinterpret_cast<std::uint8_t*>(words_.data()), words_.size() * sizeof(std::uint64_t)});
  position_ = 0;
}

// Marsaglia's polar method.
double PublicRandom::Normal() {
  if (has_spare_normal_) {
    has_spare_normal_ = false;
    return spare_normal_;
  }
  while (true) {
    const double x = 2.0 * Uniform() - 1.0;
    const double y = 2.0 * Uniform() - 1.0;
    const double square = x * x + y * y;
    if (square >= 1.0 || square == 0.0) continue;
    const double factor = std::sqrt(-2.0 * PortableLog(square) / square);
    spare_normal_ = y * factor;
    has_spare_normal_ = true;
    return x * factor;
  }
}

// Lemire (2019), "Fast random integer generation in an interval".
std::uint64_t PublicRandom::IntegerBelow(std::uint64_t n) {
  SYNOD_CHECK(n > 0, "an integer below zero");
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(NextWord64()) * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t rejected = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < rejected) product = static_cast<Wide>(NextWord64()) * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

void PublicRandom::FillUniform(std::span<float> output) {
  for (float& value : output) value = UniformFloat();
}

void PublicRandom::FillNormal(std::span<float> output) {
  for (float& value : output) value = static_cast<float>(Normal());
}

std::vector<std::uint32_t> PublicRandom::Permutation(std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = n; i > 1; --i) std::swap(order[i - 1], order[IntegerBelow(i)]);
  return order;
}

}  // namespace synod
