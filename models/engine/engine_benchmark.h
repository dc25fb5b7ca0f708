// Times one private gradient sum against the same plain LibTorch step: same network, batch, threads, and loss.
#pragma once

#include <cstdint>
#include <vector>

namespace synod::engine {

struct EngineBenchmarkCase {
  std::int64_t width = 160;   // inputs and outputs
  std::int64_t hidden = 256;  // two hidden layers
  std::int64_t units = 1024;
  std::int64_t uses = 1;
};

struct EngineTiming {
  double plain_ms = 0.0;          // forward, mean loss, backward to parameter gradients
  double private_ms = 0.0;        // forward, per-unit norms, one clipped sum over the whole batch
  double private_block_ms = 0.0;  // the same, summed block by block and added in float64
};

// Medians of `repeats` runs, interleaved.
EngineTiming TimeEngine(const EngineBenchmarkCase& setting, int repeats, unsigned threads);

}  // namespace synod::engine
