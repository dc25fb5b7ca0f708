#include "common/privacy/exact_exponential.h"

#include <utility>

#include "common/crypto/openssl_handles.h"

namespace synod {
namespace {

// Fixed-point numbers have kFractionBits bits after the point. All values here stay below 2^13 (terms of the series)
// and every operation truncates by less than one unit of the last place.
constexpr int kFractionBits = 448;
constexpr int kResultBits = 256;

using BigHandle = OpensslHandle<BIGNUM, BN_free>;
using BigContext = OpensslHandle<BN_CTX, BN_CTX_free>;

// Natural numbers of any size. The context holds scratch space of OpenSSL.
class Arithmetic {
 public:
  Arithmetic() : context_(BN_CTX_new()) { SYNOD_CHECK(context_ != nullptr, "out of memory"); }

  BigHandle New() const {
    BigHandle number(BN_new());
    SYNOD_CHECK(number != nullptr, "out of memory");
    return number;
  }
  BigHandle FromWord(std::uint64_t word) const {
    static_assert(sizeof(BN_ULONG) == sizeof(std::uint64_t));
    BigHandle number = New();
    SYNOD_OPENSSL_CHECK(BN_set_word(number.get(), word));
    return number;
  }
  BigHandle Copy(const BigHandle& a) const {
    BigHandle copy(BN_dup(a.get()));
    SYNOD_CHECK(copy != nullptr, "out of memory");
    return copy;
  }
  void AddTo(BigHandle& a, const BigHandle& b) const { SYNOD_OPENSSL_CHECK(BN_add(a.get(), a.get(), b.get())); }
  void SubtractFrom(BigHandle& a, const BigHandle& b) const {
    SYNOD_OPENSSL_CHECK(BN_sub(a.get(), a.get(), b.get()));
    SYNOD_CHECK(BN_is_negative(a.get()) == 0, "a natural number went below zero");
  }
  BigHandle One() const { return Shifted(FromWord(1), kFractionBits); }
  BigHandle Shifted(BigHandle a, int bits) const {
    SYNOD_OPENSSL_CHECK(bits >= 0 ? BN_lshift(a.get(), a.get(), bits) : BN_rshift(a.get(), a.get(), -bits));
    return a;
  }
  // The fixed-point product.
  BigHandle Product(const BigHandle& a, const BigHandle& b) const {
    BigHandle product = New();
    SYNOD_OPENSSL_CHECK(BN_mul(product.get(), a.get(), b.get(), context_.get()));
    return Shifted(std::move(product), -kFractionBits);
  }
  BigHandle Quotient(const BigHandle& a, const BigHandle& b) const {
    BigHandle quotient = New();
    SYNOD_OPENSSL_CHECK(BN_div(quotient.get(), nullptr, a.get(), b.get(), context_.get()));
    return quotient;
  }
  BigHandle Ratio(std::uint64_t numerator, std::uint64_t denominator) const {
    return Quotient(Shifted(FromWord(numerator), kFractionBits), FromWord(denominator));
  }

  // exp(-x), by the series of exp(x) (all terms positive) and one division. Fewer than 200 terms for x <= 16, so that
  // the sum is at most 2 x 200 x 16 units too small, and the result at most as many too large.
  BigHandle ExpMinus(const BigHandle& x) const {
    BigHandle term = One();
    BigHandle sum = One();
    for (std::uint64_t n = 1; !BN_is_zero(term.get()); ++n) {
      term = Quotient(Product(term, x), FromWord(n));
      AddTo(sum, term);
    }
    return Quotient(Shifted(One(), kFractionBits), sum);
  }

 private:
  BigContext context_;
};

Fraction256 ToFraction(const BigHandle& fixed) {
  std::array<std::uint8_t, kFractionBits / 8> bytes{};
  SYNOD_CHECK(BN_bn2binpad(fixed.get(), bytes.data(), static_cast<int>(bytes.size())) > 0, "a fraction is at least 1");
  Fraction256 fraction{};
  for (std::size_t i = 0; i < kResultBits / 8; ++i) fraction[i / 8] = (fraction[i / 8] << 8) | bytes[i];
  return fraction;
}

}  // namespace

Fraction256 ExpMinus(std::uint64_t numerator, std::uint64_t denominator) {
  SYNOD_CHECK(numerator > 0 && denominator > 0 && numerator / denominator <= 8, "an exponent out of range");
  const Arithmetic exact;
  return ToFraction(exact.ExpMinus(exact.Ratio(numerator, denominator)));
}

// With g = exp(-ratio): P(k + 1) / P(k) = g^(2k + 1), two multiplications a step. Factors are at most 1, so the error
// of the k-th weight is below (k + 1)^2 times that of g: 900^2 x 6400 < 2^33 units, 900 x 2^33 < 2^43 in a sum, far
// below the 2^192 units of the last bit that is kept.
std::vector<Fraction256> HalfGaussianDistribution(std::uint64_t numerator, std::uint64_t denominator) {
  SYNOD_CHECK(numerator > 0 && denominator > 0 && numerator / denominator <= 8 && denominator / numerator <= 4096,
              "a half Gaussian table out of range");
  const Arithmetic exact;
  const BigHandle g = exact.ExpMinus(exact.Ratio(numerator, denominator));
  const BigHandle g_squared = exact.Product(g, g);
  std::vector<BigHandle> cumulative;
  BigHandle weight = exact.One();
  BigHandle factor = exact.Copy(g);
  BigHandle total = exact.FromWord(0);
  const int least_bits = kFractionBits - kResultBits - 16;  // the whole tail beyond a smaller weight is below 2^-256
  while (BN_num_bits(weight.get()) > least_bits) {
    exact.AddTo(total, weight);
    cumulative.push_back(exact.Copy(total));
    weight = exact.Product(weight, factor);
    factor = exact.Product(factor, g_squared);
  }
  cumulative.pop_back();  // F of the last k is 1 to within the precision: nothing is drawn beyond it
  std::vector<Fraction256> distribution;
  distribution.reserve(cumulative.size());
  for (BigHandle& sum : cumulative) {
    const Fraction256 fraction = ToFraction(exact.Quotient(exact.Shifted(std::move(sum), kFractionBits), total));
    if (!distribution.empty() && fraction == distribution.back()) break;  // no fraction lies between them
    distribution.push_back(fraction);
  }
  return distribution;
}

}  // namespace synod
