// Arithmetic modulo the prime 2^61 - 1, without branches or table look-ups that depend on a value: secrets are computed
// with it. Elements are below the prime.
#pragma once

#include <cstdint>
#include <span>

namespace synod::secure_agg::field {

inline constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

// Of a number below 2^62 and at most 2 kPrime - 1.
constexpr std::uint64_t ReduceOnce(std::uint64_t value) {
  const std::uint64_t less = value - kPrime;
  const std::uint64_t was_below = std::uint64_t{0} - (less >> 63);  // all ones where value < kPrime
  return less + (kPrime & was_below);
}

constexpr std::uint64_t Add(std::uint64_t a, std::uint64_t b) {
  return ReduceOnce(a + b);
}
constexpr std::uint64_t Subtract(std::uint64_t a, std::uint64_t b) {
  return ReduceOnce(a + (kPrime - b));
}

constexpr std::uint64_t Multiply(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  const std::uint64_t low = static_cast<std::uint64_t>(product) & kPrime;
  const auto high = static_cast<std::uint64_t>(product >> 61);  // 2^61 = 1
  return ReduceOnce(low + high);
}

// a^(kPrime - 2); the exponent is public.
constexpr std::uint64_t Inverse(std::uint64_t a) {
  std::uint64_t result = 1;
  for (unsigned bit = 61; bit-- > 0;) {
    result = Multiply(result, result);
    if (((kPrime - 2) >> bit & 1) != 0) result = Multiply(result, a);
  }
  return result;
}

// The polynomial with these coefficients, constant term first, at x.
constexpr std::uint64_t Evaluate(std::span<const std::uint64_t> coefficients, std::uint64_t x) {
  std::uint64_t value = 0;
  for (std::size_t i = coefficients.size(); i-- > 0;) value = Add(Multiply(value, x), coefficients[i]);
  return value;
}

}  // namespace synod::secure_agg::field
