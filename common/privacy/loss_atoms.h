// Privacy losses of mechanisms with discrete losses: finitely many outcomes with their masses. Pure functions.
//
// All pairs (P, Q) here are mirror images: both directions have the same curve.
#pragma once

#include <cstdint>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/mechanism.h"

namespace synod {

inline constexpr std::size_t kMaxLossAtoms = std::size_t{1} << 21;

struct LossAtom {
  double loss = 0.0;
  double mass = 0.0;  // under P; under Q it is mass e^-loss
};

struct LossAtoms {
  std::vector<LossAtom> atoms;    // ascending by loss
  double bottom = 0.0;            // P-mass of outcomes whose loss is at most that of the first atom
  double infinity = 0.0;          // P-mass, at most, of an infinite loss
  double infinity_swapped = 0.0;  // the same of Q
  double loss_error = 0.0;        // every loss is off by at most this
  double mass_error = 0.0;        // every mass is off by at most this, relative
};

// log((P-mass / Q-mass)^order summed over Q) / (order - 1), the atoms taken as exact.
double AtomRdp(const LossAtoms& atoms, double order);

// Randomised response with this epsilon, and the mass delta at infinity: the worst case of every mechanism with the
// guarantee (Kairouz, Oh and Viswanath 2015).
LossAtoms AtomsOf(const StatedGuarantee& stated);

LossAtoms AtomsOf(const GeometricMechanism& geometric, double sensitivity_factor);

// One coordinate, moved by the sensitivity times the factor; outcomes of mass below `tail` at each end may be cut off.
// The worst shift up to the sensitivity is the sensitivity: the noises are log-concave. Fail where the masses would be
// too many, or the sensitivity is so many deviations of the noise that they leave the range of double precision.
//
// Discrete Gaussian shares of a deviation of at least 2 add up to a discrete Gaussian within the factor e^tau (Kairouz,
// Liu and Steinke 2021, corollary 12); of smaller ones the sum's masses are convolved.
Result<LossAtoms> AtomsOf(const DiscreteGaussianSum& sum, double sensitivity_factor, double tail);
Result<LossAtoms> AtomsOf(const SkellamSum& skellam, double sensitivity_factor, double tail);

// tau of the reference above: 10 times the sum over k = 1 .. shares - 1 of exp(-2 pi^2 variance k / (k + 1)).
double DiscreteGaussianSumTau(std::uint64_t shares, double site_variance);

}  // namespace synod
