// Site side of the families that ask for one histogram and then for clipped gradient sums over the drawn units. Needs
// LibTorch.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/crypto/secret_random.h"
#include "models/engine/clip_plan.h"
#include "models/engine/per_unit_gradient.h"
#include "models/family.h"
#include "models/gradient_family/compute_options.h"
#include "models/gradient_family/entries.h"

namespace synod::gradient_family {

// The units of a micro-batch, and for each the word where its own draws (levels, noise, hidden columns) begin.
struct UnitDraws {
  std::span<const std::uint32_t> units;
  std::vector<std::uint64_t> streams;
};

// [column][row]: the grid cell of every value of the site's table.
using TableCells = std::vector<std::vector<std::uint16_t>>;

// What a family computes over one micro-batch. Lives as long as the histogram of the queries stays the same; Run is
// called from several threads at once.
class GradientPass {
 public:
  virtual ~GradientPass() = default;

  // Runs the network on the tape (units x uses rows; a unit with fewer rows than the largest has uses of weight 0) and
  // makes the per-unit gradient of the losses under `clip`. Returns the loss of each unit: a mean over its uses. What
  // is drawn for a unit comes from its own stream alone.
  virtual std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                                 std::unique_ptr<engine::PerUnitGradient>& gradient) const = 0;
};

struct ContributionParts {
  FamilyRun run;
  std::string family;  // label of public randomness
  TrainingOptions options;
  SideCoordinates side;
  std::vector<tabular::PublicGrid> grids;
  std::int64_t parameters = 0;
  std::vector<engine::ParameterRange> layers;  // of the network, for clips by layer or neuron
  std::int64_t uses_per_row = 1;               // levels, draws: rows of the tape for each row of the table
  // The most products that one use adds to a parameter matrix: positions of a row times calls of the layer.
  std::int64_t products_per_use = 1;
  std::function<std::unique_ptr<GradientPass>(const TrainingContext&, const TableCells&, const UnitTable&)> make_pass;
  // How the units of one query are clipped; nothing: as the options say (ClipPlanOf). Public inputs alone.
  std::function<Result<engine::ClipPlan>(const Query&, double threshold)> clip_plan;
  // Where a row takes much memory: at most so many rows of the tape in one pass; 0: as many as usual.
  std::size_t most_rows_per_pass = 0;
};

// CheckPlan has passed for these parts (the caller's duty). `random` gives every unit a secret word of its own, from
// which its augmentation follows: independent of the rows and of where they stand, so that a unit that comes or goes
// leaves the distribution of every other unit's vector as it was.
std::unique_ptr<Contribution> MakeGradientContribution(ContributionParts parts, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& compute);

// The values as a matrix of `rows` rows on `device`. The tensor owns them: the tape keeps inputs until the last block
// is summed, long after the micro-batch that made them is gone.
torch::Tensor Matrix(std::vector<float>&& values, std::size_t rows, const torch::Device& device);

}  // namespace synod::gradient_family
