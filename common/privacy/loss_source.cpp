#include "common/privacy/loss_source.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/core/check.h"
#include "common/privacy/loss_atoms.h"
#include "common/privacy/truncated_batch.h"

namespace synod {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using SourcePtr = std::unique_ptr<LossSource>;

class PairSource final : public LossSource {
 public:
  PairSource(DominatingPair pair, double tail) : pair_(std::move(pair)), tail_(tail) {}
  Result<LossCells> Cells(double width) const override { return LossCells::Of(pair_, width, tail_); }
  double Deviation() const override { return LossDeviation(pair_); }
  double Range() const override {
    const double reach = std::sqrt(2.0 * std::log(1.0 / tail_));
    return pair_.Loss(reach + pair_.max_shift()) - pair_.Loss(-reach - pair_.max_shift_q());
  }
  bool symmetric() const override { return pair_.symmetric(); }
  double LargestLoss() const override { return kInfinity; }

 private:
  DominatingPair pair_;
  double tail_;
};

class AtomSource final : public LossSource {
 public:
  AtomSource(LossAtoms atoms, bool bounded) : atoms_(std::move(atoms)), bounded_(bounded) {}
  Result<LossCells> Cells(double width) const override { return LossCells::OfAtoms(atoms_, width); }
  double Deviation() const override {
    double mean = 0.0;
    double square = 0.0;
    for (const LossAtom& atom : atoms_.atoms) {
      mean += atom.mass * atom.loss;
      square += atom.mass * atom.loss * atom.loss;
    }
    return std::sqrt(std::max(square - mean * mean, 0.0));
  }
  double Range() const override { return atoms_.atoms.back().loss - atoms_.atoms.front().loss; }
  bool symmetric() const override { return true; }
  double LargestLoss() const override { return bounded_ ? atoms_.atoms.back().loss + atoms_.loss_error : kInfinity; }

 private:
  LossAtoms atoms_;
  bool bounded_;  // no outcomes were cut off
};

class LaplaceSource final : public LossSource {
 public:
  explicit LaplaceSource(double scale) : scale_(scale) {}
  Result<LossCells> Cells(double width) const override { return LossCells::OfLaplace(scale_, width); }
  double Deviation() const override {  // exact for large scales; at most 1 / scale for all
    return 1.0 / scale_;
  }
  double Range() const override { return 2.0 / scale_; }
  bool symmetric() const override { return true; }
  double LargestLoss() const override { return 1.0 / scale_ * (1.0 + 1e-15); }

 private:
  double scale_;
};

class ChoiceSource final : public LossSource {
 public:
  ChoiceSource(SourcePtr first, SourcePtr second, double second_probability)
      : first_(std::move(first)), second_(std::move(second)), second_probability_(second_probability) {}
  Result<LossCells> Cells(double width) const override {
    SYNOD_ASSIGN_OR_RETURN(const LossCells first, first_->Cells(width));
    SYNOD_ASSIGN_OR_RETURN(const LossCells second, second_->Cells(width));
    return LossCells::OfChoice(first, second, second_probability_, kBinomialError);
  }
  double Deviation() const override {
    return std::hypot(first_->Deviation() * std::sqrt(1.0 - second_probability_),
                      second_->Deviation() * std::sqrt(second_probability_));
  }
  double Range() const override { return first_->Range() + second_->Range(); }
  bool symmetric() const override { return first_->symmetric() && second_->symmetric(); }
  double LargestLoss() const override { return std::max(first_->LargestLoss(), second_->LargestLoss()); }

 private:
  SourcePtr first_;
  SourcePtr second_;
  double second_probability_;
};

struct Maker {
  Adjacency adjacency;
  unsigned sites;
  double tail;

  double Factor() const { return adjacency == Adjacency::kReplaceOne ? 2.0 : 1.0; }

  Result<SourcePtr> Pair(double sampling_rate, double noise_multiplier) const {
    SYNOD_ASSIGN_OR_RETURN(DominatingPair pair,
                           DominatingPair::Of({sampling_rate, noise_multiplier, 1}, adjacency, sites));
    return SourcePtr(std::make_unique<PairSource>(std::move(pair), tail));
  }
  static Result<SourcePtr> Atoms(Result<LossAtoms> atoms, bool bounded) {
    if (!atoms.ok()) return atoms.error();
    return SourcePtr(std::make_unique<AtomSource>(std::move(atoms).value(), bounded));
  }

  Result<SourcePtr> operator()(const GaussianMechanism& gaussian) const {
    return Pair(gaussian.sampling_rate, gaussian.noise_multiplier);
  }
  Result<SourcePtr> operator()(const TruncatedGaussianMechanism& truncated) const {
    const TruncatedBatch batch = TruncatedBatchOf(truncated);
    SYNOD_ASSIGN_OR_RETURN(SourcePtr whole, Pair(truncated.sampling_rate, truncated.noise_multiplier));
    if (batch.probability == 0.0) return whole;
    SYNOD_ASSIGN_OR_RETURN(SourcePtr cut, Pair(batch.sampling_rate, batch.noise_multiplier));
    return SourcePtr(std::make_unique<ChoiceSource>(std::move(whole), std::move(cut), batch.probability));
  }
  Result<SourcePtr> operator()(const LaplaceMechanism& laplace) const {
    return SourcePtr(std::make_unique<LaplaceSource>(laplace.scale / Factor()));
  }
  Result<SourcePtr> operator()(const GeometricMechanism& geometric) const {
    return Atoms(AtomsOf(geometric, Factor()), true);
  }
  Result<SourcePtr> operator()(const StatedGuarantee& stated) const { return Atoms(AtomsOf(stated), true); }
  Result<SourcePtr> operator()(const DiscreteGaussianSum& sum) const {
    return Atoms(AtomsOf(sum, Factor(), tail), false);
  }
  Result<SourcePtr> operator()(const SkellamSum& skellam) const {
    return Atoms(AtomsOf(skellam, Factor(), tail), false);
  }
  Result<SourcePtr> operator()(const FixedBatchGaussianMechanism&) const { return None(); }
  Result<SourcePtr> operator()(const TreeGaussianMechanism&) const { return None(); }
  static Result<SourcePtr> None() { return Failed("the mechanism has no privacy loss distribution here"); }
};

}  // namespace

bool HasLossDistribution(const Mechanism& mechanism) {
  if (const auto* sum = std::get_if<DiscreteGaussianSum>(&mechanism)) return sum->dimension == 1;
  if (const auto* skellam = std::get_if<SkellamSum>(&mechanism)) return skellam->dimension == 1;
  return !std::holds_alternative<FixedBatchGaussianMechanism>(mechanism);
}

Result<SourcePtr> LossSourceOf(const Mechanism& mechanism, Adjacency adjacency, unsigned sites_per_subject,
                               double tail) {
  return std::visit(Maker{adjacency, sites_per_subject, tail}, mechanism);
}

SourcePtr PlainGaussianSource(double mu, double tail) {
  return std::make_unique<PairSource>(DominatingPair::PlainGaussian(mu), tail);
}

}  // namespace synod
