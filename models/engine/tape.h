// The forward pass of a network over the rows of many privacy units, with everything recorded that the per-unit
// gradient rules need (book-keeping, Bu et al. 2022; Lee and Kifer 2021).
//
// Rows: `units` * `uses` of them, unit-major: row u * uses + t is use t of unit u (a noise level, a row of a subject).
// All uses of one unit belong to one gradient. The first extent of every input is the rows, always; a layer may be
// applied to several positions of each row (columns as tokens: [rows, positions, in]), and called several times in one
// pass: positions and calls then count as further products of the same parameters.
//
// Weights are detached: autograd only ever computes gradients with respect to pre-activations. Parameters can be
// reached through these methods alone, and each of them records what its rule needs: a layer without a rule has no
// method here, so a network that needs one does not compile. A function of parameters that is none of these layers
// takes them through Broadcast, where every row has a copy of its own. What comes between layers must keep rows apart
// (no batch statistics, no attention across rows): KeepsUnitsApart in unit_influence.h tells, for a family's tests.
//
// Threads: one tape belongs to one thread. Lives for one pass.
#pragma once

#include <memory>
#include <vector>

#include "models/engine/affine_rule.h"
#include "models/engine/direction_rule.h"
#include "models/engine/masked_rule.h"
#include "models/engine/matrix_rule.h"
#include "models/engine/parameter_view.h"
#include "models/engine/torch.h"

namespace synod::engine {

class Tape {
 public:
  // `parameters`: the flat float32 vector. With `record` false nothing is kept: plain inference for sampling.
  Tape(torch::Tensor parameters, std::int64_t units, std::int64_t uses, bool record = true);

  // input [rows, ..., in] -> [rows, ..., out].
  torch::Tensor Linear(const LinearLayer& layer, const torch::Tensor& input);
  // x W with the W of a Linear layer and no bias, its way back (tied weights): input [rows, ..., out] -> [rows, ...,
  // in].
  torch::Tensor LinearTransposed(const LinearLayer& layer, const torch::Tensor& input);
  // Logits of the codes of a table, x E^T: input [rows, ..., width] -> [rows, ..., codes] (tied weights).
  torch::Tensor Logits(const EmbeddingLayer& layer, const torch::Tensor& input);
  // codes [rows, columns], int64; a negative code is inactive and adds nothing -> [rows, out].
  torch::Tensor OneHotLinear(const OneHotLinearLayer& layer, const torch::Tensor& codes);
  // codes [rows, ...], int64, at most two extents; a negative code gives zeros -> [rows, ..., width].
  torch::Tensor Embedding(const EmbeddingLayer& layer, const torch::Tensor& codes);
  // input [rows, ..., features] -> the same shape.
  torch::Tensor Norm(const NormLayer& layer, const torch::Tensor& input);
  // input [rows, channels, ...] -> the same shape.
  torch::Tensor GroupNorm(const GroupNormLayer& layer, const torch::Tensor& input);
  // input [rows, ..., features] -> the same shape.
  torch::Tensor Bias(const BiasLayer& layer, const torch::Tensor& input);
  // -> [rows, shape...]: a copy of the parameter for each row.
  torch::Tensor Broadcast(const BroadcastLayer& layer);
  // input [rows, ..., in] -> [rows, ..., out].
  torch::Tensor MaskedLinear(const MaskedLinearLayer& layer, const torch::Tensor& input);
  torch::Tensor WeightNorm(const WeightNormLayer& layer, const torch::Tensor& input);
  // input [rows, in, height, width] -> [rows, out, height', width'].
  torch::Tensor Conv2d(const Conv2dLayer& layer, const torch::Tensor& input);

  std::int64_t units() const { return shape_.units; }
  std::int64_t uses() const { return shape_.uses; }
  const BatchShape& shape() const { return shape_; }
  torch::Device device() const { return parameters_.device(); }
  std::int64_t parameter_count() const { return parameters_.numel(); }

  // A pre-activation whose gradient the rules take.
  struct Slot {
    torch::Tensor watched;
    bool channels_first = false;
    std::uint32_t version = 0;  // changes when the tensor is changed in place
  };
  // What was recorded: for the engine (PerUnitGradient), which takes it over.
  struct Record {
    std::vector<Slot> slots;
    std::vector<std::unique_ptr<ParameterRule>> rules;
  };
  Record TakeRecord() { return std::move(record_); }

 private:
  torch::Tensor View(std::int64_t offset, std::vector<std::int64_t> shape) const;
  void CheckRows(const torch::Tensor& input, std::int64_t last_extent) const;
  // [rows, ..., n] -> [units, m, n], detached.
  torch::Tensor UnitRows(const torch::Tensor& values) const;
  // Has the gradient of `output` computed; the slot it will be in.
  std::size_t Watch(torch::Tensor& output, bool channels_first = false);
  template <typename Rule, typename... Arguments>
  Rule& RuleAt(std::int64_t offset, std::int64_t size, Arguments&&... arguments);
  MatrixRule& MatrixRuleOf(const MatrixParameter& matrix, NeuronAxis axis);
  AffineRule& AffineRuleOf(const AffineParameter& parameter);
  void RecordBias(bool has_bias, std::int64_t features, std::int64_t offset, std::size_t slot);
  // x W^T + b on the last extent.
  torch::Tensor Product(const torch::Tensor& weight, const torch::Tensor& input, const torch::Tensor& bias) const;

  torch::Tensor parameters_;
  BatchShape shape_;
  bool recording_;
  Record record_;
};

}  // namespace synod::engine
