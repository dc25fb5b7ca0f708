// Draws rows from the autoregressive variant, one column after the other for a tile of rows at once, and computes the
// exact probability of rows. Plain C++ on one thread, no LibTorch: a stage is one product of the tile's hidden values
// with the stage's output layer, and what a drawn token adds to the hidden values of later stages is one row of a
// table.
//
// Threads: const methods may run in many threads. Same bytes for the same inputs on one kind of machine: a tile always
// has kTileRows rows.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/spline_flow/column_base.h"
#include "models/spline_flow/stage_shape.h"

namespace synod::spline_flow {

class StageSampler {
 public:
  static constexpr std::size_t kTileRows = 256;
  static constexpr std::size_t kUniformsPerColumn = 2;  // for the token, and the place within its bin

  // `offsets`: one for each output, added to the outputs of the tokens (see Calibrate); may be all zero. `shape` and
  // `bases` must outlive the sampler.
  StageSampler(const StageShape& shape, const std::vector<ColumnBase>& bases, std::span<const float> parameters,
               std::vector<float> offsets);

  // kTileRows rows of cells, [row][stage]. `uniforms`: [row][stage][kUniformsPerColumn] in [0, 1). `given`: of each
  // stage the cell that it must have, or kFree. `log_weights` [row]: the log probability of the given cells behind the
  // first free stage, each given the columns before it; given cells before that stage are as probable in every row.
  static constexpr std::int32_t kFree = -1;
  void DrawTile(std::span<const double> uniforms, std::span<const std::int32_t> given, std::span<std::uint16_t> cells,
                std::span<double> log_weights) const;

  // log P of every cell given the cells of the stages before it, [row][stage], for kTileRows rows of cells.
  void LogProbabilities(std::span<const std::uint16_t> cells, std::span<double> logs) const;

  // Shifts each stage's outputs until the mean probabilities of its tokens over `rows` drawn rows are the noisy shares,
  // stage after stage, each on rows drawn with the stages before it already fitted. Post-processing: it reads noisy
  // shares and the model's own rows.
  void Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows);

  const std::vector<float>& offsets() const { return offsets_; }

 private:
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  // What is drawn or looked up at one stage: [row][outputs] in, the tokens of all rows out.
  using Decide = std::function<void(std::size_t stage, RowMajor& outputs, std::span<std::uint16_t> tokens)>;

  void RunStages(std::size_t rows, const Decide& decide) const;
  // Adds to row r of `pre` what token tokens[r] of stage `from` gives to stage `to`.
  void AddTokens(std::size_t from, std::size_t to, std::span<const std::uint16_t> tokens, RowMajor& pre) const;
  void SetTable(std::size_t from, std::size_t to, std::span<const float> weight, std::size_t in, std::size_t first);
  void FitStage(std::size_t stage, std::uint32_t rounds, RowMajor& outputs);

  const StageShape& shape_;
  const std::vector<ColumnBase>& bases_;
  std::vector<std::vector<RowMajor>>
      tables_;                            // [from][0], or, with conditioners of their own, [from][to]: [token][hidden]
  RowMajor stage_;                        // [stage][hidden]
  std::vector<RowMajor> output_;          // [stage]: [hidden][outputs]
  std::vector<Eigen::RowVectorXf> bias_;  // [stage]: [outputs]
  std::vector<float> offsets_;
};

}  // namespace synod::spline_flow
