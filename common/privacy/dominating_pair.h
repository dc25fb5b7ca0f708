// The one-dimensional pair of distributions (P, Q) that is the worst case of one event, in units of the noise
// deviation:
//
//   P = sum_j p_j N(j a, 1),   Q = sum_j q_j N(-j a, 1),   a = 1 / noise_multiplier,   j = 0..m
//
// add/remove and zero-out: p binomial(m, sampling rate) for a unit present at m sites, Q = N(0, 1): this is the REMOVE
//   direction, ADD is the pair swapped (Zhu, Dong and Wang 2022; for mixtures Choquette-Choo et al. 2024).
// replace-one, m = 1 only: Q is the mirror image of P, so one direction is enough. This is the pair that public
//   accountants use (the two records pull in opposite directions).
//
// The privacy loss L(y) = log P(y) / Q(y) increases in y. Immutable; thread-safe.
#pragma once

#include <vector>

#include "common/core/result.h"
#include "common/privacy/privacy_event.h"

namespace synod {

inline constexpr unsigned kMaxSitesPerSubject = 64;

class DominatingPair {
 public:
  // Fails for replace-one with more than one site, for which no worst case is known, and for too many sites.
  static Result<DominatingPair> Of(const PrivacyEvent& event, Adjacency adjacency, unsigned sites_per_subject);

  // The plain Gaussian mechanism: P = N(mu, 1), Q = N(0, 1).
  static DominatingPair PlainGaussian(double mu);

  bool symmetric() const { return symmetric_; }  // both directions have the same curve
  bool plain_gaussian() const { return p_.back() == 1.0 && q_.size() == 1; }
  double shift() const { return shift_; }  // a
  double max_shift() const { return shift_ * static_cast<double>(p_.size() - 1); }
  double max_shift_q() const { return shift_ * static_cast<double>(q_.size() - 1); }

  double Loss(double y) const { return LogRatio(p_, y) - LogRatio(q_, -y); }
  // log P(y) / N(0, 1)(y), and the same for Q.
  double LogP(double y) const { return LogRatio(p_, y); }
  double LogQ(double y) const { return LogRatio(q_, -y); }

  // The y with L(y) = loss; minus or plus infinity where the loss is below or above all values. `hint` is a nearby y.
  double Inverse(double loss, double hint) const;

  // Masses of an interval of y; either end may be infinite.
  double MassP(double low, double high) const;
  double MassQ(double low, double high) const;

 private:
  DominatingPair() = default;
  double LogRatio(const std::vector<double>& weights, double y) const;
  struct LogRatioAt {
    double value = 0.0;
    double slope = 0.0;
  };
  LogRatioAt LogRatioWithSlope(const std::vector<double>& weights, double y) const;
  void SetLossRange();
  double Reach() const { return 60.0 + 2.0 * (max_shift() + max_shift_q()); }  // nothing has mass beyond it

  double shift_ = 0.0;
  std::vector<double> p_;
  std::vector<double> q_;
  bool symmetric_ = false;
  double lowest_loss_ = 0.0;
  double highest_loss_ = 0.0;
};

}  // namespace synod
