#include "models/family_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/attention/entries.h"
#include "models/attention/generator.h"
#include "models/attention/trainer.h"
#include "models/independent_columns/contribution.h"
#include "models/independent_columns/generator.h"
#include "models/independent_columns/plan.h"
#include "models/independent_columns/trainer.h"
#include "models/module/compute_module.h"
#include "models/spline_flow/model_parts.h"
#include "models/spline_flow/stage_generator.h"
#include "models/spline_flow/trainer.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/masked_generator.h"
#include "models/table_diffusion/trainer.h"
#include "models/wgan/entries.h"
#include "models/wgan/row_generator.h"
#include "models/wgan/trainer.h"

namespace synod {
namespace {

Result<std::unique_ptr<Trainer>> TableDiffusionTrainer(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<table_diffusion::DiffusionTrainer> trainer,
                         table_diffusion::DiffusionTrainer::Make(run));
  return std::unique_ptr<Trainer>(std::move(trainer));
}

Result<std::unique_ptr<Contribution>> ComputedContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                           SecretRandom random, const LoadCompute& load_compute) {
  SYNOD_ASSIGN_OR_RETURN(ComputeModule * compute, load_compute());
  return compute->MakeContribution(run, std::move(units), std::move(random));
}

Result<std::unique_ptr<Generator>> TableDiffusionGenerator(std::shared_ptr<const Schema> schema,
                                                           const GeneratorModel& model,
                                                           const LoadCompute& load_compute) {
  SYNOD_ASSIGN_OR_RETURN(const table_diffusion::OpenedModel opened, table_diffusion::OpenModel(model));
  if (opened.options.variant == table_diffusion::Variant::kMasked) {
    return table_diffusion::MaskedGenerator::Open(std::move(schema), opened, model.parameters);
  }
  SYNOD_ASSIGN_OR_RETURN(ComputeModule * compute, load_compute());
  return compute->OpenGenerator(std::move(schema), model);
}

Result<std::unique_ptr<Trainer>> AttentionTrainer(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<attention::AttentionTrainer> trainer, attention::AttentionTrainer::Make(run));
  return std::unique_ptr<Trainer>(std::move(trainer));
}

Result<std::unique_ptr<Generator>> AttentionGenerator(std::shared_ptr<const Schema> schema, const GeneratorModel& model,
                                                      const LoadCompute&) {
  return attention::AttentionGenerator::Open(std::move(schema), model);
}

Result<std::unique_ptr<Trainer>> SplineFlowTrainer(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<spline_flow::SplineTrainer> trainer, spline_flow::SplineTrainer::Make(run));
  return std::unique_ptr<Trainer>(std::move(trainer));
}

Result<std::unique_ptr<Generator>> SplineFlowGenerator(std::shared_ptr<const Schema> schema,
                                                       const GeneratorModel& model, const LoadCompute& load_compute) {
  SYNOD_ASSIGN_OR_RETURN(const spline_flow::OpenedModel opened, spline_flow::OpenModel(model));
  if (opened.options.variant == spline_flow::Variant::kAutoregressive) {
    return spline_flow::StageGenerator::Open(std::move(schema), opened, model.parameters);
  }
  SYNOD_ASSIGN_OR_RETURN(ComputeModule * compute, load_compute());
  return compute->OpenGenerator(std::move(schema), model);
}

Result<std::unique_ptr<Contribution>> HistogramContribution(const FamilyRun& run,
                                                            std::shared_ptr<const UnitTable> units, SecretRandom,
                                                            const LoadCompute&) {
  return independent_columns::MakeContribution(run, std::move(units));
}

Result<std::unique_ptr<Trainer>> MarginalTrainer(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<independent_columns::MarginalTrainer> trainer,
                         independent_columns::MarginalTrainer::Make(run));
  return std::unique_ptr<Trainer>(std::move(trainer));
}

Result<std::unique_ptr<Generator>> MarginalGenerator(std::shared_ptr<const Schema> schema, const GeneratorModel& model,
                                                     const LoadCompute&) {
  return independent_columns::MarginalGenerator::Open(std::move(schema), model);
}

Result<std::unique_ptr<Trainer>> AdversarialTrainer(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<wgan::WganTrainer> trainer, wgan::WganTrainer::Make(run));
  return std::unique_ptr<Trainer>(std::move(trainer));
}

Result<std::unique_ptr<Generator>> LatentGenerator(std::shared_ptr<const Schema> schema, const GeneratorModel& model,
                                                   const LoadCompute&) {
  return wgan::RowGenerator::Open(std::move(schema), model);
}

struct FamilyEntry {
  std::string_view name;
  Result<FamilyPlan> (*plan)(const RunSpecification&, const Schema&);
  Result<std::unique_ptr<Contribution>> (*contribution)(const FamilyRun&, std::shared_ptr<const UnitTable>,
                                                        SecretRandom, const LoadCompute&);
  Result<std::unique_ptr<Trainer>> (*trainer)(const FamilyRun&);
  Result<std::unique_ptr<Generator>> (*generator)(std::shared_ptr<const Schema>, const GeneratorModel&,
                                                  const LoadCompute&);
  std::string_view statement;
};

constexpr FamilyEntry kFamilies[] = {
    {"attention", &attention::PlanRun, &ComputedContribution, &AttentionTrainer, &AttentionGenerator,
     "Everything that the generator learned from records came through the noisy sums of the plan: the column "
     "histograms and the gradient sums of encoder and decoders, all in one vector under one clip. Bounds, categories "
     "and "
     "the number of units are public statements of the schema and the run. The choice of hyper-parameters is not "
     "covered if it was made by looking at results on the same records."},
    {"independent_columns", &independent_columns::PlanRun, &HistogramContribution, &MarginalTrainer, &MarginalGenerator,
     "Everything that the generator learned from records came through the noisy column histograms of the plan. Bounds, "
     "categories and the number of units are public statements of the schema and the run. Columns are drawn "
     "independently of each other: the generator says nothing about how they go together."},
    {"spline_flow", &spline_flow::PlanRun, &ComputedContribution, &SplineFlowTrainer, &SplineFlowGenerator,
     "Everything that the generator learned from records came through the noisy sums of the plan: the column "
     "histograms "
     "and the gradient sums. Bounds, categories and the number of units are public statements of the schema and the "
     "run. The choice of hyper-parameters is not covered if it was made by looking at results on the same records. A "
     "likelihood of rows that the generator never saw says nothing about anybody's privacy."},
    {"table_diffusion", &table_diffusion::PlanRun, &ComputedContribution, &TableDiffusionTrainer,
     &TableDiffusionGenerator,
     "Everything that the generator learned from records came through the noisy sums of the plan: the column "
     "histograms "
     "and the gradient sums. Bounds, categories and the number of units are public statements of the schema and the "
     "run. The choice of hyper-parameters is not covered if it was made by looking at results on the same records."},
    {"wgan", &wgan::PlanRun, &ComputedContribution, &AdversarialTrainer, &LatentGenerator,
     "Everything that the generator learned from records came through the noisy sums of the plan: the column "
     "histograms and the critic's gradient sums on real rows. The generator was trained against the critic, which "
     "those "
     "sums alone have shaped; generated rows, clamps and calibration touch no record. Bounds, categories and the "
     "number "
     "of units are public statements of the schema and the run. The choice of hyper-parameters is not covered if it "
     "was "
     "made by looking at results on the same records."},
};

Result<const FamilyEntry*> Find(std::string_view name) {
  for (const FamilyEntry& family : kFamilies) {
    if (family.name == name) return &family;
  }
  return BadInput(fmt::format("there is no model family \"{}\"", name),
                  fmt::format("known families: {}", fmt::join(FamilyNames(), ", ")));
}

}  // namespace

std::vector<std::string_view> FamilyNames() {
  std::vector<std::string_view> names;
  for (const FamilyEntry& family : kFamilies) names.push_back(family.name);
  return names;
}

Result<FamilyPlan> PlanFamily(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(const FamilyEntry* family, Find(run.family));
  return family->plan(run, schema);
}

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const LoadCompute& load_compute) {
  SYNOD_ASSIGN_OR_RETURN(const FamilyEntry* family, Find(run.plan->facts().model_family));
  // Bounds and categories are the contract's: those of another schema may have been read from the records.
  const Digest& agreed = run.plan->facts().schema_hash;
  if (run.schema->Hash() != agreed || units->table().schema().Hash() != agreed) {
    return BadInput("the schema of the records is not the one of the plan");
  }
  return family->contribution(run, std::move(units), std::move(random), load_compute);
}

Result<std::unique_ptr<Trainer>> MakeTrainer(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const FamilyEntry* family, Find(run.plan->facts().model_family));
  return family->trainer(run);
}

std::string FamilyStatement(std::string_view name) {
  const Result<const FamilyEntry*> family = Find(name);
  return family.ok() ? std::string((*family)->statement) : std::string();
}

Result<std::unique_ptr<Generator>> OpenGenerator(std::shared_ptr<const Schema> schema, const GeneratorModel& model,
                                                 const LoadCompute& load_compute) {
  SYNOD_ASSIGN_OR_RETURN(const FamilyEntry* family, Find(model.family));
  return family->generator(std::move(schema), model, load_compute);
}

}  // namespace synod
