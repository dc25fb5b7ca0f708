#include "common/query/poisson_sampler.h"

namespace synod {

std::vector<std::uint32_t> PoissonSampler::Draw(SecretRandom& random, std::uint32_t units) const {
  std::vector<std::uint32_t> drawn(units);
  std::size_t count = 0;
  for (std::uint32_t unit = 0; unit < units; ++unit) {
    const bool hit = random.Bernoulli(rate_.threshold());
    drawn[count] = unit;  // overwritten by the next unit unless this one was drawn
    count += static_cast<std::size_t>(hit | rate_.always());
  }
  drawn.resize(count);
  return drawn;
}

}  // namespace synod
