// How a site computes: what bounds memory, and where. Needs no LibTorch.
#pragma once

#include <cstddef>
#include <string>

namespace synod::gradient_family {

struct ComputeOptions {
  std::size_t max_rows_per_micro_batch = 16384;  // rows x levels in memory at once; a unit is never split
  std::string device = "cpu";                    // a LibTorch device: "cpu", "cuda:0"
};

}  // namespace synod::gradient_family
