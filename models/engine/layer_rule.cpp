#include "models/engine/layer_rule.h"

#include <utility>

#include "common/core/check.h"

namespace synod::engine {
namespace {

torch::Tensor SquaredRows(const torch::Tensor& rows) {
  return rows.square().sum(1).to(torch::kFloat64);
}

torch::Tensor ZeroRows(const torch::Tensor& rows, const torch::Tensor& keep, std::int64_t uses) {
  const torch::Tensor mask = keep.repeat_interleave(uses).unsqueeze(1);
  return torch::where(mask, rows, torch::zeros({}, rows.options()));
}

// [units * uses, n] tensors of several calls, side by side: [units, calls * uses, n].
torch::Tensor UnitView(const std::vector<torch::Tensor>& calls, std::int64_t units, std::int64_t uses) {
  if (calls.size() == 1) return calls[0].view({units, uses, -1});
  std::vector<torch::Tensor> views;
  for (const torch::Tensor& call : calls) views.push_back(call.view({units, uses, -1}));
  return torch::cat(views, 1);
}

torch::Tensor Gram(const torch::Tensor& unit_view) {
  return torch::bmm(unit_view, unit_view.transpose(1, 2));
}

// sum over pairs of uses of gram_g * gram_a, in float64.
torch::Tensor PairSum(const torch::Tensor& gram_g, const torch::Tensor& gram_a) {
  return (gram_g.to(torch::kFloat64) * gram_a.to(torch::kFloat64)).sum({1, 2});
}

// sum over uses of |g_t| |a_t| from the diagonals of both Gram matrices.
torch::Tensor MagnitudeSum(const torch::Tensor& gram_g, const torch::Tensor& gram_a) {
  const torch::Tensor g = gram_g.diagonal(0, 1, 2).to(torch::kFloat64);
  const torch::Tensor a = gram_a.diagonal(0, 1, 2).to(torch::kFloat64);
  return (g * a).sqrt().sum(1);
}

double RoundingTerms(std::int64_t out, std::int64_t in, std::int64_t uses) {
  return static_cast<double>(out + in + uses * uses);
}

torch::Tensor MatrixView(torch::Tensor& flat, std::int64_t offset, std::int64_t rows, std::int64_t columns) {
  return flat.narrow(0, offset, rows * columns).view({rows, columns});
}

}  // namespace

void LayerRule::ScaleRows(const torch::Tensor& row_weights) {
  // Never in place: autograd may hand out one tensor as the gradient of two layers (of the terms of a sum).
  for (torch::Tensor& gradient : gradients_) gradient = gradient * row_weights;
}

void LinearRule::Record(torch::Tensor input, torch::Tensor output) {
  inputs_.push_back(std::move(input));
  watched_.push_back(std::move(output));
}

UnitNorms LinearRule::Norms(std::int64_t units, std::int64_t uses) const {
  const std::int64_t all_uses = uses * static_cast<std::int64_t>(inputs_.size());
  const double bias = layer_.has_bias ? 1.0 : 0.0;
  UnitNorms norms;
  norms.rounding_terms = RoundingTerms(layer_.out, layer_.in, all_uses);
  if (all_uses == 1) {
    norms.squared = SquaredRows(gradients_[0]) * (SquaredRows(inputs_[0]) + bias);
    norms.magnitude = norms.squared.sqrt();
    return norms;
  }
  const torch::Tensor gram_g = Gram(UnitView(gradients_, units, uses));
  const torch::Tensor gram_a = Gram(UnitView(inputs_, units, uses)) + bias;
  norms.squared = PairSum(gram_g, gram_a);
  norms.magnitude = MagnitudeSum(gram_g, gram_a);
  return norms;
}

void LinearRule::ZeroUnits(const torch::Tensor& keep, std::int64_t uses) {
  for (torch::Tensor& input : inputs_) input = ZeroRows(input, keep, uses);
  for (torch::Tensor& gradient : gradients_) gradient = ZeroRows(gradient, keep, uses);
}

void LinearRule::AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const {
  torch::Tensor weight_sum = MatrixView(flat, layer_.weight_offset, layer_.out, layer_.in);
  for (std::size_t call = 0; call < inputs_.size(); ++call) {
    const torch::Tensor weighted = gradients_[call].slice(0, first_row, last_row);
    weight_sum.addmm_(weighted.t(), inputs_[call].slice(0, first_row, last_row));
    if (layer_.has_bias) flat.narrow(0, layer_.bias_offset, layer_.out).add_(weighted.sum(0));
  }
}

void OneHotLinearRule::Record(torch::Tensor codes, torch::Tensor output) {
  codes_.push_back(std::move(codes));
  watched_.push_back(std::move(output));
}

UnitNorms OneHotLinearRule::Norms(std::int64_t units, std::int64_t uses) const {
  const std::int64_t all_uses = uses * static_cast<std::int64_t>(codes_.size());
  const std::int64_t columns = codes_[0].size(1);
  UnitNorms norms;
  norms.rounding_terms = RoundingTerms(layer_.out, columns, all_uses);
  // <one-hot sum of use t, one-hot sum of use t'> = number of pairs of equal active codes.
  const torch::Tensor flat_codes = UnitView(codes_, units, uses).reshape({units, all_uses * columns});
  const torch::Tensor equal = flat_codes.unsqueeze(2).eq(flat_codes.unsqueeze(1)) & flat_codes.ge(0).unsqueeze(2);
  const torch::Tensor gram_a =
      equal.view({units, all_uses, columns, all_uses, columns}).to(torch::kFloat32).sum({2, 4}) +
      (layer_.has_bias ? 1.0 : 0.0);
  const torch::Tensor gram_g = Gram(UnitView(gradients_, units, uses));
  norms.squared = PairSum(gram_g, gram_a);
  norms.magnitude = MagnitudeSum(gram_g, gram_a);
  return norms;
}

void OneHotLinearRule::ZeroUnits(const torch::Tensor& keep, std::int64_t uses) {
  for (torch::Tensor& gradient : gradients_) gradient = ZeroRows(gradient, keep, uses);
}

void OneHotLinearRule::AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const {
  torch::Tensor table_sum = MatrixView(flat, layer_.table_offset, layer_.codes, layer_.out);
  for (std::size_t call = 0; call < codes_.size(); ++call) {
    const torch::Tensor weighted = gradients_[call].slice(0, first_row, last_row);
    const torch::Tensor codes = codes_[call].slice(0, first_row, last_row);
    for (std::int64_t column = 0; column < codes.size(1); ++column) {
      const torch::Tensor code = codes.select(1, column);
      const torch::Tensor active = code.ge(0).to(torch::kFloat32).unsqueeze(1);
      table_sum.index_add_(0, code.clamp_min(0), weighted * active);
    }
    if (layer_.has_bias) flat.narrow(0, layer_.bias_offset, layer_.out).add_(weighted.sum(0));
  }
}

void NormRule::Record(torch::Tensor normalised, torch::Tensor output) {
  normalised_.push_back(std::move(normalised));
  watched_.push_back(std::move(output));
}

UnitNorms NormRule::Norms(std::int64_t units, std::int64_t uses) const {
  const torch::Tensor g = UnitView(gradients_, units, uses);
  const torch::Tensor gain_terms = g * UnitView(normalised_, units, uses);
  UnitNorms norms;
  norms.rounding_terms = RoundingTerms(2 * layer_.features, 1, g.size(1));
  // The gradients of gain and shift are sums over uses: add first, square afterwards.
  norms.squared = SquaredRows(gain_terms.sum(1)) + SquaredRows(g.sum(1));
  norms.magnitude = (gain_terms.square().sum(2) + g.square().sum(2)).to(torch::kFloat64).sqrt().sum(1);
  return norms;
}

void NormRule::ZeroUnits(const torch::Tensor& keep, std::int64_t uses) {
  for (torch::Tensor& input : normalised_) input = ZeroRows(input, keep, uses);
  for (torch::Tensor& gradient : gradients_) gradient = ZeroRows(gradient, keep, uses);
}

void NormRule::AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const {
  for (std::size_t call = 0; call < normalised_.size(); ++call) {
    const torch::Tensor weighted = gradients_[call].slice(0, first_row, last_row);
    flat.narrow(0, layer_.gain_offset, layer_.features)
        .add_((weighted * normalised_[call].slice(0, first_row, last_row)).sum(0));
    flat.narrow(0, layer_.shift_offset, layer_.features).add_(weighted.sum(0));
  }
}

}  // namespace synod::engine
