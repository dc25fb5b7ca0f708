#include "models/gradient_family/gradient_contribution.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>

#include "common/core/check.h"
#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/public_random.h"
#include "models/engine/block_bound.h"
#include "models/engine/pass_plan.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/mixing_stream.h"

namespace synod::gradient_family {
namespace {

// Rows of the tape in memory at once at most, for each thread; a unit and a block are never split.
constexpr std::size_t kRowsPerPass = 2048;
constexpr std::size_t kRowsPerDevicePass = 16384;

struct BlockSum {
  std::vector<float> values;
  std::uint32_t units = 0;
};

// work(0) to work(count - 1), each on a thread of its own but for the first. What one throws is thrown here after all
// have ended.
void RunSideBySide(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::vector<std::exception_ptr> failures(count);
  const auto guarded = [&](std::size_t i) {
    try {
      work(i);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < count; ++i) others.emplace_back(guarded, i);
  guarded(0);
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

class GradientContribution final : public Contribution {
 public:
  GradientContribution(ContributionParts parts, std::shared_ptr<const UnitTable> units, SecretRandom random,
                       const ComputeOptions& compute)
      : parts_(std::move(parts)),
        units_(std::move(units)),
        compute_(compute),
        cells_(tabular::CellsOf(units_->table(), parts_.grids)),
        stream_ids_(units_->size()) {
    for (std::uint64_t& id : stream_ids_) id = random.NextWord64();
  }

  std::uint32_t UnitsPerBlock(const Query& query) const override {
    return query.kind == QueryKind::kHistogram ? kMostRowsPerBlock
                                               : engine::UnitsPerBlock(Uses() * parts_.products_per_use);
  }

  Result<ClippedSum> Sum(const Query& query, const BlockedBatch& batch) override {
    try {
      if (query.kind == QueryKind::kHistogram) {
        if (!query.context.empty() || !query.parameters.empty()) return BadInput("a histogram query carries values");
        return tabular::HistogramSum(parts_.grids, cells_, *units_, batch,
                                     parts_.run.plan->entries()[kHistogramEntry].clip);
      }
      return GradientSum(query, batch);
    } catch (const c10::Error&) {
      // LibTorch's own text may hold values of tensors: it is not passed on.
      return Error{ErrorCode::kInternal, "LibTorch failed in a gradient sum", ""};
    }
  }

 private:
  std::int64_t Uses() const { return static_cast<std::int64_t>(units_->max_rows_per_unit()) * parts_.uses_per_row; }

  Result<ClippedSum> GradientSum(const Query& query, const BlockedBatch& batch);
  std::size_t UnitsOfEveryPass(const Query& query) const;
  // The clip of the query; makes the pass where the histogram is another than before.
  Result<engine::ClipPlan> Prepare(const Query& query);
  // Of the blocks of a pass, filled up to `pass_units` units where it has fewer.
  std::vector<BlockSum> SumsOf(const Query& query, const BlockedBatch& batch, const engine::Pass& pass,
                               std::size_t pass_units, const engine::ClipPlan& clip) const;
  BlockSum SumOfBlock(const engine::PerUnitGradient& gradient, std::span<const float> losses, std::int64_t first,
                      std::int64_t last) const;

  ContributionParts parts_;
  std::shared_ptr<const UnitTable> units_;
  ComputeOptions compute_;
  TableCells cells_;
  // Of each unit, secret and drawn anew for each contribution. A record's number in its file will not do: a record that
  // goes away renumbers all that follow, and their hidden columns and noise would change with it.
  std::vector<std::uint64_t> stream_ids_;
  std::vector<float> counts_;  // of the pass below
  double sigma_ = 0.0;
  std::unique_ptr<GradientPass> pass_;
};

Result<engine::ClipPlan> GradientContribution::Prepare(const Query& query) {
  if (query.parameters.size() != static_cast<std::size_t>(parts_.parameters)) {
    return BadInput("a query has the wrong number of parameters");
  }
  const bool finite =
      std::all_of(query.parameters.begin(), query.parameters.end(), [](float x) { return std::isfinite(x); });
  if (!finite) return BadInput("a query has parameters that are not finite");
  SYNOD_ASSIGN_OR_RETURN(const TrainingContext context,
                         DecodeContext(query.context, tabular::HistogramSize(parts_.grids)));
  Result<engine::ClipPlan> clip =
      parts_.clip_plan ? parts_.clip_plan(query, context.threshold)
                       : ClipPlanOf(parts_.options, parts_.layers, parts_.side.gradient_clip(), context.threshold);
  if (!clip.ok()) return clip.error();
  const bool same = pass_ && sigma_ == context.sigma &&
                    std::equal(counts_.begin(), counts_.end(), context.counts.begin(), context.counts.end());
  if (!same) {
    pass_ = parts_.make_pass(context, cells_, *units_);
    counts_.assign(context.counts.begin(), context.counts.end());
    sigma_ = context.sigma;
  }
  return clip;
}

std::vector<BlockSum> GradientContribution::SumsOf(const Query& query, const BlockedBatch& batch,
                                                   const engine::Pass& pass, std::size_t pass_units,
                                                   const engine::ClipPlan& clip) const {
  const std::uint32_t begin = pass.first_unit;
  std::vector<std::uint32_t> units(batch.units.begin() + begin, batch.units.begin() + pass.last_unit);
  // What fills the pass up is in no block: it only keeps the matrices at one shape (pass_plan.h).
  units.resize(std::max(pass_units, units.size()), units.front());
  const torch::Tensor parameters =
      torch::from_blob(const_cast<float*>(query.parameters.data()),  // LibTorch has no const view; it is only read
                       {static_cast<std::int64_t>(query.parameters.size())}, torch::kFloat32)
          .to(torch::Device(compute_.device));
  engine::Tape tape(parameters, static_cast<std::int64_t>(units.size()), Uses());
  std::unique_ptr<engine::PerUnitGradient> gradient;
  const std::uint64_t query_stream = PublicRandom(parts_.run.seed, parts_.family + ".draws", query.index).NextWord64();
  UnitDraws drawn{units, {}};
  for (const std::uint32_t unit : units) {
    drawn.streams.push_back(tabular::MixingStream::ForUnit(query_stream, stream_ids_[unit]).Next());
  }
  const std::vector<float> losses = pass_->Run(tape, drawn, clip, gradient);
  SYNOD_CHECK(losses.size() == units.size(), "one loss a unit");
  std::vector<BlockSum> sums;
  for (std::size_t block = pass.first_block; block < pass.last_block; ++block) {
    const std::int64_t first = (block == 0 ? 0 : batch.block_ends[block - 1]) - begin;
    const std::int64_t last = batch.block_ends[block] - begin;
    sums.push_back(SumOfBlock(*gradient, losses, first, last));
  }
  return sums;
}

BlockSum GradientContribution::SumOfBlock(const engine::PerUnitGradient& gradient, std::span<const float> losses,
                                          std::int64_t first, std::int64_t last) const {
  const auto parameters = static_cast<std::size_t>(parts_.parameters);
  std::vector<float> sum(parameters + SideCoordinates::kCount);
  gradient.BlockSum(first, last, std::span(sum).first(parameters));
  const torch::Tensor clipped = gradient.clipped().slice(0, first, last).to(torch::kCPU).contiguous();
  const torch::Tensor finite = gradient.finite().slice(0, first, last).to(torch::kCPU).contiguous();
  std::array<float, SideCoordinates::kCount> side{};
  for (std::int64_t unit = first; unit < last; ++unit) {
    if (!finite.data_ptr<bool>()[unit - first]) continue;  // such a unit contributes zero, here too
    const auto own = parts_.side.Encode(losses[static_cast<std::size_t>(unit)], clipped.data_ptr<bool>()[unit - first]);
    for (std::size_t i = 0; i < side.size(); ++i) side[i] += own[i];
  }
  std::copy(side.begin(), side.end(), sum.end() - static_cast<std::ptrdiff_t>(side.size()));
  return {std::move(sum), static_cast<std::uint32_t>(last - first)};
}

std::size_t GradientContribution::UnitsOfEveryPass(const Query& query) const {
  const std::size_t usual = compute_.device == "cpu" ? kRowsPerPass : kRowsPerDevicePass;
  const std::size_t rows = parts_.most_rows_per_pass == 0 ? usual : std::min(usual, parts_.most_rows_per_pass);
  const std::size_t most = std::max<std::size_t>(1, rows / static_cast<std::size_t>(Uses()));
  const Plan& plan = *parts_.run.plan;
  const double expected = plan.entries()[kTrainingEntry].sampling_rate * static_cast<double>(plan.facts().units) /
                          static_cast<double>(plan.sites());
  return engine::UnitsOfEveryPass(expected, UnitsPerBlock(query), most);
}

Result<ClippedSum> GradientContribution::GradientSum(const Query& query, const BlockedBatch& batch) {
  SYNOD_ASSIGN_OR_RETURN(const engine::ClipPlan clip_plan, Prepare(query));
  // The plan's clip is that of the parts: the same number up to the last bit, which the grid's slack covers.
  const double clip = parts_.run.plan->entries()[kTrainingEntry].clip;
  SYNOD_CHECK(std::abs(clip - parts_.side.clip()) <= 1e-9 * clip,
              "the plan's clip is the one that units are clipped to");
  SYNOD_CHECK(clip_plan.clip() <= parts_.side.gradient_clip(), "the side coordinates have room beside the gradient");
  ClippedSummer summer(query.parameters.size() + SideCoordinates::kCount, clip);
  const std::size_t pass_units = UnitsOfEveryPass(query);
  const std::vector<engine::Pass> passes = engine::Passes(batch.block_ends, pass_units);
  const std::size_t side_by_side = compute_.device == "cpu" ? std::max(1U, compute_.threads) : 1;
  for (std::size_t first = 0; first < passes.size(); first += side_by_side) {
    const std::size_t count = std::min(side_by_side, passes.size() - first);
    std::vector<std::vector<BlockSum>> sums(count);
    RunSideBySide(count,
                  [&](std::size_t i) { sums[i] = SumsOf(query, batch, passes[first + i], pass_units, clip_plan); });
    // In the order of the blocks, whoever was first: sums in float64 depend on it.
    for (const std::vector<BlockSum>& of_pass : sums) {
      for (const BlockSum& sum : of_pass) summer.AddBlock(sum.values, sum.units);
    }
  }
  return std::move(summer).Finish();
}

}  // namespace

std::unique_ptr<Contribution> MakeGradientContribution(ContributionParts parts, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& compute) {
  SYNOD_CHECK(parts.make_pass != nullptr && parts.parameters > 0, "a family says what it computes");
  return std::make_unique<GradientContribution>(std::move(parts), std::move(units), std::move(random), compute);
}

torch::Tensor Matrix(std::vector<float>&& values, std::size_t rows, const torch::Device& device) {
  const auto columns = static_cast<std::int64_t>(rows == 0 ? 0 : values.size() / rows);
  auto owner = std::make_shared<std::vector<float>>(std::move(values));
  float* data = owner->data();
  return torch::from_blob(
             data, {static_cast<std::int64_t>(rows), columns}, [owner](void*) mutable { owner.reset(); },
             torch::kFloat32)
      .to(device);
}

}  // namespace synod::gradient_family
