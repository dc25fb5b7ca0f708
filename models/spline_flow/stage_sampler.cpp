#include "models/spline_flow/stage_sampler.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/query/public_random.h"
#include "models/spline_flow/stage_density.h"

namespace synod::spline_flow {
namespace {

using Outputs = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

StageOutputs OutputsOf(const Outputs& outputs, std::size_t row, const Stage& stage) {
  const std::span<const float> all(outputs.row(static_cast<Eigen::Index>(row)).data(), stage.outputs());
  return {all.first(stage.tokens), all.subspan(stage.tokens)};
}

// exp(log share + output) of the tokens, relative to the largest; their sum. `logits`: scratch of as many values.
float Softmax(const ColumnBase& base, std::span<const float> outputs, Eigen::ArrayXf& logits) {
  const auto tokens = static_cast<Eigen::Index>(base.tokens());
  logits.resize(tokens);
  logits = Eigen::Map<const Eigen::ArrayXf>(outputs.data(), tokens) +
           Eigen::Map<const Eigen::ArrayXf>(base.log_share.data(), tokens);
  logits = (logits - logits.maxCoeff()).exp();
  return logits.sum();
}

std::uint16_t Pick(const Eigen::ArrayXf& weights, float total, double uniform) {
  double threshold = uniform * static_cast<double>(total);
  for (Eigen::Index v = 0; v < weights.size(); ++v) {
    threshold -= static_cast<double>(weights[v]);
    if (threshold < 0.0) return static_cast<std::uint16_t>(v);
  }
  return static_cast<std::uint16_t>(weights.size() - 1);
}

}  // namespace

StageSampler::StageSampler(const StageShape& shape, const std::vector<ColumnBase>& bases,
                           std::span<const float> parameters, std::vector<float> offsets)
    : shape_(shape), bases_(bases), tables_(shape.columns()), offsets_(std::move(offsets)) {
  SYNOD_CHECK(static_cast<std::int64_t>(parameters.size()) == shape.parameters(), "one value for each parameter");
  SYNOD_CHECK(offsets_.size() == shape.outputs(), "one offset for each output");
  const auto at = [&](std::int64_t offset) { return parameters.subspan(static_cast<std::size_t>(offset)); };
  const auto columns = static_cast<Eigen::Index>(shape.columns());
  const auto hidden = static_cast<Eigen::Index>(shape.hidden);
  stage_ = Eigen::Map<const RowMajor>(at(shape.stage.offset).data(), columns, hidden);
  for (std::size_t s = 0; s < shape.columns(); ++s) {
    const Stage& stage = shape.stages[s];
    const auto outputs = static_cast<Eigen::Index>(stage.outputs());
    output_.emplace_back(
        Eigen::Map<const RowMajor>(at(stage.output.weight_offset).data(), outputs, hidden).transpose());
    bias_.emplace_back(Eigen::Map<const Eigen::RowVectorXf>(at(stage.output.bias_offset).data(), outputs));
    const auto in = static_cast<std::size_t>(stage.input.in);
    if (in == 0) continue;
    const std::span<const float> weight = at(stage.input.weight_offset);
    if (shape.shared) {
      SetTable(s, 0, weight, in, 0);
      continue;
    }
    for (std::size_t from = 0; from < s; ++from) SetTable(from, s, weight, in, shape.stages[from].first_slot);
  }
}

void StageSampler::SetTable(std::size_t from, std::size_t to, std::span<const float> weight, std::size_t in,
                            std::size_t first) {
  const ColumnBase& base = bases_[shape_.stages[from].column];
  const auto tokens = static_cast<Eigen::Index>(base.tokens());
  const auto hidden = static_cast<Eigen::Index>(shape_.hidden);
  const Eigen::Map<const RowMajor> all(weight.data(), hidden, static_cast<Eigen::Index>(in));
  RowMajor table = all.middleCols(static_cast<Eigen::Index>(first), tokens).transpose();
  const Eigen::RowVectorXf mean = Eigen::Map<const Eigen::RowVectorXf>(base.share.data(), tokens) * table;
  table.rowwise() -= mean;
  std::vector<RowMajor>& own = tables_[from];
  if (own.size() <= to) own.resize(to + 1);
  own[to] = std::move(table);
}

void StageSampler::AddTokens(std::size_t from, std::size_t to, std::span<const std::uint16_t> tokens,
                             RowMajor& pre) const {
  const RowMajor& table = tables_[from][to];
  for (Eigen::Index row = 0; row < pre.rows(); ++row) pre.row(row) += table.row(tokens[static_cast<std::size_t>(row)]);
}

void StageSampler::RunStages(std::size_t rows, const Decide& decide) const {
  const auto height = static_cast<Eigen::Index>(rows);
  RowMajor sum = RowMajor::Zero(height, static_cast<Eigen::Index>(shape_.hidden));
  RowMajor hidden;
  RowMajor outputs;
  std::vector<std::vector<std::uint16_t>> tokens(shape_.columns(), std::vector<std::uint16_t>(rows));
  for (std::size_t s = 0; s < shape_.columns(); ++s) {
    if (!shape_.shared) {
      sum.setZero();
      for (std::size_t from = 0; from < s; ++from) AddTokens(from, s, tokens[from], sum);
    }
    // Row by row: a broadcast sum over the whole matrix would keep the vector units idle.
    hidden.resize(height, sum.cols());
    const auto stage_input = stage_.row(static_cast<Eigen::Index>(s)).array();
    for (Eigen::Index row = 0; row < height; ++row) {
      hidden.row(row).array() = (sum.row(row).array() + stage_input).tanh();
    }
    outputs.noalias() = hidden * output_[s];
    const Stage& stage = shape_.stages[s];
    outputs.rowwise() +=
        bias_[s] + Eigen::Map<const Eigen::RowVectorXf>(&offsets_[stage.first_output], bias_[s].size());
    decide(s, outputs, tokens[s]);
    if (shape_.shared && s + 1 < shape_.columns()) AddTokens(s, 0, tokens[s], sum);
  }
}

void StageSampler::DrawTile(std::span<const double> uniforms, std::span<const std::int32_t> given,
                            std::span<std::uint16_t> cells, std::span<double> log_weights) const {
  const std::size_t columns = shape_.columns();
  SYNOD_CHECK(uniforms.size() == kTileRows * columns * kUniformsPerColumn, "two uniforms for each cell");
  std::fill(log_weights.begin(), log_weights.end(), 0.0);
  const auto first_free = std::find(given.begin(), given.end(), kFree) - given.begin();
  Eigen::ArrayXf weights;
  RunStages(kTileRows, [&](std::size_t s, RowMajor& outputs, std::span<std::uint16_t> tokens) {
    const Stage& stage = shape_.stages[s];
    const ColumnBase& base = bases_[stage.column];
    for (std::size_t row = 0; row < kTileRows; ++row) {
      const StageOutputs own = OutputsOf(outputs, row, stage);
      const float total = Softmax(base, own.tokens, weights);
      std::uint16_t& cell = cells[row * columns + s];
      if (given[s] != kFree) {
        cell = static_cast<std::uint16_t>(given[s]);
        tokens[row] = base.token_of_cell[cell];
        if (static_cast<std::ptrdiff_t>(s) < first_free) continue;
        log_weights[row] += std::log(static_cast<double>(weights[tokens[row]]) / static_cast<double>(total)) +
                            LogShareInBin(base, own, cell);
        continue;
      }
      const double* uniform = &uniforms[(row * columns + s) * kUniformsPerColumn];
      const std::uint16_t token = Pick(weights, total, uniform[0]);
      tokens[row] = token;
      const bool wide = base.wide[token] != 0;
      cell = static_cast<std::uint16_t>(wide ? base.CellAt(token, InverseCurve(SlopesOf(base, own, token), uniform[1]))
                                             : base.first_cell[token]);
    }
  });
}

void StageSampler::LogProbabilities(std::span<const std::uint16_t> cells, std::span<double> logs) const {
  const std::size_t columns = shape_.columns();
  Eigen::ArrayXf weights;
  RunStages(kTileRows, [&](std::size_t s, RowMajor& outputs, std::span<std::uint16_t> tokens) {
    const Stage& stage = shape_.stages[s];
    const ColumnBase& base = bases_[stage.column];
    for (std::size_t row = 0; row < kTileRows; ++row) {
      const StageOutputs own = OutputsOf(outputs, row, stage);
      const float total = Softmax(base, own.tokens, weights);
      const std::uint16_t cell = cells[row * columns + s];
      tokens[row] = base.token_of_cell[cell];
      logs[row * columns + s] = std::log(static_cast<double>(weights[tokens[row]]) / static_cast<double>(total)) +
                                LogShareInBin(base, own, cell);
    }
  });
}

void StageSampler::FitStage(std::size_t stage, std::uint32_t rounds, RowMajor& outputs) {
  // Shares below it are not worth chasing.
  constexpr double kFloor = 1e-3;
  const Stage& own = shape_.stages[stage];
  const ColumnBase& base = bases_[own.column];
  const auto tokens = static_cast<Eigen::Index>(base.tokens());
  Eigen::ArrayXf weights;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    Eigen::ArrayXd shares = Eigen::ArrayXd::Zero(tokens);
    for (std::size_t row = 0; row < static_cast<std::size_t>(outputs.rows()); ++row) {
      const float total = Softmax(base, OutputsOf(outputs, row, own).tokens, weights);
      shares += (weights / total).cast<double>();
    }
    shares /= static_cast<double>(outputs.rows());
    for (Eigen::Index v = 0; v < tokens; ++v) {
      const double wanted = base.share[static_cast<std::size_t>(v)];
      const auto step = static_cast<float>(std::log((wanted + kFloor) / (shares[v] + kFloor)));
      offsets_[own.first_output + static_cast<std::size_t>(v)] += step;
      outputs.col(v).array() += step;
    }
  }
}

void StageSampler::Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows) {
  PublicRandom random(seed, "spline_flow.calibrate");
  Eigen::ArrayXf weights;
  RunStages(rows, [&](std::size_t s, RowMajor& outputs, std::span<std::uint16_t> tokens) {
    FitStage(s, rounds, outputs);
    const ColumnBase& base = bases_[shape_.stages[s].column];
    for (std::size_t row = 0; row < rows; ++row) {
      const float total = Softmax(base, OutputsOf(outputs, row, shape_.stages[s]).tokens, weights);
      tokens[row] = Pick(weights, total, random.Uniform());
    }
  });
}

}  // namespace synod::spline_flow
