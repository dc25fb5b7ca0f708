// A wgan run over random rows of the mixed schema, small, with the tokens of its rows.
#pragma once

#include <memory>
#include <vector>

#include "models/wgan/adversary.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::testing {

struct WganWorld {
  explicit WganWorld(const wgan::Options& chosen = SmallOptions());
  WganWorld(const WganWorld&) = delete;
  WganWorld& operator=(const WganWorld&) = delete;

  static wgan::Options SmallOptions();
  // Normal numbers within the clamp.
  std::vector<float> RandomCritic(std::uint64_t seed, double size = 0.3) const;
  std::vector<float> RandomGenerator(std::uint64_t seed, double size = 0.5) const;
  // One token a column.
  std::vector<std::uint16_t> TokensOf(std::size_t row) const;

  MaskedWorld masked;
  wgan::Options options;
  std::vector<tabular::PublicGrid> grids;
  tabular::TokenTransform transform;
  wgan::Adversary adversary;
};

}  // namespace synod::testing
