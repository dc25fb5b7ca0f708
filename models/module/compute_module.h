// What needs LibTorch, behind one interface in a shared module that is only loaded by those who compute: LibTorch costs
// 0.6 s and 150 MB a process, and `synod --help`, `plan` or `verify` need none of it.
#pragma once

#include <memory>
#include <string>

#include "common/crypto/secret_random.h"
#include "models/family.h"

namespace synod {

struct ComputeSettings {
  unsigned threads = 1;         // of LibTorch and BLAS
  std::string device = "auto";  // "auto": a GPU where LibTorch has one, else the CPU
};

class ComputeModule {
 public:
  virtual ~ComputeModule() = default;

  // `random`: the site's own secret stream, for what a family draws for each unit.
  virtual Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run,
                                                                 std::shared_ptr<const UnitTable> units,
                                                                 SecretRandom random) = 0;
  virtual Result<std::unique_ptr<Generator>> OpenGenerator(std::shared_ptr<const Schema> schema,
                                                           const GeneratorModel& model) = 0;
  virtual std::string Description() const = 0;  // "LibTorch 1.13.1, cpu, 2 threads"
};

// Loads the module that lies beside the program (../lib/libsynod_compute.so), once a process. `settings` count at the
// first call only: threads are fixed before the first tensor. Must not be followed by fork without exec.
Result<ComputeModule*> LoadComputeModule(const ComputeSettings& settings);

}  // namespace synod
