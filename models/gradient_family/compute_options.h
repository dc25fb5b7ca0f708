// How a site computes: what bounds memory, and where. Needs no LibTorch.
#pragma once

#include <string>

namespace synod::gradient_family {

struct ComputeOptions {
  std::string device = "cpu";  // a LibTorch device: "cpu", "cuda:0"
  // Passes of a batch that run side by side on a CPU, one thread each: a pass is small enough that threads within it
  // wait for each other more than they help. Where passes are cut does not depend on it, so neither do the results.
  unsigned threads = 1;
};

}  // namespace synod::gradient_family
