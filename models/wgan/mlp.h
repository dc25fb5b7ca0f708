// Fully connected layers with leaky ReLU between them, forward and backward by hand: both networks of a wgan run as the
// coordinator computes them. Parameters are one flat vector, weights [out, in] row-major and then the bias; rows are
// rows of row-major matrices. Const and without state: any number of threads.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "models/engine/parameter_view.h"

namespace synod::wgan {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class Mlp {
 public:
  // What a forward pass leaves behind: the input of every layer, and the output of the last.
  struct Pass {
    std::vector<Matrix> inputs;
    Matrix output;
  };
  // Gradients by what each layer puts out before its activation, one matrix a layer.
  using Deltas = std::vector<Matrix>;

  // Each layer takes what the one before it puts out (our own duty).
  explicit Mlp(std::vector<engine::LinearLayer> layers) : layers_(std::move(layers)) {}

  // input [rows, in].
  Pass Forward(std::span<const float> parameters, Matrix input) const;
  // by_output [rows, out]: gradient of the sum over rows of each row's loss by the output.
  Deltas Backward(std::span<const float> parameters, const Pass& pass, Matrix by_output) const;
  // Gradient by the input, [rows, in].
  Matrix ByInput(std::span<const float> parameters, const Deltas& deltas) const;

  // The squared L2 norm of each row's own gradient by all parameters.
  std::vector<double> SquaredNorms(const Pass& pass, const Deltas& deltas) const;
  // gradient += the sum over rows of weight * the row's gradient by the parameters.
  void AddGradient(const Pass& pass, Deltas deltas, std::span<const double> weights, std::span<double> gradient) const;

 private:
  std::vector<engine::LinearLayer> layers_;
};

}  // namespace synod::wgan
