#include "tools/evaluation/mlp_classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/core/check.h"
#include "tools/evaluation/evaluation_random.h"

namespace synod {
namespace {

using Layer = MlpClassifier::Layer;
using Layers = std::vector<Layer>;

constexpr std::size_t kLargeBatch = 256;
constexpr std::size_t kSmallBatch = 32;
constexpr double kHeldOutShare = 0.1;
constexpr double kLeastImprovement = 1e-4;
constexpr Eigen::Index kPredictionBlock = 4096;  // rows in memory at a time

Layers StartingLayers(const std::vector<Eigen::Index>& sizes, EvaluationRandom& random) {
  Layers layers;
  for (std::size_t k = 0; k + 1 < sizes.size(); ++k) {
    const double bound = std::sqrt(6.0 / static_cast<double>(sizes[k] + sizes[k + 1]));
    Layer layer{FloatRows(sizes[k], sizes[k + 1]), Eigen::RowVectorXf(sizes[k + 1])};
    for (float& w : layer.weights.reshaped()) w = static_cast<float>(bound * (2.0 * random.Uniform() - 1.0));
    for (float& b : layer.bias) b = static_cast<float>(bound * (2.0 * random.Uniform() - 1.0));
    layers.push_back(std::move(layer));
  }
  return layers;
}

// The outputs of every layer; the last are probabilities.
void Forward(const Layers& layers, const FloatRows& input, std::vector<FloatRows>& outputs) {
  outputs.resize(layers.size());
  for (std::size_t k = 0; k < layers.size(); ++k) {
    outputs[k].noalias() = (k == 0 ? input : outputs[k - 1]) * layers[k].weights;
    outputs[k].rowwise() += layers[k].bias;
    if (k + 1 < layers.size()) outputs[k] = outputs[k].cwiseMax(0.0F);
  }
  FloatRows& last = outputs.back();
  for (Eigen::Index i = 0; i < last.rows(); ++i) {
    last.row(i) = (last.row(i).array() - last.row(i).maxCoeff()).exp();
    last.row(i) /= last.row(i).sum();
  }
}

// Gradients of the mean cross-entropy plus the decay of the batch, into `gradients`. Consumes `outputs`.
void Backward(const Layers& layers, const FloatRows& input, const std::vector<int>& classes, double weight_decay,
              std::vector<FloatRows>& outputs, Layers& gradients) {
  const auto rows = static_cast<float>(input.rows());
  FloatRows delta = std::move(outputs.back());
  for (Eigen::Index i = 0; i < delta.rows(); ++i) delta(i, classes[static_cast<std::size_t>(i)]) -= 1.0F;
  delta /= rows;
  for (std::size_t k = layers.size(); k-- > 0;) {
    const FloatRows& below = k == 0 ? input : outputs[k - 1];
    gradients[k].weights.noalias() = below.transpose() * delta;
    gradients[k].weights += static_cast<float>(weight_decay) / rows * layers[k].weights;
    gradients[k].bias = delta.colwise().sum();
    if (k == 0) break;
    FloatRows passed = delta * layers[k].weights.transpose();
    delta = (below.array() > 0.0F).select(passed, 0.0F);
  }
}

class Adam {
 public:
  Adam(const Layers& layers, double learning_rate) : learning_rate_(learning_rate), mean_(layers), square_(layers) {
    for (Layers* moments : {&mean_, &square_}) {
      for (Layer& layer : *moments) {
        layer.weights.setZero();
        layer.bias.setZero();
      }
    }
  }

  void Update(const Layers& gradients, Layers& layers) {
    decay_first_ *= kFirst;
    decay_second_ *= kSecond;
    const auto rate = static_cast<float>(learning_rate_ * std::sqrt(1.0 - decay_second_) / (1.0 - decay_first_));
    for (std::size_t k = 0; k < layers.size(); ++k) {
      Move(gradients[k].weights.array(), mean_[k].weights.array(), square_[k].weights.array(), rate,
           layers[k].weights.array());
      Move(gradients[k].bias.array(), mean_[k].bias.array(), square_[k].bias.array(), rate, layers[k].bias.array());
    }
  }

 private:
  static constexpr float kFirst = 0.9F;
  static constexpr float kSecond = 0.999F;
  static constexpr float kTiny = 1e-8F;

  template <typename Gradient, typename Moment, typename Value>
  static void Move(const Gradient& gradient, Moment mean, Moment square, float rate, Value value) {
    mean = kFirst * mean + (1.0F - kFirst) * gradient;
    square = kSecond * square + (1.0F - kSecond) * gradient.square();
    value -= rate * mean / (square.sqrt() + kTiny);
  }

  double learning_rate_;
  double decay_first_ = 1.0;
  double decay_second_ = 1.0;
  Layers mean_;
  Layers square_;
};

void Gather(const FloatRows& features, const std::vector<int>& classes, const std::vector<std::size_t>& rows,
            FloatRows& batch, std::vector<int>& batch_classes) {
  batch.resize(static_cast<Eigen::Index>(rows.size()), features.cols());
  batch_classes.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    batch.row(static_cast<Eigen::Index>(i)) = features.row(static_cast<Eigen::Index>(rows[i]));
    batch_classes[i] = classes[rows[i]];
  }
}

double MeanLoss(const Layers& layers, const FloatRows& features, const std::vector<int>& classes) {
  std::vector<FloatRows> outputs;
  Forward(layers, features, outputs);
  double loss = 0.0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    loss -= std::log(std::max(1e-12F, outputs.back()(static_cast<Eigen::Index>(i), classes[i])));
  }
  return loss / static_cast<double>(classes.size());
}

// One pass over `rows` in the order given.
void TrainEpoch(const FloatRows& features, const std::vector<int>& classes, const std::vector<std::size_t>& rows,
                const MlpOptions& options, std::size_t batch_rows, Adam& adam, Layers& layers) {
  FloatRows batch;
  std::vector<int> batch_classes;
  std::vector<FloatRows> outputs;
  Layers gradients = layers;
  for (std::size_t start = 0; start < rows.size(); start += batch_rows) {
    const std::size_t end = std::min(rows.size(), start + batch_rows);
    const std::vector<std::size_t> members(rows.begin() + static_cast<std::ptrdiff_t>(start),
                                           rows.begin() + static_cast<std::ptrdiff_t>(end));
    Gather(features, classes, members, batch, batch_classes);
    Forward(layers, batch, outputs);
    Backward(layers, batch, batch_classes, options.weight_decay, outputs, gradients);
    adam.Update(gradients, layers);
  }
}

}  // namespace

MlpClassifier MlpClassifier::Fit(const FloatRows& features, const std::vector<int>& classes, int class_count,
                                 const MlpOptions& options) {
  SYNOD_CHECK(features.rows() > 0 && static_cast<std::size_t>(features.rows()) == classes.size() && class_count >= 2,
              "a classifier needs rows, one class each, and two classes");
  EvaluationRandom random(options.seed);
  MlpClassifier model;
  model.layers_ = StartingLayers({features.cols(), options.hidden[0], options.hidden[1], class_count}, random);
  const bool early_stopping = classes.size() > options.early_stopping_from_rows;
  std::vector<std::size_t> rows = random.Permutation(classes.size());
  FloatRows held_out;
  std::vector<int> held_out_classes;
  if (early_stopping) {
    const auto count = static_cast<std::ptrdiff_t>(kHeldOutShare * static_cast<double>(rows.size()));
    Gather(features, classes, {rows.begin(), rows.begin() + count}, held_out, held_out_classes);
    rows.erase(rows.begin(), rows.begin() + count);
  }
  Adam adam(model.layers_, options.learning_rate);
  Layers best = model.layers_;
  double best_loss = std::numeric_limits<double>::infinity();
  int epochs_without_gain = 0;
  for (int epoch = 0; epoch < options.max_epochs; ++epoch) {
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.Below(i)]);
    TrainEpoch(features, classes, rows, options, early_stopping ? kLargeBatch : kSmallBatch, adam, model.layers_);
    if (!early_stopping) continue;
    const double loss = MeanLoss(model.layers_, held_out, held_out_classes);
    epochs_without_gain = loss < best_loss - kLeastImprovement ? 0 : epochs_without_gain + 1;
    if (loss < best_loss) {
      best_loss = loss;
      best = model.layers_;
    }
    if (epochs_without_gain >= options.patience_epochs) break;
  }
  if (early_stopping) model.layers_ = std::move(best);
  return model;
}

Eigen::MatrixXd MlpClassifier::Probabilities(const FloatRows& features) const {
  SYNOD_CHECK(!layers_.empty() && features.cols() == layers_.front().weights.rows(), "features of another width");
  Eigen::MatrixXd probabilities(features.rows(), layers_.back().bias.size());
  std::vector<FloatRows> outputs;
  for (Eigen::Index start = 0; start < features.rows(); start += kPredictionBlock) {
    const Eigen::Index rows = std::min(kPredictionBlock, features.rows() - start);
    Forward(layers_, features.middleRows(start, rows), outputs);
    probabilities.middleRows(start, rows) = outputs.back().cast<double>();
  }
  return probabilities;
}

}  // namespace synod
