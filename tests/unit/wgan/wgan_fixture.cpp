#include "tests/unit/wgan/wgan_fixture.h"

#include <algorithm>

namespace synod::testing {
namespace {

std::vector<float> NormalNumbers(std::size_t count, std::uint64_t seed, double size) {
  PublicRandom random(seed, "test.wgan");
  std::vector<float> values(count);
  random.FillNormal(values);
  for (float& value : values) value *= static_cast<float>(size);
  return values;
}

}  // namespace

WganWorld::WganWorld(const wgan::Options& chosen)
    : options(chosen),
      grids(masked.grids),
      transform(tabular::TokenTransform::FromHistogram(grids, masked.histogram, 0.5, {options.tokens})),
      adversary(grids, options, 1) {
  adversary.SetTransform(transform);
}

wgan::Options WganWorld::SmallOptions() {
  wgan::Options options;
  options.steps = 6;
  options.batch = 50;
  options.tokens = 6;
  options.learning_rate = 0.01;
  options.critic_hidden = 5;
  options.critic_layers = 2;
  options.latent = 3;
  options.generator_hidden = 7;
  options.generator_layers = 2;
  options.generator_steps = 2;
  options.generator_rows = 40;
  return options;
}

std::vector<float> WganWorld::RandomCritic(std::uint64_t seed, double size) const {
  std::vector<float> values =
      NormalNumbers(static_cast<std::size_t>(adversary.shape().critic_builder.size()), seed, size);
  const auto clamp = static_cast<float>(options.clamp);
  for (float& value : values) value = std::clamp(value, -clamp, clamp);
  return values;
}

std::vector<float> WganWorld::RandomGenerator(std::uint64_t seed, double size) const {
  return NormalNumbers(static_cast<std::size_t>(adversary.shape().generator_builder.size()), seed, size);
}

std::vector<std::uint16_t> WganWorld::TokensOf(std::size_t row) const {
  std::vector<std::uint16_t> tokens;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    tokens.push_back(transform.column(j).token_of_cell[masked.cells[j][row]]);
  }
  return tokens;
}

}  // namespace synod::testing
