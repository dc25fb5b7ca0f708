// Logistic regression with an L2 penalty: minimises
//   sum over rows of the cross-entropy + ||weights||^2 / (2 C),   intercepts free of penalty,
// by L-BFGS (Liu and Nocedal 1989) with backtracking. Two classes have one logit, more have one each (softmax).
// Deterministic.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "tools/evaluation/design_matrix.h"

namespace synod {

struct LogisticOptions {
  double inverse_penalty = 1.0;  // C
  int max_iterations = 300;
  double gradient_tolerance = 1e-5;  // largest coordinate of the gradient of the mean loss
  double decrease_tolerance = 1e-8;  // relative decrease of the mean loss in one step
};

class LogisticRegression {
 public:
  // `features` rows x width, finite; `classes` in [0, class_count), class_count >= 2, one a row, at least one row.
  static LogisticRegression Fit(const FloatRows& features, const std::vector<int>& classes, int class_count,
                                const LogisticOptions& options = {});

  // rows x class_count; each row sums to 1.
  Eigen::MatrixXd Probabilities(const FloatRows& features) const;

 private:
  Eigen::MatrixXd weights_;  // (width + 1) x logits, the intercept last
};

}  // namespace synod
