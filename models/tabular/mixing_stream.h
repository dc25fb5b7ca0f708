// A tiny stream of public pseudo-random words for data augmentation (which columns are hidden, how much noise a level
// has): SplitMix64 (Steele, Lea, Flood 2014). One stream a unit and query, so that units never share draws. Noise and
// sampling cannot take it. What privacy needs of it is that a unit's stream follows from a secret word of the unit
// alone (contribution.h), never from who else is there.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace synod::tabular {

class MixingStream {
 public:
  explicit MixingStream(std::uint64_t state) : state_(state) {}

  // The stream of one unit under one query's stream word; `unit_id` is the unit's own secret word.
  static MixingStream ForUnit(std::uint64_t query_stream, std::uint64_t unit_id) {
    MixingStream mix(query_stream ^ (unit_id * 0x9e3779b97f4a7c15ULL));
    return MixingStream(mix.Next() ^ unit_id);
  }

  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  // In [0, n); n < 2^32. The bias of the multiplication is below 2^-32.
  std::uint32_t Below(std::uint32_t n) {
    return static_cast<std::uint32_t>(((Next() >> 32) * static_cast<std::uint64_t>(n)) >> 32);
  }

  // Two independent standard normals (Box and Muller 1958).
  void NormalPair(float& a, float& b) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
    const double angle = 2.0 * std::numbers::pi * Uniform();
    a = static_cast<float>(radius * std::cos(angle));
    b = static_cast<float>(radius * std::sin(angle));
  }

 private:
  std::uint64_t state_;
};

}  // namespace synod::tabular
