#include "models/table_diffusion/contribution.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/public_random.h"
#include "models/engine/block_bound.h"
#include "models/engine/pass_plan.h"
#include "models/engine/per_unit_gradient.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/masked_batch.h"
#include "models/table_diffusion/model_json.h"
#include "models/table_diffusion/network.h"
#include "models/table_diffusion/published_batch.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/mixing_stream.h"

namespace synod::table_diffusion {
namespace {

// The units of a micro-batch, and for each the word where its draws begin.
struct UnitDraws {
  std::span<const std::uint32_t> units;
  std::vector<std::uint64_t> streams;
};

// What a variant does with one micro-batch: losses of the units, and the engine's gradient over them.
class GradientPass {
 public:
  virtual ~GradientPass() = default;
  // Appends nothing; returns the unit losses and fills `gradient`.
  virtual std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn,
                                 std::unique_ptr<engine::PerUnitGradient>& gradient, double clip) = 0;
};

// The values as a matrix of `rows` rows on `device`. The tensor owns them: the tape keeps inputs until the last block
// is summed, long after the micro-batch that made them is gone.
torch::Tensor Matrix(std::vector<float>&& values, std::size_t rows, const torch::Device& device) {
  const auto columns = static_cast<std::int64_t>(rows == 0 ? 0 : values.size() / rows);
  auto owner = std::make_shared<std::vector<float>>(std::move(values));
  float* data = owner->data();
  return torch::from_blob(
             data, {static_cast<std::int64_t>(rows), columns}, [owner](void*) mutable { owner.reset(); },
             torch::kFloat32)
      .to(device);
}

class MaskedPass final : public GradientPass {
 public:
  MaskedPass(const ModelParts& parts, const HistogramContext& context,
             const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units)
      : options_(parts.options),
        shape_(parts.grids, options_),
        transform_(
            tabular::TokenTransform::FromHistogram(parts.grids, context.counts, context.sigma, {options_.tokens})),
        batcher_(shape_, options_, transform_, cells, units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, std::unique_ptr<engine::PerUnitGradient>& gradient,
                         double clip) override {
    MaskedBatch batch = batcher_.Make(drawn.units, drawn.streams);
    const std::size_t rows = batch.weight.size();
    const torch::Tensor output = MaskedForward(shape_, tape, Matrix(std::move(batch.visible), rows, tape.device()),
                                               Matrix(std::move(batch.time), rows, tape.device()));
    torch::Tensor by_output = output.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
    std::vector<float> losses = batcher_.LossAndGradient(
        batch, std::span(by_output.data_ptr<float>(), static_cast<std::size_t>(by_output.numel())));
    gradient = std::make_unique<engine::PerUnitGradient>(tape, output, by_output.to(tape.device()),
                                                         engine::ClipPlan::Flat(clip));
    return losses;
  }

 private:
  Options options_;
  MaskedShape shape_;
  tabular::TokenTransform transform_;
  MaskedBatcher batcher_;
};

class PublishedPass final : public GradientPass {
 public:
  PublishedPass(const ModelParts& parts, const HistogramContext& context,
                const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units)
      : options_(parts.options),
        grids_(parts.grids),
        shape_(grids_, options_),
        codec_(shape_, grids_, context.counts, context.sigma),
        batcher_(shape_, options_, codec_, cells, units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, std::unique_ptr<engine::PerUnitGradient>& gradient,
                         double clip) override {
    PublishedBatch batch = batcher_.Make(drawn.units, drawn.streams);
    const std::size_t rows = batch.weight.size();
    const torch::Tensor output = PublishedForward(shape_, tape, Matrix(std::move(batch.noisy), rows, tape.device()));
    // Mean over coordinates and levels of (prediction - noise)^2: its gradient by the prediction in closed form.
    const torch::Tensor difference = output.detach() - Matrix(std::move(batch.noise), rows, tape.device());
    const double scale = 1.0 / static_cast<double>(shape_.coordinates());
    const torch::Tensor weight = Matrix(std::move(batch.weight), rows, tape.device());
    const torch::Tensor row_losses = difference.square().sum(1, true) * weight * scale;
    const torch::Tensor losses =
        row_losses.view({static_cast<std::int64_t>(drawn.units.size()), -1}).sum(1).to(torch::kCPU).contiguous();
    gradient = std::make_unique<engine::PerUnitGradient>(tape, output, difference * weight * (2.0 * scale),
                                                         engine::ClipPlan::Flat(clip));
    const float* first = losses.data_ptr<float>();
    return {first, first + losses.numel()};
  }

 private:
  Options options_;
  std::vector<tabular::PublicGrid> grids_;
  PublishedShape shape_;
  PublishedCodec codec_;
  PublishedBatcher batcher_;
};

class DiffusionContribution final : public Contribution {
 public:
  DiffusionContribution(FamilyRun run, ModelParts parts, SideCoordinates side, std::shared_ptr<const UnitTable> units,
                        SecretRandom random, const ComputeOptions& options)
      : run_(std::move(run)),
        parts_(std::move(parts)),
        side_(side),
        units_(std::move(units)),
        compute_(options),
        cells_(tabular::CellsOf(units_->table(), parts_.grids)),
        stream_ids_(units_->size()) {
    for (std::uint64_t& id : stream_ids_) id = random.NextWord64();
  }

  std::uint32_t UnitsPerBlock(const Query& query) const override {
    return query.kind == QueryKind::kHistogram ? kMostRowsPerBlock : engine::UnitsPerBlock(Uses());
  }

  Result<ClippedSum> Sum(const Query& query, const BlockedBatch& batch) override {
    try {
      if (query.kind == QueryKind::kHistogram) {
        if (!query.context.empty() || !query.parameters.empty()) return BadInput("a histogram query carries values");
        return tabular::HistogramSum(parts_.grids, cells_, *units_, batch, run_.plan->entries()[kHistogramEntry].clip);
      }
      return GradientSum(query, batch);
    } catch (const c10::Error&) {
      // LibTorch's own text may hold values of tensors: it is not passed on.
      return Error{ErrorCode::kInternal, "LibTorch failed in a gradient sum", ""};
    }
  }

 private:
  std::int64_t Uses() const {
    return static_cast<std::int64_t>(units_->max_rows_per_unit()) * parts_.options.levels_per_row;
  }

  Result<ClippedSum> GradientSum(const Query& query, const BlockedBatch& batch);
  Status Prepare(const Query& query);
  void AddBlocks(const Query& query, const BlockedBatch& batch, std::size_t first_block, std::size_t last_block,
                 ClippedSummer& summer);

  FamilyRun run_;
  ModelParts parts_;
  SideCoordinates side_;
  std::shared_ptr<const UnitTable> units_;
  ComputeOptions compute_;
  std::vector<std::vector<std::uint16_t>> cells_;
  // Of each unit, secret and drawn anew for each contribution. A record's number in its file will not do: a record that
  // goes away renumbers all that follow, and their hidden columns and noise would change with it.
  std::vector<std::uint64_t> stream_ids_;
  std::vector<float> context_;  // of the pass below
  std::unique_ptr<GradientPass> pass_;
};

Status DiffusionContribution::Prepare(const Query& query) {
  if (query.parameters.size() != parts_.layout.size()) return BadInput("a query has the wrong number of parameters");
  const bool finite =
      std::all_of(query.parameters.begin(), query.parameters.end(), [](float x) { return std::isfinite(x); });
  if (!finite) return BadInput("a query has parameters that are not finite");
  if (pass_ && context_ == query.context) return {};
  SYNOD_ASSIGN_OR_RETURN(const HistogramContext context,
                         DecodeContext(query.context, tabular::HistogramSize(parts_.grids)));
  context_ = query.context;
  if (parts_.options.variant == Variant::kMasked) {
    pass_ = std::make_unique<MaskedPass>(parts_, context, cells_, *units_);
  } else {
    pass_ = std::make_unique<PublishedPass>(parts_, context, cells_, *units_);
  }
  return {};
}

void DiffusionContribution::AddBlocks(const Query& query, const BlockedBatch& batch, std::size_t first_block,
                                      std::size_t last_block, ClippedSummer& summer) {
  const std::uint32_t begin = first_block == 0 ? 0 : batch.block_ends[first_block - 1];
  const std::span<const std::uint32_t> units =
      std::span(batch.units).subspan(begin, batch.block_ends[last_block - 1] - begin);
  const torch::Tensor parameters =
      torch::from_blob(const_cast<float*>(query.parameters.data()),  // LibTorch has no const view; it is only read
                       {static_cast<std::int64_t>(query.parameters.size())}, torch::kFloat32)
          .to(torch::Device(compute_.device));
  engine::Tape tape(parameters, static_cast<std::int64_t>(units.size()), Uses());
  std::unique_ptr<engine::PerUnitGradient> gradient;
  const std::uint64_t query_stream = PublicRandom(run_.seed, "table_diffusion.levels", query.index).NextWord64();
  UnitDraws drawn{units, {}};
  for (const std::uint32_t unit : units) {
    drawn.streams.push_back(tabular::MixingStream::ForUnit(query_stream, stream_ids_[unit]).Next());
  }
  const std::vector<float> losses = pass_->Run(tape, drawn, gradient, side_.gradient_clip());

  const torch::Tensor norms = gradient->norms().to(torch::kCPU).contiguous();
  const double* norm_of = norms.data_ptr<double>();
  const torch::Tensor finite = gradient->finite().to(torch::kCPU).contiguous();
  const bool* is_finite = finite.data_ptr<bool>();
  std::vector<float> sum(query.parameters.size() + SideCoordinates::kCount);
  for (std::size_t block = first_block; block < last_block; ++block) {
    const std::int64_t first = (block == 0 ? 0 : batch.block_ends[block - 1]) - begin;
    const std::int64_t last = batch.block_ends[block] - begin;
    gradient->BlockSum(first, last, std::span(sum).first(query.parameters.size()));
    std::array<float, SideCoordinates::kCount> side{};
    for (std::int64_t unit = first; unit < last; ++unit) {
      if (!is_finite[unit]) continue;  // such a unit contributes zero, here too
      const bool clipped = norm_of[unit] > side_.gradient_clip();
      const auto own = side_.Encode(losses[static_cast<std::size_t>(unit)], clipped);
      for (std::size_t i = 0; i < side.size(); ++i) side[i] += own[i];
    }
    std::copy(side.begin(), side.end(), sum.end() - static_cast<std::ptrdiff_t>(side.size()));
    summer.AddBlock(sum, static_cast<std::uint32_t>(last - first));
  }
}

Result<ClippedSum> DiffusionContribution::GradientSum(const Query& query, const BlockedBatch& batch) {
  SYNOD_RETURN_IF_ERROR(Prepare(query));
  // The plan's clip is that of the parts: the same number up to the last bit, which the grid's slack covers.
  const double clip = run_.plan->entries()[kTrainingEntry].clip;
  SYNOD_CHECK(std::abs(clip - side_.clip()) <= 1e-9 * clip, "the plan's clip is the one that units are clipped to");
  ClippedSummer summer(query.parameters.size() + SideCoordinates::kCount, clip);
  const std::size_t most_units =
      std::max<std::size_t>(compute_.max_rows_per_micro_batch / static_cast<std::size_t>(Uses()), UnitsPerBlock(query));
  for (const engine::Pass& pass : engine::Passes(batch.block_ends, most_units)) {
    AddBlocks(query, batch, pass.first_block, pass.last_block, summer);
  }
  return std::move(summer).Finish();
}

}  // namespace

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(ModelParts parts, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, SideOf(parts.grids, parts.options));
  return std::unique_ptr<Contribution>(std::make_unique<DiffusionContribution>(
      run, std::move(parts), side, std::move(units), std::move(random), options));
}

}  // namespace synod::table_diffusion
