// A small neural network as a second, non-linear judge: two hidden layers (64 and 32, ReLU), softmax output,
// cross-entropy with weight decay, Adam (Kingma and Ba 2015), Glorot-uniform start. On more than 2,000 rows a tenth is
// held out and training stops early; the weights that were best on it are kept. Deterministic for a seed.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <vector>

#include "tools/evaluation/design_matrix.h"

namespace synod {

struct MlpOptions {
  std::uint64_t seed = 0;
  std::array<int, 2> hidden = {64, 32};
  int max_epochs = 25;
  int patience_epochs = 4;
  double learning_rate = 1e-3;
  double weight_decay = 1e-4;                   // per row of a batch, as a share of ||weights||^2 / 2
  std::size_t early_stopping_from_rows = 2000;  // fewer rows: all of them train, in batches of 32, for every epoch
};

class MlpClassifier {
 public:
  // As LogisticRegression::Fit.
  static MlpClassifier Fit(const FloatRows& features, const std::vector<int>& classes, int class_count,
                           const MlpOptions& options);

  // rows x class_count; each row sums to 1.
  Eigen::MatrixXd Probabilities(const FloatRows& features) const;

  // Weights (inputs x outputs) and biases of one layer.
  struct Layer {
    FloatRows weights;
    Eigen::RowVectorXf bias;
  };

 private:
  std::vector<Layer> layers_;
};

}  // namespace synod
