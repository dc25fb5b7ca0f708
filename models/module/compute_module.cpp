#include "models/module/compute_module.h"

#include <algorithm>
#include <cstring>

#include "models/engine/allocator.h"
#include "models/engine/torch.h"
#include "models/module/torch_families.h"

namespace synod {
namespace {

class TorchModule final : public ComputeModule {
 public:
  TorchModule(unsigned threads, std::string device) : threads_(threads), device_(std::move(device)) {
    torch::set_num_threads(1);  // ComputeOptions::threads says why
    engine::KeepFreedMemory();
  }

  Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                         SecretRandom random) override {
    gradient_family::ComputeOptions options;
    options.device = device_;
    options.threads = threads_;
    return MakeTorchContribution(run, std::move(units), std::move(random), options);
  }

  Result<std::unique_ptr<Generator>> OpenGenerator(std::shared_ptr<const Schema> schema,
                                                   const GeneratorModel& model) override {
    return OpenTorchGenerator(std::move(schema), model);
  }

  std::string Description() const override {
    return "LibTorch " TORCH_VERSION ", " + device_ + ", " + std::to_string(threads_) + " threads";
  }

 private:
  unsigned threads_;
  std::string device_;
};

}  // namespace
}  // namespace synod

// A null result explains itself in `error`: no exception crosses the module's edge.
extern "C" synod::ComputeModule* SynodMakeComputeModule(const synod::ComputeSettings& settings, char* error,
                                                        std::size_t error_bytes) {
  const auto refuse = [&](const std::string& text) -> synod::ComputeModule* {
    const std::size_t length = std::min(error_bytes - 1, text.size());
    std::memcpy(error, text.data(), length);
    error[length] = '\0';
    return nullptr;
  };
  try {
    const bool has_gpu = torch::cuda::is_available();
    const std::string device = settings.device != "auto" ? settings.device : has_gpu ? "cuda:0" : "cpu";
    torch::zeros({1}, torch::Device(device));  // fails here if LibTorch has no such device
    return new synod::TorchModule(std::max(1U, settings.threads), device);
  } catch (const std::exception&) {
    return refuse("LibTorch cannot use the device \"" + settings.device + "\"; use \"auto\" or \"cpu\"");
  }
}
