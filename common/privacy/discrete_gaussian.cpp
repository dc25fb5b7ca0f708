#include "common/privacy/discrete_gaussian.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numbers>
#include <thread>
#include <utility>
#include <vector>

#include "common/core/check.h"

namespace synod {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t kBatch = 512;       // candidates worked through at a time
constexpr double kLargestExponent = 0.5;  // beyond it (8 standard deviations) integer arithmetic decides
// |exp(-t) in doubles - exp(-t)| for t <= 1/2: 4 roundings in t (2^-52), at most 29 in Horner's rule on terms that add
// up to at most e^(1/2) (2^-47.4), and the series cut after t^14 (2^-55); plus one unit of the 53-bit fraction.
constexpr double kMargin = 0x1p-46;

// The least integer K with sqrt(V) / K <= 32, by integers: 1024 K^2 >= V.
std::uint64_t CoarseStep(std::uint64_t variance) {
  auto step = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(variance)) / 32.0);
  step = step > 1 ? step - 1 : 1;
  while (static_cast<Wide>(step) * step * 1024 < variance) ++step;
  return step;
}

std::uint64_t CheckedVariance(std::uint64_t variance) {
  SYNOD_CHECK(variance >= 1 && variance <= DiscreteGaussian::kMostVariance, "a noise variance out of range");
  return variance;
}

constexpr std::array<double, 15> ExponentialCoefficients() {
  std::array<double, 15> coefficients{};
  double factorial = 1.0;
  for (std::size_t k = 0; k < coefficients.size(); ++k) {
    if (k > 0) factorial *= static_cast<double>(k);
    coefficients[k] = 1.0 / factorial;
  }
  return coefficients;
}

// exp(-t) for t in [0, 1/2]; its error is part of kMargin.
double ExpOfMinus(double t) {
  constexpr std::array<double, 15> kCoefficients = ExponentialCoefficients();
  double sum = kCoefficients[14];
  for (std::size_t k = 14; k-- > 0;) sum = kCoefficients[k] - t * sum;
  return sum;
}

// Hands out the chunks of a vector in order, each with its own stream.
class ChunkQueue {
 public:
  ChunkQueue(SecretRandom& random, std::span<std::int64_t> values) : random_(random), values_(values) {}

  template <typename Work>
  void Drain(const Work& work) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (values_.empty()) return;
      const auto chunk = values_.first(std::min(values_.size(), DiscreteGaussian::kChunk));
      values_ = values_.subspan(chunk.size());
      SecretRandom stream = random_.Fork("synod.discrete_gaussian", next_++);
      lock.unlock();
      work(std::move(stream), chunk);
    }
  }

 private:
  std::mutex mutex_;
  SecretRandom& random_;
  std::span<std::int64_t> values_;
  std::uint64_t next_ = 0;
};

}  // namespace

// Acceptance: with W = sum over n >= 0 of exp(-n^2 / 2V) = sqrt(pi V / 2) + 1/2 (Poisson summation), the table's
// weights times K add up to sqrt(pi V / 2) + K/2, and half of n = 0 is refused.
DiscreteGaussian::DiscreteGaussian(std::uint64_t variance)
    : variance_(CheckedVariance(variance)),
      step_(CoarseStep(variance)),
      step_rejected_((0 - step_) % step_),
      exponent_scale_(1.0 / (2.0 * static_cast<double>(variance))),
      acceptance_(0.0),
      table_(step_ * step_, 2 * variance) {
  const double half = std::sqrt(std::numbers::pi / 2.0 * static_cast<double>(variance));
  acceptance_ = half / (half + 0.5 * static_cast<double>(step_));
}

void DiscreteGaussian::AddTo(SecretRandom& random, std::span<std::int64_t> values, unsigned threads) const {
  ChunkQueue queue(random, values);
  const auto drain = [this, &queue] {
    queue.Drain([this](SecretRandom stream, std::span<std::int64_t> chunk) { AddChunk(std::move(stream), chunk); });
  };
  const std::size_t chunks = (values.size() + kChunk - 1) / kChunk;
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, chunks); ++i) helpers.emplace_back(drain);
  drain();
  for (std::thread& helper : helpers) helper.join();
}

// Works through as many candidates as suffice but for one chance in 10^15, whatever they turn out to be; then, and only
// then, goes on until the chunk is complete.
void DiscreteGaussian::AddChunk(SecretRandom random, std::span<std::int64_t> values) const {
  const double wanted = static_cast<double>(values.size());
  const double candidates = (wanted + 8.0 * std::sqrt(wanted) + 64.0) / acceptance_;
  const std::size_t batches = static_cast<std::size_t>(candidates / kBatch) + 1;
  std::array<std::int64_t, kBatch> kept{};
  std::size_t filled = 0;
  for (std::size_t batch = 0; batch < batches || filled < values.size(); ++batch) {
    const std::size_t used = std::min(Candidates(random, kept), values.size() - filled);
    for (std::size_t i = 0; i < used; ++i) values[filled + i] += kept[i];
    filled += used;
  }
  OPENSSL_cleanse(kept.data(), sizeof kept);
}

// One batch; returns how many were kept, at the front of `kept`.
std::size_t DiscreteGaussian::Candidates(SecretRandom& random, std::span<std::int64_t> kept) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kBatch; ++i) {
    const std::uint64_t x = table_.Draw(random.NextWord64(), random);
    const std::uint64_t word = random.NextWord64();
    std::uint64_t n = x;
    bool keep = true;
    if (step_ > 1) {
      const std::uint64_t y = UniformBelowStep(random.NextWord64(), random);
      const std::uint64_t coarse = step_ * x;
      n = coarse + y;
      keep = Accept(y * (y + 2 * coarse), word >> 11, random);
    }
    const std::uint64_t negative = word & 1;
    keep = keep & ((n != 0) | (negative == 0));
    kept[count] = static_cast<std::int64_t>((n ^ (0 - negative)) + negative);
    count += static_cast<std::size_t>(keep);
  }
  return count;
}

std::uint64_t DiscreteGaussian::UniformBelowStep(std::uint64_t word, SecretRandom& random) const {
  Wide product = static_cast<Wide>(word) * step_;
  while (static_cast<std::uint64_t>(product) < step_rejected_) {
    product = static_cast<Wide>(random.NextWord64()) * step_;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

bool DiscreteGaussian::Accept(std::uint64_t numerator, std::uint64_t bits, SecretRandom& random) const {
  const double exponent = static_cast<double>(numerator) * exponent_scale_;
  const double difference = ExpOfMinus(exponent) - static_cast<double>(bits) * 0x1p-53;
  const bool sure = (exponent <= kLargestExponent) & (std::fabs(difference) > kMargin);
  return sure ? difference > 0.0 : AcceptExactly(numerator, bits, random);
}

bool DiscreteGaussian::AcceptExactly(std::uint64_t numerator, std::uint64_t bits, SecretRandom& random) const {
  if (numerator == 0) return true;
  Fraction256 fraction{};
  for (std::uint64_t& word : fraction) word = random.NextWord64();
  fraction[0] = (bits << 11) | (fraction[0] >> 53);
  return fraction < ExpMinus(numerator, 2 * variance_);
}

}  // namespace synod
