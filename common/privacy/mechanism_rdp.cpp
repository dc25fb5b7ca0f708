#include "common/privacy/mechanism_rdp.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "common/core/check.h"
#include "common/privacy/loss_atoms.h"
#include "common/privacy/rdp_accountant.h"
#include "common/privacy/truncated_batch.h"

namespace synod {
namespace {

double LogAddExp(double a, double b) {
  const double top = std::max(a, b);
  return top + std::log1p(std::exp(std::min(a, b) - top));
}

// order / (2 order - 1) e^((order - 1) / b) + (order - 1) / (2 order - 1) e^(-order / b) (Mironov 2017, table II).
double LaplaceRdp(double scale, double order) {
  const double first = std::log(order / (2.0 * order - 1.0)) + (order - 1.0) / scale;
  const double second = std::log((order - 1.0) / (2.0 * order - 1.0)) - order / scale;
  const double rounding = 1e-15 * (1.0 + order / scale) / (order - 1.0);  // near order 1 the sum is 1 but for rounding
  return std::max(0.0, LogAddExp(first, second) / (order - 1.0)) + rounding;
}

double GridSensitivity1(double sensitivity, std::uint64_t dimension) {  // the L1 norm of an integer vector
  return sensitivity * std::min(std::sqrt(static_cast<double>(dimension)), sensitivity);
}

// Kairouz, Liu and Steinke 2021, proposition 14; the curve is a line through the origin but for its first form.
double DiscreteGaussianRdp(const DiscreteGaussianSum& sum, double factor, double tau, double order) {
  const double d2 = sum.sensitivity * factor;
  const double d1 = GridSensitivity1(d2, sum.dimension);
  const auto d = static_cast<double>(sum.dimension);
  const double variance = sum.site_variance * static_cast<double>(sum.shares);
  const double deviation = std::sqrt(variance);
  const double first = 0.5 * order * d2 * d2 / variance + tau * d;
  const double second = 0.5 * order * (d2 * d2 / variance + 2.0 * d1 * tau / deviation + tau * tau * d);
  const double third = 0.5 * order * std::pow(d2 / deviation + std::sqrt(d) * tau, 2.0);
  return std::min({first, second, third});
}

// Agarwal, Kairouz and Liu 2021, theorem 3.5, for whole orders; between them by the convexity of (order - 1) RDP.
double SkellamRdp(const SkellamSum& skellam, double factor, double order) {
  const double d2 = skellam.sensitivity * factor;
  const double d1 = GridSensitivity1(d2, skellam.dimension);
  const double mu = skellam.variance;
  const auto moment = [&](double a) {
    if (a < 2.0) return 0.0;  // order 1
    const double beyond_gaussian = std::min(((2.0 * a - 1.0) * d2 * d2 + 6.0 * d1) / (4.0 * mu * mu), 1.5 * d1 / mu);
    return (a - 1.0) * (0.5 * a * d2 * d2 / mu + beyond_gaussian);
  };
  const double below = std::floor(order);
  return ((below + 1.0 - order) * moment(below) + (order - below) * moment(below + 1.0)) / (order - 1.0);
}

struct Maker {
  Adjacency adjacency;
  unsigned sites;

  double Factor() const { return adjacency == Adjacency::kReplaceOne ? 2.0 : 1.0; }

  Result<RdpCurve> operator()(const GaussianMechanism& gaussian) const {
    SYNOD_ASSIGN_OR_RETURN(
        DominatingPair pair,
        DominatingPair::Of({gaussian.sampling_rate, gaussian.noise_multiplier, 1}, adjacency, sites));
    return RdpCurve([pair = std::move(pair)](double order) { return StepRdp(pair, order); });
  }
  Result<RdpCurve> operator()(const TruncatedGaussianMechanism& truncated) const {
    const TruncatedBatch batch = TruncatedBatchOf(truncated);
    SYNOD_ASSIGN_OR_RETURN(RdpCurve whole,
                           (*this)(GaussianMechanism{truncated.sampling_rate, truncated.noise_multiplier}));
    if (batch.probability == 0.0) return whole;
    SYNOD_ASSIGN_OR_RETURN(RdpCurve cut, (*this)(GaussianMechanism{batch.sampling_rate, batch.noise_multiplier}));
    const double p = batch.probability;
    return RdpCurve([whole = std::move(whole), cut = std::move(cut), p](double order) {
      const double excess = order - 1.0;  // moments of the choice are the mean of both moments
      const double low = std::expm1(excess * whole(order));
      const double high = excess * cut(order);
      if (high > 600.0) return LogAddExp(std::log(p) + high, std::log1p((1.0 - p) * low)) / excess;
      return std::log1p((1.0 - p) * low + p * std::expm1(high)) / excess * (1.0 + 1e-9);
    });
  }
  Result<RdpCurve> operator()(const FixedBatchGaussianMechanism& fixed) const {
    return FixedBatchRdp(static_cast<double>(fixed.batch) / static_cast<double>(fixed.units),
                         fixed.noise_multiplier / Factor());
  }
  Result<RdpCurve> operator()(const TreeGaussianMechanism&) const {
    SYNOD_CHECK(false, "trees are written as Gaussian sums before they are accounted");
    return Failed("");
  }
  Result<RdpCurve> operator()(const LaplaceMechanism& laplace) const {
    return RdpCurve([scale = laplace.scale / Factor()](double order) { return LaplaceRdp(scale, order); });
  }
  Result<RdpCurve> operator()(const GeometricMechanism& geometric) const {
    auto atoms = std::make_shared<const LossAtoms>(AtomsOf(geometric, Factor()));
    return RdpCurve([atoms = std::move(atoms)](double order) { return AtomRdp(*atoms, order); });
  }
  Result<RdpCurve> operator()(const StatedGuarantee& stated) const {
    auto atoms = std::make_shared<const LossAtoms>(AtomsOf(StatedGuarantee{stated.epsilon, 0.0}));
    return RdpCurve([atoms = std::move(atoms)](double order) { return AtomRdp(*atoms, order); });
  }
  Result<RdpCurve> operator()(const DiscreteGaussianSum& sum) const {
    const double tau = DiscreteGaussianSumTau(sum.shares, sum.site_variance);
    return RdpCurve(
        [sum, factor = Factor(), tau](double order) { return DiscreteGaussianRdp(sum, factor, tau, order); });
  }
  Result<RdpCurve> operator()(const SkellamSum& skellam) const {
    return RdpCurve([skellam, factor = Factor()](double order) { return SkellamRdp(skellam, factor, order); });
  }
};

}  // namespace

Result<RdpCurve> RdpCurveOf(const Mechanism& mechanism, Adjacency adjacency, unsigned sites_per_subject) {
  return std::visit(Maker{adjacency, sites_per_subject}, mechanism);
}

double DeltaLeft(const MechanismUses& uses, double delta) {
  double log_kept = 0.0;
  for (const MechanismUse& use : uses) {
    if (const auto* stated = std::get_if<StatedGuarantee>(&use.mechanism); stated && stated->delta > 0.0) {
      log_kept += static_cast<double>(use.count) * std::log1p(-stated->delta);
    }
  }
  if (log_kept == 0.0) return delta;
  return -std::expm1(std::log1p(-delta) - log_kept) * (1.0 - 1e-12);
}

}  // namespace synod
