#include "models/spline_flow/stage_density.h"

#include <algorithm>
#include <cmath>

namespace synod::spline_flow {
namespace {

// One end of a bin: its log slope, and what that moves with the two outputs behind it.
struct End {
  double log_slope = 0.0;
  double by_sum = 1.0;   // derivative of the bounded log slope by the sum inside
  bool coupled = false;  // to the bin on the other side of the knot
};

End EndOf(const ColumnBase& base, const StageOutputs& outputs, std::size_t token, bool left) {
  End end;
  const std::size_t knot = left ? token : token + 1;
  const bool has_neighbour = left ? token > 0 : token + 1 < base.tokens();
  const std::size_t neighbour = has_neighbour ? (left ? token - 1 : token + 1) : token;
  end.coupled = has_neighbour && base.wide[neighbour] != 0;
  double sum = end.coupled ? 0.5 * (static_cast<double>(outputs.tokens[neighbour]) - outputs.tokens[token]) : 0.0;
  if (knot < outputs.knots.size()) sum += outputs.knots[knot];
  const double bounded = std::tanh(sum / kMostLogSlope);
  end.log_slope = kMostLogSlope * bounded;
  end.by_sum = 1.0 - bounded * bounded;
  return end;
}

}  // namespace

BinSlopes SlopesOf(const ColumnBase& base, const StageOutputs& outputs, std::size_t token) {
  return {std::exp(EndOf(base, outputs, token, true).log_slope),
          std::exp(EndOf(base, outputs, token, false).log_slope)};
}

double LogShareInBin(const ColumnBase& base, const StageOutputs& outputs, std::size_t cell) {
  const std::size_t token = base.token_of_cell[cell];
  if (base.wide[token] == 0) return 0.0;
  const IntervalShare share = ShareOfInterval(SlopesOf(base, outputs, token), base.begin[cell], base.end[cell]);
  return share.log_density + std::log(base.end[cell] - base.begin[cell]);
}

double LossAndGradient(const ColumnBase& base, std::size_t cell, float weight, std::size_t capacity,
                       std::span<float> outputs) {
  const std::size_t tokens = base.tokens();
  const std::size_t target = base.token_of_cell[cell];
  const StageOutputs own{outputs.first(tokens), outputs.subspan(capacity)};
  double in_bin = 0.0;
  IntervalShare share;
  End left;
  End right;
  const bool wide = base.wide[target] != 0;
  if (wide) {
    left = EndOf(base, own, target, true);
    right = EndOf(base, own, target, false);
    share = ShareOfInterval({std::exp(left.log_slope), std::exp(right.log_slope)}, base.begin[cell], base.end[cell]);
    in_bin = share.log_density + std::log(base.end[cell] - base.begin[cell]);
  }
  // From here on the outputs become the gradient.
  float largest = -INFINITY;
  for (std::size_t v = 0; v < tokens; ++v) largest = std::max(largest, outputs[v] += base.log_share[v]);
  const float target_logit = outputs[target];
  float total = 0.0F;
  for (std::size_t v = 0; v < tokens; ++v) total += outputs[v] = std::exp(outputs[v] - largest);
  const double loss = std::log(static_cast<double>(total)) + largest - target_logit - in_bin;
  for (std::size_t v = 0; v < tokens; ++v) outputs[v] *= weight / total;
  outputs[target] -= weight;
  std::fill(outputs.begin() + static_cast<std::ptrdiff_t>(tokens), outputs.end(), 0.0F);
  if (!wide) return loss;
  const auto add = [&](const End& end, double by_log_slope, std::size_t neighbour, std::size_t knot) {
    const auto by_sum = static_cast<float>(-static_cast<double>(weight) * by_log_slope * end.by_sum);
    if (end.coupled) {
      outputs[neighbour] += 0.5F * by_sum;
      outputs[target] -= 0.5F * by_sum;
    }
    if (capacity + knot < outputs.size()) outputs[capacity + knot] += by_sum;
  };
  add(left, share.by_log_left, target == 0 ? target : target - 1, target);
  add(right, share.by_log_right, target + 1, target + 1);
  return loss;
}

}  // namespace synod::spline_flow
