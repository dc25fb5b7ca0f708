// How strongly each pair of columns of a table goes together: Pearson's correlation (numeric with numeric, in [-1, 1]),
// the correlation ratio eta (numeric with categorical, in [0, 1]), Cramer's V without bias correction (categorical with
// categorical, in [0, 1]). A missing number counts as the column's mean, a missing category as a category of its own; a
// constant column has association 0 with every other.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <optional>
#include <vector>

#include "common/data/table.h"

namespace synod {

// Symmetric, ones on the diagonal, in the order of `columns` (indices into the schema). No entry is NaN.
Eigen::MatrixXd AssociationMatrix(const Table& table, const std::vector<std::size_t>& columns);

// Mean of |a - b| over the pairs; nothing if there are fewer than two columns.
std::optional<double> MeanAssociationDifference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

}  // namespace synod
