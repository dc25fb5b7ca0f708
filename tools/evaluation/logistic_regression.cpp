#include "tools/evaluation/logistic_regression.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr std::size_t kMemory = 10;  // pairs kept by L-BFGS
constexpr int kMaxHalvings = 30;
constexpr double kSufficientDecrease = 1e-4;

using Logits = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Logits to probabilities of the classes; one logit stands for class 1 against a logit of 0.
Eigen::MatrixXd ToProbabilities(const Logits& logits) {
  const Eigen::Index classes = logits.cols() == 1 ? 2 : logits.cols();
  Eigen::MatrixXd probabilities(logits.rows(), classes);
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    if (classes == 2 && logits.cols() == 1) {
      const double p = 1.0 / (1.0 + std::exp(-logits(i, 0)));
      probabilities(i, 0) = 1.0 - p;
      probabilities(i, 1) = p;
    } else {
      const double top = logits.row(i).maxCoeff();
      probabilities.row(i) = (logits.row(i).array() - top).exp();
      probabilities.row(i) /= probabilities.row(i).sum();
    }
  }
  return probabilities;
}

// Mean loss and its gradient as a function of the weights, laid out column by column.
class Objective {
 public:
  Objective(const FloatRows& features, const std::vector<int>& classes, int class_count, double inverse_penalty)
      : features_(features.cast<double>()),
        classes_(classes),
        logits_(class_count == 2 ? 1 : class_count),
        penalty_(1.0 / (inverse_penalty * static_cast<double>(features.rows()))) {}

  Eigen::Index dimension() const { return (features_.cols() + 1) * logits_; }
  Eigen::Index logits() const { return logits_; }

  double operator()(const Eigen::VectorXd& point, Eigen::VectorXd& gradient) const {
    const Eigen::Index width = features_.cols();
    const Eigen::Map<const Eigen::MatrixXd> weights(point.data(), width + 1, logits_);
    Logits scores = features_ * weights.topRows(width);
    scores.rowwise() += weights.row(width);
    double loss = 0.0;
    for (Eigen::Index i = 0; i < scores.rows(); ++i) {
      loss += logits_ == 1 ? BinaryResidual(i, scores) : SoftmaxResidual(i, scores);
    }
    const auto rows = static_cast<double>(scores.rows());
    gradient.resize(point.size());
    Eigen::Map<Eigen::MatrixXd> slope(gradient.data(), width + 1, logits_);
    slope.topRows(width).noalias() = features_.transpose() * scores / rows;
    slope.topRows(width) += penalty_ * weights.topRows(width);
    slope.row(width) = scores.colwise().sum() / rows;
    return loss / rows + 0.5 * penalty_ * weights.topRows(width).squaredNorm();
  }

 private:
  // Both return the loss of row i and turn its scores into the derivative of that loss.
  double BinaryResidual(Eigen::Index i, Logits& scores) const {
    const double z = scores(i, 0);
    const bool positive = classes_[static_cast<std::size_t>(i)] == 1;
    scores(i, 0) = 1.0 / (1.0 + std::exp(-z)) - (positive ? 1.0 : 0.0);
    return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - (positive ? z : 0.0);
  }
  double SoftmaxResidual(Eigen::Index i, Logits& scores) const {
    const int target = classes_[static_cast<std::size_t>(i)];
    const double top = scores.row(i).maxCoeff();
    const double own = scores(i, target) - top;
    scores.row(i) = (scores.row(i).array() - top).exp();
    const double sum = scores.row(i).sum();
    scores.row(i) /= sum;
    scores(i, target) -= 1.0;
    return std::log(sum) - own;
  }

  const Logits features_;
  const std::vector<int>& classes_;
  const Eigen::Index logits_;
  const double penalty_;
};

struct Step {
  Eigen::VectorXd move;
  Eigen::VectorXd slope_change;
  double product = 0.0;
};

// The two-loop recursion: minus the approximate inverse Hessian times `gradient`.
Eigen::VectorXd Direction(const std::deque<Step>& steps, const Eigen::VectorXd& gradient) {
  Eigen::VectorXd q = -gradient;
  if (steps.empty()) return q / std::max(1.0, gradient.norm());
  std::vector<double> alphas(steps.size());
  for (std::size_t k = steps.size(); k-- > 0;) {
    alphas[k] = steps[k].move.dot(q) / steps[k].product;
    q -= alphas[k] * steps[k].slope_change;
  }
  q *= steps.back().product / steps.back().slope_change.squaredNorm();
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const double beta = steps[k].slope_change.dot(q) / steps[k].product;
    q += (alphas[k] - beta) * steps[k].move;
  }
  return q;
}

Eigen::VectorXd Minimise(const Objective& objective, const LogisticOptions& options) {
  Eigen::VectorXd point = Eigen::VectorXd::Zero(objective.dimension());
  Eigen::VectorXd gradient;
  double loss = objective(point, gradient);
  std::deque<Step> steps;
  for (int iteration = 0; iteration < options.max_iterations; ++iteration) {
    if (gradient.cwiseAbs().maxCoeff() < options.gradient_tolerance) break;
    const Eigen::VectorXd direction = Direction(steps, gradient);
    const double slope = gradient.dot(direction);
    if (!(slope < 0.0)) break;  // the curvature pairs have lost their meaning at the precision of a double
    Eigen::VectorXd next;
    Eigen::VectorXd next_gradient;
    double next_loss = loss;
    double length = 1.0;
    int halvings = 0;
    for (; halvings < kMaxHalvings; ++halvings, length *= 0.5) {
      next = point + length * direction;
      next_loss = objective(next, next_gradient);
      if (next_loss <= loss + kSufficientDecrease * length * slope) break;
    }
    if (halvings == kMaxHalvings) break;
    Step step{next - point, next_gradient - gradient, 0.0};
    step.product = step.move.dot(step.slope_change);
    if (step.product > 1e-14 * step.slope_change.squaredNorm()) {
      steps.push_back(std::move(step));
      if (steps.size() > kMemory) steps.pop_front();
    }
    const bool finished = loss - next_loss <= options.decrease_tolerance * std::max(1.0, std::abs(loss));
    point = std::move(next);
    gradient = std::move(next_gradient);
    loss = next_loss;
    if (finished) break;
  }
  return point;
}

}  // namespace

LogisticRegression LogisticRegression::Fit(const FloatRows& features, const std::vector<int>& classes, int class_count,
                                           const LogisticOptions& options) {
  SYNOD_CHECK(features.rows() > 0 && static_cast<std::size_t>(features.rows()) == classes.size() && class_count >= 2,
              "logistic regression needs rows, one class each, and two classes");
  const Objective objective(features, classes, class_count, options.inverse_penalty);
  const Eigen::VectorXd point = Minimise(objective, options);
  LogisticRegression model;
  model.weights_ = Eigen::Map<const Eigen::MatrixXd>(point.data(), features.cols() + 1, objective.logits());
  return model;
}

Eigen::MatrixXd LogisticRegression::Probabilities(const FloatRows& features) const {
  SYNOD_CHECK(features.cols() + 1 == weights_.rows(), "features of another width than the model's");
  Logits logits = features.cast<double>() * weights_.topRows(features.cols());
  logits.rowwise() += weights_.row(features.cols());
  return ToProbabilities(logits);
}

}  // namespace synod
