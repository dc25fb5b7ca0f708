// What a model family is: two pure halves without I/O, and the generator that comes out.
//
// The Trainer (coordinator side) says which sum it needs next and absorbs the noisy answer. The Contribution (site
// side) computes the bounded sum over the units that were drawn. Running both in one process with an in-memory sum is
// the local simulation, the unit test and the single-site product at once. No LibTorch in these headers: whoever
// includes them does not load it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/core/result.h"
#include "common/data/schema.h"
#include "common/data/table.h"
#include "common/data/unit_table.h"
#include "common/privacy/plan.h"
#include "common/privacy/plan_resolve.h"
#include "common/query/keyed_blocks.h"
#include "common/query/parameter_layout.h"
#include "common/query/query.h"
#include "common/query/sums.h"

namespace synod {

// What a family asks of the plan, from the run specification and the schema alone.
struct FamilyPlan {
  std::vector<EntryRequest> entries;
  Json options;  // every hyper-parameter with its value; hashed into the plan
  ParameterLayout layout;
};

// What is fixed and public about a run when it starts. The same at the coordinator and at every site.
struct FamilyRun {
  std::shared_ptr<const Schema> schema;
  std::shared_ptr<const Plan> plan;
  Json options;
  std::uint64_t seed = 0;  // public randomness only
};

// Site side. One thread at a time.
class Contribution {
 public:
  virtual ~Contribution() = default;

  // How many units one block may hold so that the proven rounding error of a block sum holds: public.
  virtual std::uint32_t UnitsPerBlock(const Query& query) const = 0;

  // The sum over the batch of each unit's vector, every one clipped to the entry's norm. Fails on a query that is
  // malformed (wrong number of parameters or context values), never because of a row: a unit whose vector is not
  // finite contributes zero.
  virtual Result<ClippedSum> Sum(const Query& query, const BlockedBatch& batch) = 0;
};

// What a trainer can tell about its progress, from noisy sums.
struct TrainingNews {
  std::optional<double> loss;              // noisy mean loss of recent steps
  std::optional<double> clipped_fraction;  // noisy share of units whose gradient was clipped
};

// What is published: everything that a Generator needs, nothing that was not derived from noisy sums.
struct GeneratorModel {
  std::string family;
  Json options;  // every hyper-parameter: what the plan's model hash covers
  Json state;    // public transforms and whatever else the family needs beside its parameters
  ParameterLayout layout;
  std::vector<float> parameters;
};

// Coordinator side. One thread at a time.
class Trainer {
 public:
  virtual ~Trainer() = default;

  // The next query (kind, entry and payload; the round gives it its index), or nothing when training is done.
  // left[e]: answers that the plan still allows for entry e. Answers beyond what a family needs make it better.
  virtual std::optional<Query> Next(std::span<const std::uint64_t> left) = 0;

  virtual Status Absorb(const Query& query, const NoisySum& sum) = 0;
  virtual TrainingNews news() const = 0;

  // Everything that Absorb and Next changed, as bytes. A fresh trainer of the same run that restores them goes on bit
  // for bit like this one; Restore fails and changes nothing on bytes that are damaged or of another run or version.
  // A trainer without checkpoints gives no bytes: whoever restarts it absorbs every stored sum again.
  virtual Bytes Checkpoint() const { return {}; }
  virtual Status Restore(ByteView) { return Failed("this trainer has no checkpoints: absorb the stored sums again"); }

  // Post-processing only.
  virtual Result<GeneratorModel> Finish() = 0;
};

// A condition on rows to be drawn: the column has this value.
struct GivenValue {
  std::size_t column = 0;  // index in the schema
  double number = 0.0;     // numeric columns; NaN: missing
  std::uint16_t code = 0;  // categorical columns
};

// How probable rows are under a generator, in natural logarithms.
struct RowLikelihoods {
  std::vector<double> rows;  // of each row
  // Means over the rows of each column's own part, where the density is a product over columns: schema columns and
  // values, side by side; otherwise empty.
  std::vector<std::size_t> columns;
  std::vector<double> column_means;
};

// What a generator can do whose density is known exactly. Const and safe to call from many threads.
class Likelihood {
 public:
  virtual ~Likelihood() = default;
  // `rows`: a table of the generator's schema. A subject or ignored column counts for nothing.
  virtual Result<RowLikelihoods> LogLikelihood(const Table& rows) const = 0;
  // Of what measure the density is, in one sentence.
  virtual std::string Measure() const = 0;
};

// Draws rows. Const and safe to call from many threads.
class Generator {
 public:
  static constexpr std::size_t kBlockRows = 4096;
  virtual ~Generator() = default;

  // Rows of block number `block`: the first `rows` (at most kBlockRows) of a stream of its own, so that shards of a big
  // call concatenate to the same bytes. Every cell satisfies the schema. With conditions that the model cannot meet it
  // fails and says why.
  virtual Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                              std::span<const GivenValue> given) const = 0;

  // Null where the family has no exact likelihood. Lives as long as the generator.
  virtual const Likelihood* likelihood() const { return nullptr; }
};

}  // namespace synod
