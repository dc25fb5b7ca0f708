#include "secure_agg/shamir.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "common/core/check.h"
#include "secure_agg/shamir_field.h"

namespace synod::secure_agg {
namespace {

constexpr std::size_t kLimbBytes = 7;  // the last limb has the remaining 4
constexpr std::uint64_t kLimbBound = std::uint64_t{1} << 56;
constexpr std::uint64_t kLastLimbBound = std::uint64_t{1} << 32;

std::uint64_t ReadLittleEndian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}
void WriteLittleEndian(std::uint64_t value, std::span<std::uint8_t> bytes) {
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}

std::size_t BytesOfLimb(std::size_t limb) {
  return limb + 1 < Share::kLimbs ? kLimbBytes : kSecretBytes - kLimbBytes * (Share::kLimbs - 1);
}

// Uniform below the prime. Repeats with probability 2^-61, whatever the value that is returned.
std::uint64_t UniformElement(SecretRandom& random) {
  while (true) {
    const std::uint64_t drawn = random.NextWord64() >> 3;
    if (drawn != field::kPrime) return drawn;
  }
}

bool PointsAreValid(const std::vector<std::uint32_t>& points) {
  std::vector<std::uint32_t> sorted = points;
  std::sort(sorted.begin(), sorted.end());
  return !sorted.empty() && sorted.front() >= 1 && sorted.back() <= 255 &&
         std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

}  // namespace

std::optional<Share> Share::FromBytes(ByteView bytes) {
  if (bytes.size() != kBytes) return std::nullopt;
  for (std::size_t limb = 0; limb < kLimbs; ++limb) {
    if (ReadLittleEndian(bytes.subspan(8 * limb, 8)) >= field::kPrime) return std::nullopt;
  }
  return Share(SecretBytes::CopyOf(bytes));
}

std::vector<Share> Split(const SecretBytes& secret, std::uint32_t threshold, const std::vector<std::uint32_t>& points,
                         SecretRandom& random) {
  SYNOD_CHECK(secret.size() == kSecretBytes, "a secret has 32 bytes");
  SYNOD_CHECK(threshold >= 1 && threshold <= points.size() && PointsAreValid(points), "impossible points of shares");
  std::vector<SecretBytes> values;
  for (std::size_t i = 0; i < points.size(); ++i) values.emplace_back(Share::kBytes);
  SecretBytes memory(threshold * sizeof(std::uint64_t));
  const std::span<std::uint64_t> coefficients(reinterpret_cast<std::uint64_t*>(memory.bytes().data()), threshold);
  for (std::size_t limb = 0; limb < Share::kLimbs; ++limb) {
    coefficients[0] = ReadLittleEndian(secret.view().subspan(kLimbBytes * limb, BytesOfLimb(limb)));
    for (std::size_t i = 1; i < threshold; ++i) coefficients[i] = UniformElement(random);
    for (std::size_t i = 0; i < points.size(); ++i) {
      WriteLittleEndian(field::Evaluate(coefficients, points[i]), values[i].bytes().subspan(8 * limb, 8));
    }
  }
  std::vector<Share> shares;
  shares.reserve(points.size());
  for (SecretBytes& value : values) shares.push_back(Share(std::move(value)));
  return shares;
}

ShareCombiner::ShareCombiner(std::vector<std::uint32_t> points) : points_(std::move(points)) {
  SYNOD_CHECK(PointsAreValid(points_), "impossible points of shares");
  for (const std::uint32_t here : points_) {
    std::uint64_t above = 1;
    std::uint64_t below = 1;
    for (const std::uint32_t other : points_) {
      if (other == here) continue;
      above = field::Multiply(above, other);
      below = field::Multiply(below, field::Subtract(other, here));
    }
    coefficients_.push_back(field::Multiply(above, field::Inverse(below)));
  }
}

std::optional<SecretBytes> ShareCombiner::Combine(const std::vector<const Share*>& shares) const {
  SYNOD_CHECK(shares.size() == points_.size(), "one share for each point");
  SecretBytes secret(kSecretBytes);
  for (std::size_t limb = 0; limb < Share::kLimbs; ++limb) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const std::uint64_t share = ReadLittleEndian(shares[i]->bytes().subspan(8 * limb, 8));
      value = field::Add(value, field::Multiply(coefficients_[i], share));
    }
    if (value >= (limb + 1 < Share::kLimbs ? kLimbBound : kLastLimbBound)) return std::nullopt;
    WriteLittleEndian(value, secret.bytes().subspan(kLimbBytes * limb, BytesOfLimb(limb)));
  }
  return secret;
}

}  // namespace synod::secure_agg
