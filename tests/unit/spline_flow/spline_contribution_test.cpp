#include "models/spline_flow/contribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/privacy/noise_arithmetic.h"
#include "models/engine/block_bound.h"
#include "models/spline_flow/model_parts.h"
#include "models/spline_flow/neuron_mask.h"
#include "models/tabular/histogram_sum.h"
#include "tests/support/deterministic_random.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::spline_flow {
namespace {

using gradient_family::EncodeContext;
using gradient_family::kHistogramEntry;
using gradient_family::kTrainingEntry;
using testing::Distance;
using testing::Norm;

struct Setting {
  const char* name;
  const char* model;
  bool subjects;
};

void PrintTo(const Setting& setting, std::ostream* out) {
  *out << setting.name;
}

// A site's contribution over random rows of the mixed schema.
class SplineContributionTest : public ::testing::TestWithParam<Setting> {
 protected:
  SplineContributionTest()
      : schema_(testing::MixedSchema(GetParam().subjects)),
        table_(std::make_shared<const Table>(testing::RandomTable(schema_, 45, 5, 3))),
        units_(std::make_shared<const UnitTable>(GetParam().subjects ? UnitTable::Subjects(table_, 3).value()
                                                                     : UnitTable::Records(table_))),
        resolved_(testing::Resolve(
            {schema_, 400, std::string("hidden = 6\nsteps = 3\n") + GetParam().model, 3.0, 1, "spline_flow"})),
        contribution_(New(1)) {}

  std::unique_ptr<Contribution> New(std::uint64_t secret) const {
    return MakeContribution(resolved_.run, units_, SecretRandomForTestsOnly::FromSeed(secret)).value();
  }

  const PlanEntry& entry(std::uint32_t index) const { return resolved_.run.plan->entries()[index]; }

  Query Gradient(const std::vector<float>& parameters) const {
    Query query;
    query.index = 5;
    query.entry = kTrainingEntry;
    query.kind = QueryKind::kGradient;
    const auto grids = tabular::GridsOf(*schema_);
    PublicRandom random(71, "context");
    std::vector<float> counts(tabular::HistogramSize(grids));
    for (float& count : counts) count = static_cast<float>(5.0 * random.Uniform());
    query.context = EncodeContext(1.0, counts);
    query.parameters = parameters;
    return query;
  }

  std::vector<float> Parameters(double size, std::uint64_t seed) const {
    PublicRandom random(seed, "parameters");
    std::vector<float> parameters(resolved_.layout.size());
    for (float& value : parameters) value = static_cast<float>(size * random.Normal());
    return parameters;
  }

  std::vector<double> SumOf(const Query& query, const std::vector<std::uint32_t>& units, std::uint32_t block = 0) {
    const std::uint32_t most = contribution_->UnitsPerBlock(query);
    Result<ClippedSum> sum = contribution_->Sum(query, testing::Blocks(units, block == 0 ? most : block));
    EXPECT_TRUE(sum.ok()) << (sum.ok() ? "" : sum.error().message);
    return testing::Reveal(std::move(sum).value(), entry(query.entry).clip);
  }

  bool IsCoupling() const { return std::string(GetParam().model).find("coupling") != std::string::npos; }

  std::vector<std::uint32_t> AllUnits() const {
    std::vector<std::uint32_t> units(units_->size());
    std::iota(units.begin(), units.end(), 0U);
    return units;
  }

  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const Table> table_;
  std::shared_ptr<const UnitTable> units_;
  ResolvedRun resolved_;
  std::unique_ptr<Contribution> contribution_;
};

INSTANTIATE_TEST_SUITE_P(
    Variants, SplineContributionTest,
    ::testing::Values(
        Setting{"StagesSparse", "clipping = \"per_neuron\"\nkeep_rate = 0.5\n", false},
        Setting{"CouplingSparse",
                "variant = \"coupling\"\nstages = 3\nbins = 4\nclipping = \"per_neuron\"\nkeep_rate = 0.5\n", false}),
    [](const auto& instance) { return std::string(instance.param.name); });

// Nothing of a record is in what the coordinator throws away, and every kept neuron keeps its own bound.
TEST_P(SplineContributionTest, GivesNothingToNeuronsThatTheQueryLeavesOutAndTheRestTheirShare) {
  const Options options = Options::FromJson(resolved_.run.options).value();
  if (options.keep_rate >= 1.0) GTEST_SKIP() << "keeps all";
  const ModelParts model = PartsOf(resolved_.run).value();
  const std::vector<std::uint32_t> neurons = IsCoupling() ? NeuronsOf(CouplingShape(model.grids.size(), options))
                                                          : NeuronsOf(StageShape(model.grids, model.label, options));
  for (const std::uint32_t index : {5U, 6U, 7U}) {
    Query query = Gradient(Parameters(1.0, 13));
    query.index = index;
    const std::vector<std::uint8_t> kept =
        KeptNeurons(resolved_.run.seed, index, NeuronCount(model.builder), options.keep_rate);
    const double bound = entry(kTrainingEntry).clip / std::sqrt(std::accumulate(kept.begin(), kept.end(), 0.0));
    for (std::uint32_t unit = 0; unit < 8; ++unit) {
      const std::vector<double> own = SumOf(query, {unit});
      std::vector<double> squares(kept.size(), 0.0);
      for (std::size_t i = 0; i < neurons.size(); ++i) squares[neurons[i]] += own[i] * own[i];
      double most = 0.0;
      for (std::size_t neuron = 0; neuron < kept.size(); ++neuron) {
        ASSERT_LE(std::sqrt(squares[neuron]), kept[neuron] == 0 ? 0.0 : bound * (1.0 + 1e-6));
        most = std::max(most, squares[neuron]);
      }
      ASSERT_GT(most, 0.0) << "the test must see gradients";
    }
  }
}

}  // namespace
}  // namespace synod::spline_flow
