// The public randomness of a run: initial parameters, permutations, random features, rows of the generator.
//
// Counter-based: AES-256-CTR under SHA-256("synod.public_random" | seed | label | index). Who knows the seed knows
// every value, so nothing secret may ever come from here: the type is not convertible to SecretRandom, and noise and
// sampling take SecretRandom only. The same on every compiler and machine: normals come from +, -, *, / and square
// roots alone. Not thread-safe; make one stream (label, index) for each piece of work.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/crypto/aes_ctr.h"

namespace synod {

class PublicRandom {
 public:
  PublicRandom(std::uint64_t seed, std::string_view label, std::uint64_t index = 0);

  std::uint64_t NextWord64() {
    if (position_ == words_.size()) Refill();
    return words_[position_++];
  }
  double Uniform() { return static_cast<double>(NextWord64() >> 11) * 0x1p-53; }      // [0, 1), 53 bits
  float UniformFloat() { return static_cast<float>(NextWord64() >> 40) * 0x1p-24f; }  // [0, 1), 24 bits
  double Normal();                                                                    // mean 0, variance 1
  // Unbiased, in 0..n-1; n > 0.
  std::uint64_t IntegerBelow(std::uint64_t n);

  void FillUniform(std::span<float> output);
  void FillNormal(std::span<float> output);
  // A uniformly random order of 0..n-1.
  std::vector<std::uint32_t> Permutation(std::uint32_t n);

 private:
  static constexpr std::size_t kBufferWords = 512;

  void Refill();

  AesCtrStream stream_;
  std::vector<std::uint64_t> words_;
  std::size_t position_ = kBufferWords;
  double spare_normal_ = 0.0;
  bool has_spare_normal_ = false;
};

}  // namespace synod
