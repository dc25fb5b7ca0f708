// Runs the arithmetic on secrets with the secrets marked as undefined: under Valgrind's memcheck every branch and every
// address that depends on one is an error (Langley's ctgrind). Without Valgrind it runs too, and checks the results.
//
//   valgrind --error-exitcode=9 tests/secure_agg_constant_time
#include <cstdio>

#include "common/core/check.h"
#include "common/crypto/poly1305.h"
#include "secure_agg/shamir.h"
#include "secure_agg/shamir_field.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) static_cast<void>(0)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) static_cast<void>(0)
#define RUNNING_ON_VALGRIND 0
#endif

namespace synod::secure_agg {
namespace {

void Hide(std::span<std::uint8_t> bytes) {
  VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
}
void Show(ByteView bytes) {
  VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size());
}

void EvaluateSecretPolynomials() {
  std::array<std::uint64_t, 9> coefficients{};
  for (std::size_t i = 0; i < coefficients.size(); ++i) coefficients[i] = field::kPrime - 1 - 7 * i * i;
  const std::array<std::uint64_t, 9> known = coefficients;
  Hide({reinterpret_cast<std::uint8_t*>(coefficients.data()), sizeof coefficients});
  for (std::uint64_t x = 1; x <= 128; ++x) {
    std::uint64_t value = field::Evaluate(coefficients, x);
    VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
    SYNOD_CHECK(value == field::Evaluate(known, x), "a secret polynomial has the values of a known one");
  }
}

void SplitSecret() {
  SecretRandom random = SecretRandom::FromOperatingSystem();
  SecretBytes secret(kSecretBytes);
  for (std::size_t i = 0; i < secret.size(); ++i) secret.bytes()[i] = static_cast<std::uint8_t>(i * 17);
  const SecretBytes known = SecretBytes::CopyOf(secret.view());
  Hide(secret.bytes());
  const std::vector<Share> shares = Split(secret, 3, {1, 2, 3, 4, 5}, random);
  for (const Share& share : shares) Show(share.bytes());
  const std::optional<SecretBytes> rebuilt = ShareCombiner({2, 4, 5}).Combine({&shares[1], &shares[3], &shares[4]});
  SYNOD_CHECK(rebuilt && rebuilt->EqualTo(known), "a secret comes back");
}

void CompareTags() {
  std::array<std::uint8_t, 16> tag{1, 2, 3};
  std::array<std::uint8_t, 16> same = tag;
  std::array<std::uint8_t, 16> other = tag;
  other[9] ^= 4;
  Hide(tag);
  bool equal = EqualInConstantTime(tag, same);
  bool differs = EqualInConstantTime(tag, other);
  VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof equal);
  VALGRIND_MAKE_MEM_DEFINED(&differs, sizeof differs);
  SYNOD_CHECK(equal && !differs, "tags are compared by their content");
}

}  // namespace
}  // namespace synod::secure_agg

int main() {
  synod::secure_agg::EvaluateSecretPolynomials();
  synod::secure_agg::SplitSecret();
  synod::secure_agg::CompareTags();
  std::puts(RUNNING_ON_VALGRIND ? "checked under Valgrind" : "results checked; run it under Valgrind for the timing");
  return 0;
}
