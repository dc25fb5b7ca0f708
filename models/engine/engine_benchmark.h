// Times one private gradient sum against the same plain LibTorch step: same network, batch, threads, and loss.
#pragma once

#include <cstdint>
#include <vector>

namespace synod::engine {

// width -> hidden -> hidden -> width with ReLU, squared loss.
struct EngineBenchmarkCase {
  std::int64_t width = 100;   // inputs and outputs
  std::int64_t hidden = 512;  // two hidden layers
  std::int64_t units = 1024;  // expected: a batch varies as a Poisson sample does
  std::int64_t uses = 1;      // rows of a unit
  std::int64_t calls = 1;     // of the middle layer, one after the other
};

// Milliseconds of one step, over the repeats.
struct StepTime {
  double cpu_median = 0.0;  // of the whole process
  double cpu_least = 0.0;
  double wall_median = 0.0;
  double wall_least = 0.0;
};

struct EngineTiming {
  StepTime plain;  // torch::nn and torch::optim::SGD: forward, mean loss, backward, step
  StepTime whole;  // forward, per-unit norms, one clipped sum over the whole batch
  StepTime block;  // the same in passes, summed block by block and added in float64, with a site's checks
  double grid_and_noise_ms = 0.0;  // cpu, median: rounding to the grid and the site's noise share
  // Tensors and sums that live at once, the parameters included.
  double plain_peak_mib = 0.0;
  double whole_peak_mib = 0.0;
  double block_peak_mib = 0.0;
};

// `repeats` runs of each, interleaved.
EngineTiming TimeEngine(const EngineBenchmarkCase& setting, int repeats, unsigned threads);

}  // namespace synod::engine
