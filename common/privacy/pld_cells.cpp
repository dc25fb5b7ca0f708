#include "common/privacy/pld_cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/core/check.h"
#include "common/privacy/gaussian_tail.h"

namespace synod {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnitRoundoff = 0x1p-53;

struct CellMass {
  double mass = 0.0;
  double upper_share = 0.0;
};

// Gauss-Legendre rules on [-1, 1]; on a cell over which log-densities change by `change` the relative error is below
// 1e-6 change^6 for three nodes and 1e-12 change^10 for five.
constexpr std::array<double, 3> kNodes3 = {-0.77459666924148337704, 0.0, 0.77459666924148337704};
constexpr std::array<double, 3> kWeights3 = {0.55555555555555555556, 0.88888888888888888889, 0.55555555555555555556};
constexpr std::array<double, 5> kNodes5 = {-0.90617984593866399280, -0.53846931010568309104, 0.0,
                                           0.53846931010568309104, 0.90617984593866399280};
constexpr std::array<double, 5> kWeights5 = {0.23692688505618908751, 0.47862867049936646804, 0.56888888888888888889,
                                             0.47862867049936646804, 0.23692688505618908751};

template <std::size_t kCount>
CellMass Integrate(const DominatingPair& pair, double low, double high, double loss_low, double width,
                   const std::array<double, kCount>& nodes, const std::array<double, kCount>& weights) {
  const double half = 0.5 * (high - low);
  double mass = 0.0;
  double upper = 0.0;
  for (std::size_t k = 0; k < kCount; ++k) {
    const double y = low + half * (1.0 + nodes[k]);
    const double log_p = pair.LogP(y);
    const double p = weights[k] * half * kInverseSqrtTwoPi * std::exp(log_p - 0.5 * y * y);
    const double above = std::clamp(log_p - pair.LogQ(y) - loss_low, 0.0, width);
    mass += p;
    upper -= p * std::expm1(-above);
  }
  if (!(mass > 0.0)) return {};
  return {mass, upper / (mass * -std::expm1(-width))};
}

// Masses of the outcomes in (low, high), whose losses lie in [loss_low, loss_low + width].
CellMass MassOfCell(const DominatingPair& pair, double low, double high, double loss_low, double width) {
  if (!(low < high)) return {};
  const double steepest = std::max(std::abs(low), std::abs(high)) + pair.max_shift() + pair.max_shift_q();
  const double change = (high - low) * steepest;  // infinite for an unbounded cell
  CellMass cell;
  if (change < 0.05) {
    cell = Integrate(pair, low, high, loss_low, width, kNodes3, kWeights3);
  } else if (change < 0.5) {
    cell = Integrate(pair, low, high, loss_low, width, kNodes5, kWeights5);
  } else {
    const double p = pair.MassP(low, high);
    if (!(p > 0.0)) return {};
    const double ratio = pair.MassQ(low, high) / p * std::exp(loss_low);
    cell = {p, (1.0 - ratio) / -std::expm1(-width)};
  }
  cell.upper_share = std::clamp(cell.upper_share, 0.0, 1.0);
  return cell;
}

// Rounding error of an upper share: losses and mass ratios carry a few units of roundoff, divided by the width.
double ShareError(double loss, double width) {
  return (64.0 + 16.0 * std::abs(loss)) * kUnitRoundoff / width;
}

}  // namespace

Result<LossCells> LossCells::Of(const DominatingPair& pair, double width, double tail) {
  SYNOD_CHECK(width > 0.0 && tail > 0.0 && tail < 1.0, "cells need a positive width and tail");
  const double reach = std::sqrt(2.0 * std::log(1.0 / tail));  // P(N > reach) <= tail
  const double lowest = pair.Loss(-reach - pair.max_shift_q());
  const double highest = pair.Loss(reach + pair.max_shift());
  if ((highest - lowest) / width > static_cast<double>(kMaxLossCells) || std::abs(lowest / width) > 1e15 ||
      std::abs(highest / width) > 1e15) {
    return Failed("the privacy loss distribution needs more cells than the accountant allows");
  }
  LossCells cells;
  cells.width_ = width;
  cells.first_ = static_cast<std::int64_t>(std::floor(lowest / width));
  const auto last = static_cast<std::int64_t>(std::ceil(highest / width));
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(last - cells.first_, 1));
  cells.mass_.reserve(count);
  cells.upper_share_.reserve(count);

  // The first lattice point is at or below every loss that is kept, also when the loss has a floor: a first cell
  // rounded up as a whole would cost up to a width in every use.
  const double bottom_loss = static_cast<double>(cells.first_) * width;
  const double bottom = pair.Inverse(bottom_loss, -reach - pair.max_shift_q());
  double low = bottom;
  double step = 0.0;  // from one inverse to the next: where to look for the one after
  for (std::size_t i = 0; i < count; ++i) {
    const double loss_low = static_cast<double>(cells.first_ + static_cast<std::int64_t>(i)) * width;
    double high = pair.Inverse(loss_low + width, std::isfinite(low) ? low + step : -reach - pair.max_shift_q());
    high = std::max(high, low);
    step = std::isfinite(high - low) ? high - low : 0.0;
    const CellMass cell = MassOfCell(pair, low, high, loss_low, width);
    cells.mass_.push_back(cell.mass);
    cells.upper_share_.push_back(cell.upper_share);
    low = high;
  }
  cells.infinity_ = pair.MassP(low, kInfinity);
  cells.bottom_mass_ = pair.MassP(-kInfinity, bottom);
  const double bottom_q = pair.MassQ(-kInfinity, bottom);
  cells.infinity_swapped_ = pair.MassQ(low, kInfinity) + bottom_q;
  return cells;
}

LossPmf LossCells::Pessimistic() const {
  LossPmf pmf{first_, std::vector<double>(mass_.size() + 1, 0.0), infinity_ + stray_mass_, loss_error_, mass_error_};
  pmf.mass[0] = bottom_mass_;
  for (std::size_t i = 0; i < mass_.size(); ++i) {
    const double share = std::min(1.0, upper_share_[i] + ShareError(LossOf(i), width_));
    pmf.mass[i] += mass_[i] * (1.0 - share);
    pmf.mass[i + 1] += mass_[i] * share;
  }
  return pmf;
}

LossPmf LossCells::PessimisticSwapped() const {
  // The Q-mass of lattice point i is e^-loss times its P-mass; read the other way its loss is -loss.
  LossPmf pmf{-(first_ + static_cast<std::int64_t>(mass_.size())), std::vector<double>(mass_.size() + 1, 0.0),
              infinity_swapped_, loss_error_, mass_error_};
  for (std::size_t i = 0; i < mass_.size(); ++i) {
    const double loss = LossOf(i);
    const double share = std::max(0.0, upper_share_[i] - ShareError(loss, width_));
    const std::size_t mirrored = mass_.size() - i;
    pmf.mass[mirrored] += mass_[i] * (1.0 - share) * std::exp(-loss);
    pmf.mass[mirrored - 1] += mass_[i] * share * std::exp(-loss - width_);
  }
  return pmf;
}

double LossCells::OffsetOf(std::size_t i) const {  // log(P-mass / Q-mass) above the lower end, rounded down
  const double share = std::max(0.0, upper_share_[i] - ShareError(LossOf(i), width_));
  return std::clamp(-std::log1p(share * std::expm1(-width_)), 0.0, width_);
}

OptimisticPmf LossCells::Optimistic(double uses, double deviations) const {
  const std::size_t count = mass_.size();
  std::vector<double> offsets(count);
  for (std::size_t i = 0; i < count; ++i) offsets[i] = OffsetOf(i);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&offsets](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; });

  // Offsets far from the bulk are rounded down; how many is a trade against the spread that Hoeffding's bound pays for.
  double low = 0.0;
  double high = width_;
  double best_cost = kInfinity;
  for (double cut = 0.0; cut < 0.2; cut = cut == 0.0 ? 1e-9 : 4.0 * cut) {
    double below = 0.0;
    std::size_t first = 0;
    while (first + 1 < count && below + mass_[order[first]] <= cut) below += mass_[order[first++]];
    double above = 0.0;
    double loss_above = 0.0;
    std::size_t last = count - 1;
    while (last > first && above + mass_[order[last]] <= cut) {
      above += mass_[order[last]];
      loss_above += mass_[order[last--]] * width_;
    }
    const double spread = offsets[order[last]] - offsets[order[first]];
    const double cost = uses * (below * width_ + 0.5 * loss_above) + deviations * spread * std::sqrt(uses);
    if (cost < best_cost) {
      best_cost = cost;
      low = offsets[order[first]];
      high = offsets[order[last]];
    }
  }
  OptimisticPmf result;
  result.pmf = {first_ - 1, std::vector<double>(count + 1, 0.0), 0.0, loss_error_, mass_error_};
  result.spread = high - low;
  double total = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool rounded_down = offsets[i] < low;  // to the cell below, where its offset is at least `high`
    result.pmf.mass[rounded_down ? i : i + 1] += mass_[i];
    result.offset += mass_[i] * (rounded_down ? high : std::min(offsets[i], high));
    total += mass_[i];
  }
  result.pmf.mass[count] += infinity_;  // rounded down too; its offset counts as the mean
  result.offset = total > 0.0 ? result.offset / total : 0.0;
  result.dropped = bottom_mass_ + stray_mass_;
  return result;
}

double LossDeviation(const DominatingPair& pair) {
  const double low = -12.0 - pair.max_shift_q();
  const double high = 12.0 + pair.max_shift();
  constexpr int kPoints = 2000;
  double mass = 0.0;
  double mean = 0.0;
  double square = 0.0;
  for (int i = 0; i <= kPoints; ++i) {
    const double y = low + (high - low) * i / kPoints;
    const double log_p = pair.LogP(y);
    const double weight = std::exp(log_p - 0.5 * y * y);
    const double loss = log_p - pair.LogQ(y);
    mass += weight;
    mean += weight * loss;
    square += weight * loss * loss;
  }
  mean /= mass;
  return std::sqrt(std::max(square / mass - mean * mean, 0.0));
}

}  // namespace synod
