#include "models/engine/operand.h"

#include <algorithm>
#include <utility>

namespace synod::engine {
namespace {

std::int64_t Positions(std::int64_t extent, const Window& window) {
  return (extent + 2 * window.padding - window.kernel) / window.stride + 1;
}

// Pairs of equal active codes of every pair of vectors: their inner products as sums of one-hots.
torch::Tensor CodeGram(const torch::Tensor& codes) {
  const std::int64_t units = codes.size(0);
  const std::int64_t m = codes.size(1);
  const std::int64_t k = codes.size(2);
  const torch::Tensor flat = codes.reshape({units, m * k});
  const torch::Tensor equal = flat.unsqueeze(2).eq(flat.unsqueeze(1)) & flat.ge(0).unsqueeze(2);
  if (k == 1) return equal.to(torch::kFloat32);
  return equal.view({units, m, k, m, k}).sum({2, 4}).to(torch::kFloat32);
}

}  // namespace

Operand Operand::Activation(torch::Tensor rows) {
  Operand operand;
  operand.values_ = std::move(rows);
  return operand;
}

Operand Operand::Gradient(std::size_t slot) {
  Operand operand;
  operand.kind_ = Kind::kGradient;
  operand.slot_ = slot;
  return operand;
}

Operand Operand::Windows(torch::Tensor images, const Window& window) {
  Operand operand;
  operand.kind_ = Kind::kWindows;
  operand.values_ = std::move(images);
  operand.window_ = window;
  return operand;
}

Operand Operand::Codes(torch::Tensor codes, std::int64_t size) {
  Operand operand;
  operand.kind_ = Kind::kCodes;
  operand.values_ = std::move(codes);
  operand.size_ = size;
  return operand;
}

std::int64_t Operand::CountPerUnit(const Gradients& gradients) const {
  if (kind_ == Kind::kGradient) return gradients.Of(slot_).size(1);
  if (kind_ != Kind::kWindows) return values_.size(1);
  return gradients.shape().uses * Positions(values_.size(2), window_) * Positions(values_.size(3), window_);
}

torch::Tensor Operand::Rows(const Gradients& gradients, std::int64_t first, std::int64_t last) const {
  switch (kind_) {
    case Kind::kActivation:
      return values_.slice(0, first, last);
    case Kind::kGradient:
      return gradients.Of(slot_).slice(0, first, last);
    case Kind::kWindows: {
      const std::int64_t uses = gradients.shape().uses;
      const torch::Tensor columns =
          torch::im2col(values_.slice(0, first * uses, last * uses), {window_.kernel, window_.kernel}, {1, 1},
                        {window_.padding, window_.padding}, {window_.stride, window_.stride});
      return columns.transpose(1, 2).reshape({last - first, -1, columns.size(1)});
    }
    case Kind::kCodes:
      break;
  }
  const torch::Tensor codes = CodeRows(first, last);
  const torch::Tensor active = codes.ge(0).to(torch::kFloat32);
  const torch::Tensor rows = torch::zeros({codes.size(0), codes.size(1), size_}, active.options());
  return rows.scatter_add(2, codes.clamp_min(0), active);
}

torch::Tensor Operand::SquaredLengths(const Gradients& gradients) const {
  const std::int64_t units = gradients.shape().units;
  if (kind_ == Kind::kGradient) return gradients.SquaredLengthsOf(slot_);
  if (kind_ == Kind::kActivation) return engine::SquaredLengths(values_);
  if (kind_ == Kind::kWindows) {
    // All units at once would take kernel^2 times the memory of the images.
    const std::int64_t values = values_.numel() / std::max<std::int64_t>(1, units);
    std::vector<torch::Tensor> pieces;
    ForPieces(units, values * window_.kernel * window_.kernel, [&](std::int64_t first, std::int64_t last) {
      pieces.push_back(engine::SquaredLengths(Rows(gradients, first, last)));
    });
    return torch::cat(pieces, 0);
  }
  const std::int64_t k = values_.size(2);
  const torch::Tensor single = values_.reshape({-1, 1, k, 1});
  const torch::Tensor equal = single.eq(values_.reshape({-1, 1, 1, k})) & single.ge(0);
  return equal.sum({1, 2, 3}).to(torch::kFloat64).view({units, values_.size(1)});
}

void Operand::ZeroUnits(const torch::Tensor& keep) {
  if (kind_ == Kind::kActivation) values_ = engine::ZeroUnits(values_, keep);
  if (kind_ != Kind::kWindows) return;
  const torch::Tensor by_unit = values_.view({keep.size(0), -1});
  values_ = engine::ZeroUnits(by_unit, keep).view(values_.sizes());
}

std::vector<const Operand*> PointersTo(const std::vector<Operand>& operands) {
  std::vector<const Operand*> pointers;
  for (const Operand& operand : operands) pointers.push_back(&operand);
  return pointers;
}

torch::Tensor RowsOf(const std::vector<const Operand*>& calls, const Gradients& gradients, std::int64_t first,
                     std::int64_t last) {
  if (calls.size() == 1) return calls[0]->Rows(gradients, first, last);
  std::vector<torch::Tensor> rows;
  for (const Operand* call : calls) rows.push_back(call->Rows(gradients, first, last));
  return torch::cat(rows, 1);
}

torch::Tensor GramOf(const std::vector<const Operand*>& calls, const Gradients& gradients, std::int64_t first,
                     std::int64_t last) {
  const bool all_codes = std::all_of(calls.begin(), calls.end(), [](const Operand* call) { return call->is_codes(); });
  if (!all_codes) {
    const torch::Tensor rows = RowsOf(calls, gradients, first, last);
    return torch::bmm(rows, rows.transpose(1, 2));
  }
  // Calls may have different numbers of columns: the missing ones are inactive.
  std::int64_t columns = 0;
  for (const Operand* call : calls) columns = std::max(columns, call->CodeRows(0, 0).size(2));
  std::vector<torch::Tensor> codes;
  for (const Operand* call : calls) {
    const torch::Tensor own = call->CodeRows(first, last);
    codes.push_back(torch::constant_pad_nd(own, {0, columns - own.size(2)}, -1));
  }
  return CodeGram(codes.size() == 1 ? codes[0] : torch::cat(codes, 1));
}

}  // namespace synod::engine
