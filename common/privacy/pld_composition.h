// The distribution of the sum of independent privacy losses on one lattice, near the tail that decides epsilon, with
// every error bounded: cut-off tails, wrap-around of the circular convolution and floating-point rounding.
//
// The losses are tilted first (mass times e^(theta loss), normalised), convolved by Fourier transforms, and weighted
// back, so that rounding errors are relative to the tail of interest instead of absolute (Koskela and Honkela 2021 use
// the transform; tilting as in large-deviation sampling).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/pld_window.h"

namespace synod {

struct CompositionErrors {
  double tail = 0.0;      // mass of losses above the window, part of every upper bound
  double wrapped = 0.0;   // tilted mass outside the window, which may have been folded into it
  double roundoff = 0.0;  // per lattice point, of the tilted distribution
  double relative = 0.0;  // of every mass
};

class LossComposition {
 public:
  static constexpr std::int64_t kMaxSize = std::int64_t{1} << 21;  // lattice points; about 150 MB while it works

  // `delta` chooses the tilt and the window; the bounds below hold for every delta, tightly near this one. Fails when
  // the window would exceed kMaxSize lattice points.
  static Result<LossComposition> Of(std::span<const CountedPmf> losses, double width, double delta);

  // The smallest epsilon >= 0 proven, all errors counted against us; infinity when the mass at infinity exceeds delta.
  double EpsilonUpper(double delta) const;

  // A value of epsilon (perhaps negative) at which delta(epsilon) of the given losses is still at least `delta`, all
  // errors counted the other way; minus infinity when none is proven.
  double EpsilonLower(double delta) const;

  std::int64_t size() const { return static_cast<std::int64_t>(tilted_.size()); }
  double theta() const { return theta_; }
  const CompositionErrors& errors() const { return errors_; }

 private:
  LossComposition() = default;
  double LossOf(std::int64_t i) const { return static_cast<double>(first_ + i) * width_; }
  double Mass(std::int64_t i, double log_factor) const;  // untilted, times e^log_factor
  // Bounds of the error of delta(epsilon) that rounding, or tilted mass in a wrong place, can cause.
  double RoundoffError(double epsilon) const;
  double WrappedError(double epsilon) const;

  double width_ = 0.0;
  double theta_ = 0.0;
  double log_scale_ = 0.0;  // log of the moment at theta: mass at loss s = tilted mass * exp(log_scale - theta s)
  std::int64_t first_ = 0;  // lattice point of tilted_[0]
  std::vector<double> tilted_;
  double infinity_ = 0.0;
  double loss_error_ = 0.0;  // of the sum of all losses
  CompositionErrors errors_;
};

}  // namespace synod
