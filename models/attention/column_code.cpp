#include "models/attention/column_code.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::attention {
namespace {

// A cell of share zero would forbid a value that the schema allows; far below what noisy counts can tell.
constexpr double kLeastShare = 1e-6;
constexpr double kLeastTotal = 1e-4;  // of all cells together

// Area below `x` of the triangle of height 1 over [-1, 1].
double TriangleArea(double x) {
  if (x <= -1.0) return 0.0;
  if (x >= 1.0) return 1.0;
  return x <= 0.0 ? 0.5 * (x + 1.0) * (x + 1.0) : 0.5 + x - 0.5 * x * x;
}

// Shares of cells, none of them zero.
std::vector<double> CellShares(const tabular::TokenColumn& column) {
  std::vector<double> shares;
  const auto cells = static_cast<double>(column.cell_probability.size());
  const double least = std::min(kLeastShare, kLeastTotal / cells);
  for (const double p : column.cell_probability) shares.push_back((p + least) / (1.0 + least * cells));
  return shares;
}

// The tokens of several cells, in order: their places take the components of the mixture.
std::vector<std::uint16_t> WideTokens(const tabular::TokenColumn& column) {
  std::vector<std::size_t> cells(column.tokens(), 0);
  for (const std::uint16_t token : column.token_of_cell) ++cells[token];
  std::vector<std::uint16_t> wide;
  for (std::size_t token = 0; token < cells.size(); ++token) {
    if (cells[token] > 1) wide.push_back(static_cast<std::uint16_t>(token));
  }
  return wide;
}

// The triangles around the knots 0, 1/(L-1), ..., 1 of a quantile; one flat component where L is 1.
class Triangles {
 public:
  explicit Triangles(std::size_t count) : count_(count) {}

  // Area of triangle m, as a share of all.
  double Area(std::size_t m) const { return count_ == 1 ? 1.0 : Raw(m, 0.0, 1.0) / Knots(); }
  // The share of triangle m between two quantiles.
  double Mass(std::size_t m, double low, double high) const {
    return count_ == 1 ? high - low : std::max(0.0, Raw(m, low, high)) / Raw(m, 0.0, 1.0);
  }

 private:
  double Knots() const { return static_cast<double>(count_ - 1); }
  double Raw(std::size_t m, double low, double high) const {
    const auto centre = static_cast<double>(m);
    return TriangleArea(high * Knots() - centre) - TriangleArea(low * Knots() - centre);
  }

  std::size_t count_;
};

}  // namespace

ColumnCode::ColumnCode(const tabular::PublicGrid& grid, const tabular::TokenColumn& column)
    : base_(column.tokens(), 0.0), cells_of_(column.tokens()) {
  const std::vector<double> shares = CellShares(column);
  const std::vector<std::uint16_t> wide = WideTokens(column);
  SYNOD_CHECK(wide.empty() || grid.numeric(), "only cells of numbers share a token");
  const auto in_mixture = [&](std::size_t cell) {
    return std::find(wide.begin(), wide.end(), column.token_of_cell[cell]) != wide.end();
  };
  double mixture = 0.0;
  for (std::size_t cell = 0; cell < shares.size(); ++cell) mixture += in_mixture(cell) ? shares[cell] : 0.0;

  const Triangles triangles(wide.size());
  for (std::size_t m = 0; m < wide.size(); ++m) base_[wide[m]] = mixture * triangles.Area(m);
  double below = 0.0;
  first_part_.push_back(0);
  for (std::size_t cell = 0; cell < shares.size(); ++cell) {
    if (!in_mixture(cell)) {
      base_[column.token_of_cell[cell]] = shares[cell];
      parts_.push_back({column.token_of_cell[cell], 1.0F, 1.0F});
    } else {
      const double low = below / mixture;
      below += shares[cell];
      const double high = std::min(1.0, below / mixture);
      double total = 0.0;
      for (std::size_t m = 0; m < wide.size(); ++m) {
        const double mass = triangles.Mass(m, low, high);
        if (static_cast<float>(mass) <= 0.0F) continue;
        parts_.push_back({wide[m], static_cast<float>(mass), static_cast<float>(base_[wide[m]] * mass)});
        total += base_[wide[m]] * mass;
      }
      for (std::size_t i = first_part_.back(); i < parts_.size(); ++i) {
        parts_[i].share = static_cast<float>(static_cast<double>(parts_[i].share) / total);
      }
    }
    SYNOD_CHECK(parts_.size() > first_part_.back(), "every cell is in some component");
    first_part_.push_back(parts_.size());
  }
  for (std::size_t cell = 0; cell < shares.size(); ++cell) {
    for (const Part& part : parts(cell)) {
      std::vector<CellMass>& own = cells_of_[part.component];
      const double before = own.empty() ? 0.0 : own.back().cumulative;
      own.push_back({static_cast<std::uint16_t>(cell), before + static_cast<double>(part.mass)});
    }
  }
  for (const double weight : base_) {
    SYNOD_CHECK(weight > 0.0, "every component has a share");
    log_base_.push_back(static_cast<float>(std::log(weight)));
  }
}

std::size_t ColumnCode::DrawCell(std::size_t component, double uniform) const {
  const std::vector<CellMass>& own = cells_of_[component];
  const double threshold = uniform * own.back().cumulative;
  const auto found = std::upper_bound(own.begin(), own.end(), threshold,
                                      [](double x, const CellMass& mass) { return x < mass.cumulative; });
  return found == own.end() ? own.back().cell : found->cell;
}

std::vector<ColumnCode> CodesOf(const std::vector<tabular::PublicGrid>& grids,
                                const tabular::TokenTransform& transform) {
  std::vector<ColumnCode> codes;
  for (std::size_t j = 0; j < grids.size(); ++j) codes.emplace_back(grids[j], transform.column(j));
  return codes;
}

}  // namespace synod::attention
