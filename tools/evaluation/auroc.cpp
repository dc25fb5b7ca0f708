#include "tools/evaluation/auroc.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "common/core/check.h"

namespace synod {

std::optional<double> Auroc(const std::vector<double>& scores, const std::vector<bool>& positive) {
  SYNOD_CHECK(scores.size() == positive.size(), "one score for every row");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double positives = 0.0;
  double negatives = 0.0;
  double wins = 0.0;  // pairs in which the positive row is above the negative one
  for (std::size_t i = 0; i < order.size();) {
    double tied_positives = 0.0;
    double tied_negatives = 0.0;
    const double score = scores[order[i]];
    for (; i < order.size() && scores[order[i]] == score; ++i)
      (positive[order[i]] ? tied_positives : tied_negatives) += 1;
    wins += tied_positives * (negatives + 0.5 * tied_negatives);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  if (positives == 0.0 || negatives == 0.0) return std::nullopt;
  return wins / (positives * negatives);
}

std::optional<double> ClassifierAuroc(const Eigen::MatrixXd& probabilities, const std::vector<int>& classes) {
  SYNOD_CHECK(static_cast<std::size_t>(probabilities.rows()) == classes.size(), "one row of probabilities a class");
  double sum = 0.0;
  int measured = 0;
  const bool binary = probabilities.cols() == 2;
  for (Eigen::Index k = binary ? 1 : 0; k < probabilities.cols(); ++k) {
    const std::vector<double> scores(probabilities.col(k).begin(), probabilities.col(k).end());
    std::vector<bool> positive(classes.size());
    for (std::size_t i = 0; i < classes.size(); ++i) positive[i] = classes[i] == k;
    const std::optional<double> auroc = Auroc(scores, positive);
    if (!auroc) continue;
    sum += *auroc;
    ++measured;
  }
  if (measured == 0) return std::nullopt;
  return sum / measured;
}

}  // namespace synod
