#include "models/wgan/entries.h"

#include "common/config/run_specification.h"
#include "models/wgan/shape.h"

namespace synod::wgan {

Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(Options options, Options::FromToml(run.model, {run.privacy.units, run.privacy.epsilon}));
  options.clip = run.privacy.clip;
  const Shape shape(tabular::GridsOf(schema), options);
  SYNOD_ASSIGN_OR_RETURN(ParameterLayout critic, gradient_family::LayoutOf(shape.critic_builder));
  SYNOD_ASSIGN_OR_RETURN(FamilyPlan plan, gradient_family::PlanTraining(run, schema, options, options.ToJson(),
                                                                        std::move(critic), 2.0 * kLossShift));
  SYNOD_ASSIGN_OR_RETURN(plan.layout, gradient_family::LayoutOf(shape.generator_builder));
  return plan;
}

}  // namespace synod::wgan
