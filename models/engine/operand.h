// One side of the products whose sum is the gradient of a matrix: activations or gradients.
//
// The gradient of a matrix by one unit is sum_t left_t right_t^T over the unit's uses, positions and calls. For
// y = x W^T left is the gradient of y and right is x; for y = x W (the same W, tied) left is x and right the gradient.
#pragma once

#include <vector>

#include "models/engine/gradients.h"

namespace synod::engine {

// A square window that moves over images.
struct Window {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
};

class Operand {
 public:
  // `rows`: [units, m, n], detached.
  static Operand Activation(torch::Tensor rows);
  // The gradient in `slot` of the tape.
  static Operand Gradient(std::size_t slot);
  // Images [rows, channels, height, width]: the vectors are what the window sees, [channels * kernel * kernel] each,
  // built only for the units that are asked for.
  static Operand Windows(torch::Tensor images, const Window& window);
  // int64 [units, m, k]: the vectors are sums of k one-hots of `size` values; a negative code adds none.
  static Operand Codes(torch::Tensor codes, std::int64_t size);

  bool is_codes() const { return kind_ == Kind::kCodes; }
  // Vectors of one unit.
  std::int64_t CountPerUnit(const Gradients& gradients) const;
  // Units [first, last): [last - first, m, n] float32. Builds one-hots where it stands for codes.
  torch::Tensor Rows(const Gradients& gradients, std::int64_t first, std::int64_t last) const;
  // int64 [last - first, m, k]; for codes alone.
  torch::Tensor CodeRows(std::int64_t first, std::int64_t last) const { return values_.slice(0, first, last); }
  // [units, m] float64.
  torch::Tensor SquaredLengths(const Gradients& gradients) const;
  // Zeroes activations; the slots of gradients are zeroed where they are.
  void ZeroUnits(const torch::Tensor& keep);

 private:
  enum class Kind { kActivation, kGradient, kWindows, kCodes };

  Kind kind_ = Kind::kActivation;
  torch::Tensor values_;  // undefined for a gradient
  std::size_t slot_ = 0;
  Window window_;
  std::int64_t size_ = 0;  // values of a one-hot
};

// For the functions below; valid as long as `operands` is.
std::vector<const Operand*> PointersTo(const std::vector<Operand>& operands);

// The vectors of several calls side by side: [last - first, sum of m, n].
torch::Tensor RowsOf(const std::vector<const Operand*>& calls, const Gradients& gradients, std::int64_t first,
                     std::int64_t last);

// Inner products of all pairs of a unit's vectors over all calls: [last - first, M, M] float32.
torch::Tensor GramOf(const std::vector<const Operand*>& calls, const Gradients& gradients, std::int64_t first,
                     std::int64_t last);

}  // namespace synod::engine
