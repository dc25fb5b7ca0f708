// Shamir's secret sharing of 32 bytes over the field of 2^61 - 1 elements, in constant time.
//
// A secret is five limbs of 56 bits; each is the constant term of its own polynomial of degree t - 1 with uniform
// coefficients, and share x (1 .. 255) is the five values at x. Fewer than t shares say nothing about the secret.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/core/bytes.h"
#include "common/crypto/secret_bytes.h"
#include "common/crypto/secret_random.h"

namespace synod::secure_agg {

inline constexpr std::size_t kSecretBytes = 32;

// The value of a share: five little-endian words below 2^61 - 1, 40 bytes. Secret until it is revealed.
class Share {
 public:
  static constexpr std::size_t kLimbs = 5;
  static constexpr std::size_t kBytes = 8 * kLimbs;
  // Nothing unless `bytes` are kBytes that are a share's.
  static std::optional<Share> FromBytes(ByteView bytes);

  Share(Share&&) noexcept = default;
  Share& operator=(Share&&) noexcept = default;
  ByteView bytes() const { return bytes_.view(); }

 private:
  friend std::vector<Share> Split(const SecretBytes&, std::uint32_t, const std::vector<std::uint32_t>&, SecretRandom&);
  explicit Share(SecretBytes bytes) : bytes_(std::move(bytes)) {}
  SecretBytes bytes_;
};

// `secret` has kSecretBytes; 1 <= t <= points.size(); points are distinct, 1 .. 255 (our own duty). One share a point.
std::vector<Share> Split(const SecretBytes& secret, std::uint32_t threshold, const std::vector<std::uint32_t>& points,
                         SecretRandom& random);

// Lagrange's coefficients at zero for these points: to rebuild many secrets from the same sites' shares.
class ShareCombiner {
 public:
  // Points as above.
  explicit ShareCombiner(std::vector<std::uint32_t> points);
  const std::vector<std::uint32_t>& points() const { return points_; }
  // One share for each point, in their order. Nothing where the result is no secret of 32 bytes.
  std::optional<SecretBytes> Combine(const std::vector<const Share*>& shares) const;

 private:
  std::vector<std::uint32_t> points_;
  std::vector<std::uint64_t> coefficients_;
};

}  // namespace synod::secure_agg
