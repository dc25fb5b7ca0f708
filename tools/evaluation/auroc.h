// Area under the ROC curve: the chance that a random positive row scores above a random negative one, ties one half.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

namespace synod {

// `scores` finite; nothing unless both classes occur.
std::optional<double> Auroc(const std::vector<double>& scores, const std::vector<bool>& positive);

// Of a classifier with `probabilities` (rows x classes) on rows of the true `classes`: with two classes the AUROC of
// class 1, with more the plain mean of one-versus-rest AUROCs over the classes that both occur and do not fill the
// table. Nothing if there is no such class.
std::optional<double> ClassifierAuroc(const Eigen::MatrixXd& probabilities, const std::vector<int>& classes);

}  // namespace synod
