#include "models/module/torch_families.h"

#include <fmt/format.h>

#include "models/attention/contribution.h"
#include "models/spline_flow/contribution.h"
#include "models/table_diffusion/contribution.h"
#include "models/wgan/contribution.h"

namespace synod {
namespace {

struct TorchFamily {
  std::string_view name;
  Result<std::unique_ptr<Contribution>> (*contribution)(const FamilyRun&, std::shared_ptr<const UnitTable>,
                                                        SecretRandom, const gradient_family::ComputeOptions&);
  // Null where rows are drawn without LibTorch.
  Result<std::unique_ptr<Generator>> (*generator)(std::shared_ptr<const Schema>, const GeneratorModel&);
};

constexpr TorchFamily kFamilies[] = {
    {"attention", &attention::MakeContribution, nullptr},
    {"spline_flow", &spline_flow::MakeContribution, &spline_flow::OpenCouplingGenerator},
    {"table_diffusion", &table_diffusion::MakeContribution, &table_diffusion::OpenPublishedGenerator},
    {"wgan", &wgan::MakeContribution, nullptr},
};

}  // namespace

Result<std::unique_ptr<Contribution>> MakeTorchContribution(const FamilyRun& run,
                                                            std::shared_ptr<const UnitTable> units, SecretRandom random,
                                                            const gradient_family::ComputeOptions& options) {
  const std::string& name = run.plan->facts().model_family;
  for (const TorchFamily& family : kFamilies) {
    if (family.name == name) return family.contribution(run, std::move(units), std::move(random), options);
  }
  return BadInput(fmt::format("this build cannot compute for the model family \"{}\"", name));
}

Result<std::unique_ptr<Generator>> OpenTorchGenerator(std::shared_ptr<const Schema> schema,
                                                      const GeneratorModel& model) {
  for (const TorchFamily& family : kFamilies) {
    if (family.name == model.family && family.generator != nullptr) return family.generator(std::move(schema), model);
  }
  return BadInput(fmt::format("this build cannot sample from the model family \"{}\"", model.family));
}

}  // namespace synod
