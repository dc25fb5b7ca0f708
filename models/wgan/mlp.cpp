#include "models/wgan/mlp.h"

#include "common/core/check.h"
#include "models/wgan/shape.h"

namespace synod::wgan {
namespace {

constexpr auto kSlope = static_cast<float>(kLeak);

Eigen::Map<const Matrix> Weight(std::span<const float> parameters, const engine::LinearLayer& layer) {
  return {parameters.data() + layer.weight_offset, layer.out, layer.in};
}

}  // namespace

Mlp::Pass Mlp::Forward(std::span<const float> parameters, Matrix input) const {
  Pass pass;
  pass.inputs.push_back(std::move(input));
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const engine::LinearLayer& layer = layers_[l];
    Matrix value(pass.inputs[l].rows(), layer.out);
    value.noalias() = pass.inputs[l] * Weight(parameters, layer).transpose();
    if (layer.has_bias) {
      value.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(parameters.data() + layer.bias_offset, layer.out);
    }
    if (l + 1 == layers_.size()) {
      pass.output = std::move(value);
    } else {
      value = value.array().max(value.array() * kSlope);
      pass.inputs.push_back(std::move(value));
    }
  }
  return pass;
}

Mlp::Deltas Mlp::Backward(std::span<const float> parameters, const Pass& pass, Matrix by_output) const {
  Deltas deltas(layers_.size());
  deltas.back() = std::move(by_output);
  for (std::size_t l = layers_.size(); l-- > 1;) {
    Matrix by_input(deltas[l].rows(), layers_[l].in);
    by_input.noalias() = deltas[l] * Weight(parameters, layers_[l]);
    // An activation has the sign of what came before it.
    deltas[l - 1] = (pass.inputs[l].array() > 0.0F).select(by_input, by_input * kSlope);
  }
  return deltas;
}

Matrix Mlp::ByInput(std::span<const float> parameters, const Deltas& deltas) const {
  return deltas.front() * Weight(parameters, layers_.front());
}

std::vector<double> Mlp::SquaredNorms(const Pass& pass, const Deltas& deltas) const {
  std::vector<double> squared(static_cast<std::size_t>(pass.output.rows()), 0.0);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const double bias = layers_[l].has_bias ? 1.0 : 0.0;
    for (std::size_t row = 0; row < squared.size(); ++row) {
      const auto r = static_cast<Eigen::Index>(row);
      squared[row] += static_cast<double>(deltas[l].row(r).squaredNorm()) *
                      (static_cast<double>(pass.inputs[l].row(r).squaredNorm()) + bias);
    }
  }
  return squared;
}

void Mlp::AddGradient(const Pass& pass, Deltas deltas, std::span<const double> weights,
                      std::span<double> gradient) const {
  SYNOD_CHECK(static_cast<Eigen::Index>(weights.size()) == pass.output.rows(), "one weight for each row");
  const Eigen::VectorXf by_row = Eigen::Map<const Eigen::VectorXd>(weights.data(), pass.output.rows()).cast<float>();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const engine::LinearLayer& layer = layers_[l];
    deltas[l].array().colwise() *= by_row.array();
    Matrix own(layer.out, layer.in);
    own.noalias() = deltas[l].transpose() * pass.inputs[l];
    double* weight = gradient.data() + layer.weight_offset;
    for (Eigen::Index i = 0; i < own.size(); ++i) weight[i] += static_cast<double>(own.data()[i]);
    if (!layer.has_bias) continue;
    const Eigen::RowVectorXf bias = deltas[l].colwise().sum();
    for (Eigen::Index i = 0; i < bias.size(); ++i) gradient[static_cast<std::size_t>(layer.bias_offset + i)] += bias[i];
  }
}

}  // namespace synod::wgan
