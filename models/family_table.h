// The model families that this build knows: one explicit table, no registration. A new family is one folder and one
// line here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/run_specification.h"
#include "models/family.h"

namespace synod {

class ComputeModule;

std::vector<std::string_view> FamilyNames();

// What the family named in the run specification asks of the plan. An unknown family is an error that lists the known.
Result<FamilyPlan> PlanFamily(const RunSpecification& run, const Schema& schema);

Result<std::unique_ptr<Trainer>> MakeTrainer(const FamilyRun& run);

// The sentence that says what the guarantee of this family's generators covers and what it does not.
std::string FamilyStatement(std::string_view family);

// A generator from its published parts. `load_compute` is only called where the model samples through LibTorch.
Result<std::unique_ptr<Generator>> OpenGenerator(std::shared_ptr<const Schema> schema, const GeneratorModel& model,
                                                 Result<ComputeModule*> (*load_compute)());

}  // namespace synod
