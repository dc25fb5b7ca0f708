#include <fmt/format.h>

#include <algorithm>

#include "common/query/public_random.h"
#include "models/spline_flow/contribution.h"
#include "models/spline_flow/coupling_network.h"
#include "models/spline_flow/model_parts.h"
#include "models/spline_flow/normal_scores.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/row_decoder.h"

namespace synod::spline_flow {
namespace {

torch::Tensor Parameters(const std::vector<float>& parameters) {
  return torch::from_blob(const_cast<float*>(parameters.data()),  // LibTorch has no const view; it is only read
                          {static_cast<std::int64_t>(parameters.size())}, torch::kFloat32);
}

// Rows: standard normals through the inverse of the flow, cells from their scores.
class CouplingGenerator final : public Generator, public Likelihood {
 public:
  CouplingGenerator(std::shared_ptr<const Schema> schema, const OpenedModel& model,
                    std::vector<tabular::PublicGrid> grids, const gradient_family::TrainingContext& context,
                    std::vector<float> parameters)
      : schema_(std::move(schema)),
        grids_(std::move(grids)),
        transform_(
            tabular::TokenTransform::FromHistogram(grids_, context.counts, context.sigma, {model.options.tokens})),
        scores_(grids_, transform_),
        shape_(grids_.size(), model.options),
        decoder_(schema_, grids_, transform_),
        parameters_(std::move(parameters)) {}

  bool Fits() const { return static_cast<std::int64_t>(parameters_.size()) == shape_.parameters(); }

  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override {
    try {
      return Draw(seed, block, rows, given);
    } catch (const c10::Error&) {
      return Error{ErrorCode::kInternal, "LibTorch failed while rows were drawn", ""};
    }
  }

  const Likelihood* likelihood() const override { return this; }

  Result<RowLikelihoods> LogLikelihood(const Table& rows) const override {
    if (rows.schema().Hash() != schema_->Hash()) return BadInput("the rows are of another schema than the generator");
    try {
      return Density(rows);
    } catch (const c10::Error&) {
      return Error{ErrorCode::kInternal, "LibTorch failed while a density was computed", ""};
    }
  }

  std::string Measure() const override {
    return "density of the flow in the middle of each cell's interval of the noisy distribution function, times the "
           "intervals' lengths; per unit of a continuous column between its atoms";
  }

 private:
  static constexpr std::size_t kMostTriesPerRow = 1000;

  // Scores of kBlockRows rows.
  torch::Tensor DrawScores(PublicRandom& random) const {
    const std::size_t width = grids_.size();
    std::vector<float> normal(kBlockRows * width);
    random.FillNormal(normal);
    const torch::Tensor values = torch::from_blob(
        normal.data(), {static_cast<std::int64_t>(kBlockRows), static_cast<std::int64_t>(width)}, torch::kFloat32);
    return CouplingInverse(shape_, Parameters(parameters_), values).contiguous();
  }

  Result<Table> Draw(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                     std::span<const GivenValue> given) const {
    std::vector<const GivenValue*> values(grids_.size(), nullptr);
    std::vector<std::size_t> wanted(grids_.size(), 0);
    for (const GivenValue& value : given) {
      SYNOD_ASSIGN_OR_RETURN(const std::size_t column, decoder_.ModelledColumn(value.column));
      SYNOD_ASSIGN_OR_RETURN(wanted[column], decoder_.CellOfGiven(column, value));
      if (values[column] != nullptr) return BadInput("two conditions name the same column");
      values[column] = &value;
    }
    PublicRandom random(seed, "synod.sample", block);
    std::vector<ColumnCells> output = decoder_.EmptyOutput();
    std::vector<std::size_t> cells(grids_.size());
    std::size_t made = 0;
    for (std::size_t tried = 0; made < rows; tried += kBlockRows) {
      if (tried >= kMostTriesPerRow * rows + kBlockRows) {
        return Failed(fmt::format("only {} of {} rows met the conditions: too rare for this generator", made, tried),
                      "ask for a more common value, or for fewer conditions");
      }
      const torch::Tensor drawn = DrawScores(random);
      for (std::size_t row = 0; row < kBlockRows && made < rows; ++row) {
        const float* own = drawn.data_ptr<float>() + row * cells.size();
        bool fits = true;
        for (std::size_t j = 0; j < cells.size(); ++j) {
          cells[j] = scores_.CellOf(j, own[j]);
          fits = fits && (values[j] == nullptr || cells[j] == wanted[j]);
        }
        if (fits) {
          AppendRow(cells, values, random, output);
          ++made;
        }
      }
    }
    return decoder_.Finish(std::move(output), rows);
  }

  void AppendRow(std::span<const std::size_t> cells, const std::vector<const GivenValue*>& values, PublicRandom& random,
                 std::vector<ColumnCells>& output) const {
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const double uniform = random.Uniform();
      if (values[j] != nullptr) {
        decoder_.AppendGiven(j, *values[j], output);
      } else {
        decoder_.AppendCell(j, cells[j], uniform, output);
      }
    }
  }

  RowLikelihoods Density(const Table& rows) const {
    const torch::NoGradGuard no_gradient;
    const auto cells = tabular::CellsOf(rows, grids_);
    const std::size_t width = grids_.size();
    RowLikelihoods result;
    for (std::size_t first = 0; first < rows.rows(); first += kBlockRows) {
      const std::size_t height = std::min(kBlockRows, rows.rows() - first);
      std::vector<float> scores(height * width);
      std::vector<double> logs(height, 0.0);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        const std::size_t j = i % width;
        const std::uint16_t cell = cells[j][first + i / width];
        scores[i] = scores_.ScoreOf(j, cell, 0.5);
        logs[i / width] += scores_.LogLength(j, cell) - std::log(grids_[j].Extent(cell));
      }
      const torch::Tensor input = torch::from_blob(
          scores.data(), {static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)}, torch::kFloat32);
      engine::Tape tape(Parameters(parameters_), static_cast<std::int64_t>(height), 1, /*record=*/false);
      const torch::Tensor loss = CouplingLoss(shape_, tape, input).contiguous();
      for (std::size_t i = 0; i < height; ++i)
        result.rows.push_back(logs[i] - static_cast<double>(loss.data_ptr<float>()[i]));
    }
    return result;
  }

  std::shared_ptr<const Schema> schema_;
  std::vector<tabular::PublicGrid> grids_;
  tabular::TokenTransform transform_;
  NormalScores scores_;
  CouplingShape shape_;
  tabular::RowDecoder decoder_;
  std::vector<float> parameters_;
};

}  // namespace

Result<std::unique_ptr<Generator>> OpenCouplingGenerator(std::shared_ptr<const Schema> schema,
                                                         const GeneratorModel& model) {
  SYNOD_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(model));
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  if (opened.options.variant != Variant::kCoupling || !opened.offsets.empty() || grids.size() < 2) {
    return BadInput("the generator is not one of the coupling variant on its schema");
  }
  SYNOD_ASSIGN_OR_RETURN(const gradient_family::TrainingContext context,
                         gradient_family::DecodeContext(opened.context, tabular::HistogramSize(grids)));
  auto generator =
      std::make_unique<CouplingGenerator>(std::move(schema), opened, std::move(grids), context, model.parameters);
  if (!generator->Fits()) return BadInput("the generator's parameters do not fit its schema");
  return std::unique_ptr<Generator>(std::move(generator));
}

}  // namespace synod::spline_flow
