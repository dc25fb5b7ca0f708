#include "models/engine/attention.h"

#include <cmath>

#include "common/core/check.h"

namespace synod::engine {

torch::Tensor Attend(Tape& tape, const AttentionLayer& layer, const torch::Tensor& input,
                     const torch::Tensor& scores_added) {
  SYNOD_CHECK(input.dim() == 3, "attention reads [rows, positions, width]");
  const std::int64_t rows = input.size(0);
  const std::int64_t positions = input.size(1);
  const std::int64_t width = layer.width / layer.heads;
  const torch::Tensor parts = tape.Linear(layer.projection, input)
                                  .view({rows, positions, 3, layer.heads, width})
                                  .permute({2, 0, 3, 1, 4});  // [3, rows, heads, positions, width]
  torch::Tensor scores = torch::matmul(parts[0], parts[1].transpose(2, 3)) / std::sqrt(static_cast<double>(width));
  if (scores_added.defined()) scores = scores + scores_added;
  const torch::Tensor mixed = torch::matmul(torch::softmax(scores, 3), parts[2]);
  return tape.Linear(layer.output, mixed.transpose(1, 2).reshape({rows, positions, layer.width}));
}

}  // namespace synod::engine
