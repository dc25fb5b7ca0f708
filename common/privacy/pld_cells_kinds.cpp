// Cells of mechanisms whose losses are not those of a Gaussian pair.
#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/privacy/pld_cells.h"

namespace synod {
namespace {

// The share of an outcome that goes to the upper end of its cell, `above` over the lower end.
double UpperShare(double above, double width) {
  return std::expm1(-std::clamp(above, 0.0, width)) / std::expm1(-width);
}

}  // namespace

Result<LossCells> LossCells::Empty(double lowest, double highest, double width) {
  SYNOD_CHECK(width > 0.0 && lowest <= highest, "cells need a positive width and a range");
  if ((highest - lowest) / width > static_cast<double>(kMaxLossCells - 2) || std::abs(lowest / width) > 1e15 ||
      std::abs(highest / width) > 1e15) {
    return Failed("the privacy loss distribution needs more cells than the accountant allows");
  }
  LossCells cells;
  cells.width_ = width;
  cells.first_ = static_cast<std::int64_t>(std::floor(lowest / width));
  const auto last = static_cast<std::int64_t>(std::floor(highest / width)) + 1;
  cells.mass_.assign(static_cast<std::size_t>(last - cells.first_), 0.0);
  cells.upper_share_.assign(cells.mass_.size(), 0.0);
  return cells;
}

std::size_t LossCells::CellOf(double loss) const {
  const auto cell = static_cast<std::int64_t>(std::floor(loss / width_)) - first_;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(cell, 0, static_cast<std::int64_t>(mass_.size()) - 1));
}

void LossCells::Add(std::size_t cell, double mass, double upper) {
  mass_[cell] += mass;
  upper_share_[cell] += upper;
}

void LossCells::Normalise() {
  for (std::size_t i = 0; i < mass_.size(); ++i) {
    upper_share_[i] = mass_[i] > 0.0 ? std::clamp(upper_share_[i] / mass_[i], 0.0, 1.0) : 0.0;
  }
}

Result<LossCells> LossCells::OfAtoms(const LossAtoms& atoms, double width) {
  SYNOD_CHECK(!atoms.atoms.empty(), "a distribution of losses has an outcome");
  SYNOD_ASSIGN_OR_RETURN(LossCells cells, Empty(atoms.atoms.front().loss, atoms.atoms.back().loss, width));
  for (const LossAtom& atom : atoms.atoms) {
    const std::size_t cell = cells.CellOf(atom.loss);
    cells.Add(cell, atom.mass, atom.mass * UpperShare(atom.loss - cells.LossOf(cell), width));
  }
  cells.Normalise();
  cells.bottom_mass_ = atoms.bottom;
  cells.infinity_ = atoms.infinity;
  cells.infinity_swapped_ = atoms.infinity_swapped;
  const double largest = std::max(std::abs(atoms.atoms.front().loss), std::abs(atoms.atoms.back().loss));
  cells.loss_error_ = atoms.loss_error + 0x1p-50 * largest;  // places on the lattice are rounded
  cells.mass_error_ = atoms.mass_error + 0x1p-53 * static_cast<double>(atoms.atoms.size());
  return cells;
}

Result<LossCells> LossCells::OfLaplace(double scale, double width) {
  SYNOD_CHECK(scale > 0.0, "a noise scale is positive");
  const double limit = 1.0 / scale;
  SYNOD_ASSIGN_OR_RETURN(LossCells cells, Empty(-limit, limit, width));
  const auto add_atom = [&cells, width](double loss, double mass) {
    const std::size_t cell = cells.CellOf(loss);
    cells.Add(cell, mass, mass * UpperShare(loss - cells.LossOf(cell), width));
  };
  add_atom(limit, 0.5);
  add_atom(-limit, 0.5 * std::exp(-limit));
  for (std::size_t i = 0; i < cells.mass_.size(); ++i) {
    const double floor = cells.LossOf(i);
    const double low = std::max(floor, -limit);
    const double high = std::min(floor + width, limit);
    if (!(low < high)) continue;
    // P-mass: the integral of e^((loss - limit) / 2) / 4. Q-mass over P-mass: e^-(low + high) / 2.
    const double mass = 0.5 * std::exp(0.5 * (low - limit)) * std::expm1(0.5 * (high - low));
    cells.Add(i, mass, mass * UpperShare(0.5 * (low - floor) + 0.5 * (high - floor), width));
  }
  cells.Normalise();
  cells.loss_error_ = 0x1p-50 * limit;
  cells.mass_error_ = 0x1p-48 * (1.0 + limit);
  return cells;
}

Result<LossCells> LossCells::OfChoice(const LossCells& first, const LossCells& second, double second_probability,
                                      double probability_error) {
  SYNOD_CHECK(first.width_ == second.width_, "cells of one width");
  SYNOD_CHECK(second_probability >= 0.0 && second_probability <= 1.0, "a choice has a probability");
  const std::int64_t low = std::min(first.first_, second.first_);
  const auto end = [](const LossCells& cells) { return cells.first_ + static_cast<std::int64_t>(cells.mass_.size()); };
  const std::int64_t high = std::max(end(first), end(second));
  if (high - low > kMaxLossCells) {
    return Failed("the privacy loss distribution needs more cells than the accountant allows");
  }
  LossCells cells;
  cells.width_ = first.width_;
  cells.first_ = low;
  cells.mass_.assign(static_cast<std::size_t>(high - low), 0.0);
  cells.upper_share_.assign(cells.mass_.size(), 0.0);
  const auto add = [&cells](const LossCells& part, double probability) {
    const auto offset = static_cast<std::size_t>(part.first_ - cells.first_);
    for (std::size_t i = 0; i < part.mass_.size(); ++i) {
      const double mass = probability * part.mass_[i];
      cells.Add(offset + i, mass, mass * part.upper_share_[i]);
    }
    // Below the first cell of one part is not below the first cell of both.
    (offset == 0 ? cells.bottom_mass_ : cells.stray_mass_) += probability * part.bottom_mass_;
    cells.stray_mass_ += probability * part.stray_mass_;
    cells.infinity_ += probability * part.infinity_;
    cells.infinity_swapped_ += probability * part.infinity_swapped_;
    cells.loss_error_ = std::max(cells.loss_error_, part.loss_error_);
    cells.mass_error_ = std::max(cells.mass_error_, part.mass_error_);
  };
  add(first, 1.0 - second_probability);
  add(second, second_probability);
  cells.Normalise();
  cells.mass_error_ += probability_error;
  return cells;
}

}  // namespace synod
