// Where the privacy losses of one use of a mechanism come from, for the privacy loss distribution accountant.
// Immutable; thread-safe.
#pragma once

#include <memory>

#include "common/core/result.h"
#include "common/privacy/mechanism.h"
#include "common/privacy/pld_cells.h"

namespace synod {

class LossSource {
 public:
  virtual ~LossSource() = default;
  LossSource() = default;
  LossSource(const LossSource&) = delete;
  LossSource& operator=(const LossSource&) = delete;

  virtual Result<LossCells> Cells(double width) const = 0;
  virtual double Deviation() const = 0;  // root mean square of the loss around its mean, roughly: it chooses a width
  virtual double Range() const = 0;      // of the losses that Cells keeps
  virtual bool symmetric() const = 0;    // both directions have the same curve
  // No finite loss is larger: what pure epsilon composition adds up. Infinite where there is none.
  virtual double LargestLoss() const = 0;
};

// Whether the mechanism has a privacy loss distribution here; the others are accounted by Renyi DP alone.
bool HasLossDistribution(const Mechanism& mechanism);

// Needs a mechanism that CheckUses accepts and that has a loss distribution. `tail`: the mass of each end of the losses
// that may be cut off, to the safe side. Fails where the account would need more memory than it may.
Result<std::unique_ptr<LossSource>> LossSourceOf(const Mechanism& mechanism, Adjacency adjacency,
                                                 unsigned sites_per_subject, double tail);

std::unique_ptr<LossSource> PlainGaussianSource(double mu, double tail);

}  // namespace synod
