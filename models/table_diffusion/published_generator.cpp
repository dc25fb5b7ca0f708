#include <cmath>

#include "common/core/check.h"
#include "models/table_diffusion/contribution.h"
#include "models/table_diffusion/denoiser_loss.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/model_json.h"
#include "models/table_diffusion/network.h"
#include "models/table_diffusion/published_codec.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/row_decoder.h"

namespace synod::table_diffusion {
namespace {

// Sampling of the variants with Gaussian noise, mended: it starts from what the last level was trained on (a row of
// independent draws plus that level's noise, not N(0, I)).
// published: since the network's output already is the scaled noise, a step from deviation s to s' keeps the share s'/s
// of it (the deterministic variance-exploding sampler) and the last removes all.
// denoiser: at every level a clean row is drawn from what the network predicts (one-hots by their softmax, not the
// largest) and gets the next level's noise.
class PublishedGenerator final : public Generator {
 public:
  PublishedGenerator(std::shared_ptr<const Schema> schema, const OpenedModel& model, const TrainingContext& context,
                     std::vector<float> parameters)
      : schema_(std::move(schema)),
        options_(model.options),
        grids_(tabular::GridsOf(*schema_)),
        shape_(grids_, options_),
        codec_(shape_, grids_, context.counts, context.sigma),
        transform_(tabular::TokenTransform::FromHistogram(grids_, context.counts, context.sigma, {options_.tokens})),
        decoder_(schema_, grids_, transform_),
        parameters_(std::move(parameters)) {}

  bool Fits() const { return static_cast<std::int64_t>(parameters_.size()) == shape_.parameters(); }

  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override {
    try {
      return given.empty() ? Free(seed, block, rows) : Rejected(seed, block, rows, given);
    } catch (const c10::Error&) {
      return Error{ErrorCode::kInternal, "LibTorch failed while rows were drawn", ""};
    }
  }

 private:
  static constexpr std::uint64_t kMostTriesPerRow = 1000;

  // [rows][columns] cells.
  std::vector<std::uint16_t> DrawCells(PublicRandom& random, std::size_t rows) const {
    const torch::NoGradGuard no_gradient;
    const std::size_t width = shape_.coordinates();
    std::vector<float> x(rows * width);
    std::vector<std::uint16_t> cells(grids_.size());
    const double start = std::sqrt(NoiseVariance(options_.levels - 1, options_.levels));
    for (std::size_t row = 0; row < rows; ++row) {
      const std::span<float> own = std::span(x).subspan(row * width, width);
      for (std::size_t j = 0; j < cells.size(); ++j) cells[j] = codec_.DrawCell(j, random.Uniform());
      codec_.Encode(cells, random.Uniform(), own);
      for (float& value : own) value += static_cast<float>(start * random.Normal());
    }
    torch::Tensor state =
        torch::from_blob(x.data(), {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(width)}, torch::kFloat32)
            .clone();
    const torch::Tensor parameters = torch::from_blob(const_cast<float*>(parameters_.data()),
                                                      {static_cast<std::int64_t>(parameters_.size())}, torch::kFloat32);
    for (std::uint32_t level = options_.levels; level-- > 0;) {
      engine::Tape tape(parameters, static_cast<std::int64_t>(rows), 1, /*record=*/false);
      const torch::Tensor output = PublishedForward(shape_, tape, state);
      const double here = std::sqrt(NoiseVariance(level, options_.levels));
      const double next = level == 0 ? 0.0 : std::sqrt(NoiseVariance(level - 1, options_.levels));
      if (options_.variant == Variant::kDenoiser) {
        state = output.contiguous();
        Redraw(random, next, std::span(state.data_ptr<float>(), x.size()));
      } else {
        state = state - output * (1.0 - next / here);
      }
    }
    state = state.contiguous();
    std::vector<std::uint16_t> drawn(rows * cells.size());
    for (std::size_t row = 0; row < rows; ++row) {
      codec_.Decode(std::span(state.data_ptr<float>() + row * width, width),
                    std::span(drawn).subspan(row * cells.size(), cells.size()));
    }
    return drawn;
  }

  // From predictions to clean rows, and to the next level's noise on them.
  void Redraw(PublicRandom& random, double deviation, std::span<float> rows) const {
    for (std::size_t first = 0; first < rows.size(); first += shape_.coordinates()) {
      const std::span<float> row = rows.subspan(first, shape_.coordinates());
      DrawCleanRow(shape_, grids_, random, row);
      if (deviation == 0.0) continue;
      for (float& value : row) value += static_cast<float>(deviation * random.Normal());
    }
  }

  void AppendRow(std::span<const std::uint16_t> cells, PublicRandom& random, std::vector<ColumnCells>& output) const {
    for (std::size_t j = 0; j < cells.size(); ++j) decoder_.AppendCell(j, cells[j], random.Uniform(), output);
  }

  Result<Table> Free(std::uint64_t seed, std::uint64_t block, std::size_t rows) const {
    PublicRandom random(seed, "synod.sample", block);
    const std::vector<std::uint16_t> cells = DrawCells(random, kBlockRows);
    std::vector<ColumnCells> output = decoder_.EmptyOutput();
    for (std::size_t row = 0; row < rows; ++row) {
      AppendRow(std::span(cells).subspan(row * grids_.size(), grids_.size()), random, output);
    }
    return decoder_.Finish(std::move(output), rows);
  }

  Result<Table> Rejected(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                         std::span<const GivenValue> given) const {
    std::vector<std::pair<std::size_t, std::size_t>> wanted;  // column, cell
    for (const GivenValue& value : given) {
      SYNOD_ASSIGN_OR_RETURN(const std::size_t column, decoder_.ModelledColumn(value.column));
      SYNOD_ASSIGN_OR_RETURN(const std::size_t cell, decoder_.CellOfGiven(column, value));
      if (!grids_[column].single(cell)) {
        return BadInput("this generator can only be asked for values that are cells of their own");
      }
      wanted.emplace_back(column, cell);
    }
    PublicRandom random(seed, "synod.sample", block);
    std::vector<ColumnCells> output = decoder_.EmptyOutput();
    std::size_t made = 0;
    for (std::uint64_t tried = 0; made < rows;) {
      if (tried >= kMostTriesPerRow * rows) {
        return Failed("only " + std::to_string(made) + " of " + std::to_string(tried) +
                          " rows met the conditions: too rare for this generator",
                      "ask for a more common value, or for fewer conditions");
      }
      const std::vector<std::uint16_t> cells = DrawCells(random, kBlockRows);
      tried += kBlockRows;
      for (std::size_t row = 0; row < kBlockRows && made < rows; ++row) {
        const auto own = std::span(cells).subspan(row * grids_.size(), grids_.size());
        const bool fits =
            std::all_of(wanted.begin(), wanted.end(), [&](const auto& w) { return own[w.first] == w.second; });
        if (!fits) continue;
        AppendRow(own, random, output);
        ++made;
      }
    }
    return decoder_.Finish(std::move(output), rows);
  }

  std::shared_ptr<const Schema> schema_;
  Options options_;
  std::vector<tabular::PublicGrid> grids_;
  PublishedShape shape_;
  PublishedCodec codec_;
  tabular::TokenTransform transform_;
  tabular::RowDecoder decoder_;
  std::vector<float> parameters_;
};

}  // namespace

Result<std::unique_ptr<Generator>> OpenPublishedGenerator(std::shared_ptr<const Schema> schema,
                                                          const GeneratorModel& model) {
  SYNOD_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(model));
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  SYNOD_ASSIGN_OR_RETURN(const TrainingContext context, DecodeContext(opened.context, tabular::HistogramSize(grids)));
  auto generator = std::make_unique<PublishedGenerator>(std::move(schema), opened, context, model.parameters);
  if (!generator->Fits()) return BadInput("the generator's parameters do not fit its schema");
  return std::unique_ptr<Generator>(std::move(generator));
}

}  // namespace synod::table_diffusion
