// The model families that this build knows: one explicit table, no registration. A new family is one folder and one
// line here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/run_specification.h"
#include "common/crypto/secret_random.h"
#include "models/family.h"

namespace synod {

class ComputeModule;

std::vector<std::string_view> FamilyNames();

// What the family named in the run specification asks of the plan. An unknown family is an error that lists the known.
Result<FamilyPlan> PlanFamily(const RunSpecification& run, const Schema& schema);

// Loads the module that computes with LibTorch; asked only for what needs it.
using LoadCompute = std::function<Result<ComputeModule*>()>;

// A site's half over its units. `random`: the site's own secret stream, for what a family draws for each unit.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const LoadCompute& load_compute);

Result<std::unique_ptr<Trainer>> MakeTrainer(const FamilyRun& run);

// The sentence that says what the guarantee of this family's generators covers and what it does not.
std::string FamilyStatement(std::string_view family);

// A generator from its published parts.
Result<std::unique_ptr<Generator>> OpenGenerator(std::shared_ptr<const Schema> schema, const GeneratorModel& model,
                                                 const LoadCompute& load_compute);

}  // namespace synod
