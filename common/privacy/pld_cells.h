// The privacy loss distribution of one event, cut into cells of one width on the lattice { i * width }.
//
// Cell i holds the outcomes whose loss lies in [i width, (i+1) width]; it keeps its masses under both P and Q. From
// them:
// - pessimistic: the P-mass is split between both ends of the cell so that both masses are preserved ("connect the
//   dots", Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022): the tightest distribution on the lattice that
//   dominates the true one. The error is of second order in the width.
// - optimistic: merging the outcomes of a cell into one is post-processing, hence dominated by the true pair; its loss
//   is log(P-mass / Q-mass), a known place inside the cell.
#pragma once

#include <cstdint>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/dominating_pair.h"
#include "common/privacy/loss_atoms.h"

namespace synod {

inline constexpr std::int64_t kMaxLossCells = std::int64_t{1} << 21;

// A lattice distribution of the loss: mass[i] at (first + i) * width, `infinity` at plus infinity.
struct LossPmf {
  std::int64_t first = 0;
  std::vector<double> mass;
  double infinity = 0.0;
  double loss_error = 0.0;  // the true losses are off by at most this
  double mass_error = 0.0;  // and the masses, relative, beyond what every account allows for
};

// The optimistic distribution: an outcome at lattice point i has a loss of at least i width + its own offset. Offsets
// lie in an interval of length `spread` and have mean `offset`, so that by Hoeffding's inequality the offsets of k uses
// add up to at least k offset - t, but for a probability of exp(-2 t^2 / (k spread^2)).
struct OptimisticPmf {
  LossPmf pmf;
  double offset = 0.0;   // mean of the offsets kept
  double spread = 0.0;   // largest minus smallest offset kept
  double dropped = 0.0;  // mass whose loss was set to minus infinity
};

class LossCells {
 public:
  // `tail`: the mass of each end that may be cut off; the upper end goes to plus infinity, the lower end is rounded up.
  // Fails when the range of losses needs more than kMaxLossCells.
  static Result<LossCells> Of(const DominatingPair& pair, double width, double tail);

  static Result<LossCells> OfAtoms(const LossAtoms& atoms, double width);

  // The Laplace mechanism: the loss is +1/scale with probability 1/2, -1/scale, or in between with a density in
  // proportion to e^(loss / 2). `scale` is the noise scale over the sensitivity.
  static Result<LossCells> OfLaplace(double scale, double width);

  // One of two mechanisms, chosen with a public probability whatever the data, the choice itself published. Both have
  // the same width. The probability may be off by `probability_error`, relative.
  static Result<LossCells> OfChoice(const LossCells& first, const LossCells& second, double second_probability,
                                    double probability_error);

  LossPmf Pessimistic() const;         // direction (P, Q): REMOVE
  LossPmf PessimisticSwapped() const;  // direction (Q, P): ADD; the same dominating pair read the other way
  // `deviations` scales how much a wide spread of offsets would cost per sqrt(use), against rounding them down.
  OptimisticPmf Optimistic(double uses, double deviations) const;

  double width() const { return width_; }

 private:
  LossCells() = default;
  // Cells without mass that hold losses from `lowest` to `highest`.
  static Result<LossCells> Empty(double lowest, double highest, double width);
  std::size_t CellOf(double loss) const;
  // Adds P-mass whose upper share, summed over its outcomes, is `upper`; shares are kept as sums until Normalise.
  void Add(std::size_t cell, double mass, double upper);
  void Normalise();
  double LossOf(std::size_t i) const { return static_cast<double>(first_ + static_cast<std::int64_t>(i)) * width_; }
  double OffsetOf(std::size_t i) const;

  double width_ = 0.0;
  std::int64_t first_ = 0;
  std::vector<double> mass_;         // P-mass of each cell
  std::vector<double> upper_share_;  // of it, the share that goes to the upper end
  double bottom_mass_ = 0.0;         // P-mass below the first cell
  double stray_mass_ = 0.0;          // P-mass of losses not known to be below the first cell, nor in one
  double infinity_ = 0.0;            // P-mass above the last cell
  double infinity_swapped_ = 0.0;    // Q-mass that no finite lattice point carries
  double loss_error_ = 0.0;
  double mass_error_ = 0.0;
};

// Root mean square of the loss around its mean under P: the scale that chooses a cell width.
double LossDeviation(const DominatingPair& pair);

}  // namespace synod
